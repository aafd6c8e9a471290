"""Changes of a recipe: by fields, or by texts of the command line."""

import ast
import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from keras_saliency.training.recipe import Recipe, is_number, shown


def change(recipe: Recipe, changes: Mapping[str, Any]) -> Recipe:
    """Changes fields of a recipe.

    Args:
        recipe: The recipe; it stays as it is.
        changes: From field to value, such as `{"epochs": 3, "loss": {"kld": 1}, "model": {"backbone": "vgg16"}}`: the
            loss is replaced, of the model what is named. A dot reaches into both: `{"loss.cc": 2}`.

    Returns:
        A new recipe. Whether it makes sense is asked after the last change.

    Raises:
        ValueError: If a field is unknown, or a value makes no sense.
    """
    return _changed(recipe, changes.items())


def override(recipe: Recipe, settings: Iterable[str]) -> Recipe:
    """Changes a recipe by texts `KEY=VALUE`, such as `epochs=3`, `model.backbone=vgg16` or `loss.cc=2`; see `change`.

    Raises:
        ValueError: If a setting is not of this form, its key is unknown, or its value makes no sense.
    """
    pairs = []
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals:
            raise ValueError(f"A setting has the form KEY=VALUE, such as epochs=3. Received: {shown(setting)}.")
        try:
            value = ast.literal_eval(text)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):  # as its documentation lists them
            value = text
        pairs.append((key, value))
    return _changed(recipe, pairs)


def _changed(recipe, pairs):
    """The recipe after all changes: what they make together has to make sense, and not what the first do alone."""
    draft = _opened(recipe)
    for key, value in pairs:
        inner = value if key == "model" and isinstance(value, dict) else None
        steps = {f"{key}.{name}": item for name, item in inner.items()} if inner else {key: value}
        for path, item in steps.items():
            _set(draft, path.split("."), item, path)
    return _closed(draft)


def _opened(node):
    """A dict of fields, with its class under `type`; of the weights of losses a copy."""
    if dataclasses.is_dataclass(node):
        return {type: type(node), **{field.name: getattr(node, field.name) for field in dataclasses.fields(node)}}
    return dict(node) if isinstance(node, dict) else {type: None}


def _closed(node):
    if not isinstance(node, dict) or type not in node:
        return node
    return node[type](**{key: _closed(value) for key, value in node.items() if key is not type})


def _set(node, keys, value, path):
    key, *rest = keys
    if type not in node and not rest:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise ValueError(
                f"{shown(path)}: it is a number, and 0 leaves out what it is of. Received: {shown(value)}."
            )
        node[key] = value
        if value == 0:
            del node[key]
        return
    known = [name for name in node if name is not type] if type in node else []
    if key not in known:
        raise ValueError(f"{shown(path)}: unknown key {shown(key)}. Known keys: {', '.join(known) or 'none'}.")
    if rest:
        node[key] = _opened(node[key])
        _set(node[key], rest, value, path)
        return
    old = node[key]
    if isinstance(old, tuple) and isinstance(value, list | tuple):
        value = tuple(value)
    if isinstance(old, float) and isinstance(value, int) and is_number(value):
        value = float(value)
    node[key] = value
