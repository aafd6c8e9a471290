"""Backbones of KerasHub by the names of their presets."""

import difflib
import importlib.util
from pathlib import Path

import keras

from keras_saliency.backbones.channels_last import require_channels_last
from keras_saliency.backbones.hub_network import family_of, has_family, import_hub
from keras_saliency.backbones.hub_presets import PRESETS
from keras_saliency.backbones.pixels import Colours, standardising

PREFIX = "hub:"


def hub_names() -> list[str]:
    """The names of backbones that are presets of KerasHub, which is not imported."""
    return sorted(PREFIX + preset for presets in PRESETS.values() for preset in presets)


def is_of_hub(backbone: str | keras.Model) -> bool:
    """Whether a backbone is a preset of KerasHub, by its name, or one of its networks that has feature maps."""
    return backbone.startswith(PREFIX) if isinstance(backbone, str) else has_family(backbone)


def load_hub(backbone: str | keras.Model, weights: str | Path | None = "imagenet") -> tuple[keras.Model, Colours]:
    """Loads a preset, or copies a network.

    Args:
        backbone: `"hub:PRESET"`, where PRESET is a name, a folder that `save_to_preset` wrote, or an address such as
            `hf://USER/MODEL`; or a network of KerasHub. Of a network of images and texts it is the part for images.
        weights: None for random ones; else those of the preset or the network.

    Returns:
        The backbone, and the scale and the offset that its preset says RGB in [0, 255] is to be changed by; where it
        says nothing, those of its family.

    Raises:
        ValueError: If KerasHub knows no such preset, or it has no feature maps, or other weights are asked for, or a
            network was built channels first.
        ImportError: If KerasHub is not installed.
        ConnectionError: If the preset cannot be downloaded.
    """
    if weights not in (None, "imagenet"):
        raise ValueError(
            'Weights of KerasHub come with the preset: pass "imagenet", which takes them, or None for random ones, and '
            f"for files of your own a preset folder, as backbone='hub:FOLDER'. Received: weights={str(weights)!r}."
        )
    if isinstance(backbone, keras.Model):
        require_channels_last(backbone)
        network = type(backbone).from_config(backbone.get_config())
        if weights:
            network.set_weights(backbone.get_weights())
        return network, standardising(family_of(network).standard)
    preset = backbone.removeprefix(PREFIX)
    require_known(preset)
    hub = import_hub(f"The backbone {backbone}")
    try:
        whole = hub.models.Backbone.from_preset(preset, load_weights=weights is not None)
        pixels = _pixels(hub, preset, whole)
    except Exception as error:
        raise _explained(preset, error) from error
    network = getattr(whole, "vision_encoder", whole)
    return network, pixels or standardising(family_of(network).standard)


def require_known(preset: str) -> None:
    """Checks that there is a preset, before anything is downloaded.

    Raises:
        ValueError: If there is not; lists the names that are near.
    """
    known = {name for names in PRESETS.values() for name in names}
    if preset in known or "://" in preset or Path(preset).is_dir():
        return
    if importlib.util.find_spec("keras_hub") is not None:  # which may be newer than the table
        models = import_hub(f"The backbone {PREFIX}{preset}").models
        known |= {name for owner in PRESETS for name in getattr(models, owner).presets}
    if preset not in known:
        near = difflib.get_close_matches(preset, sorted(known), 5, 0.4)
        raise ValueError(
            f"KerasHub has no preset {preset!r} with feature maps, and there is no such folder. "
            f"Near names: {', '.join(near) or 'none'}. All: keras_saliency.backbones.list_backbones()."
        )


def _pixels(hub, preset, network):
    """What the image converter of a preset does to pixels; None where it has none."""
    converters = [kind for kind in vars(hub.layers).values() if getattr(kind, "backbone_cls", None) is type(network)]
    try:
        converter = converters[0].from_preset(preset) if converters else None
    except FileNotFoundError:
        return None
    if converter is None:
        return None
    return 1.0 if converter.scale is None else converter.scale, 0.0 if converter.offset is None else converter.offset


def _explained(preset, error):
    reason = " ".join(str(error).split())[:300]
    if Path(preset).is_dir():
        return ValueError(f"{preset} is no preset folder that KerasHub can read ({reason}).")
    return ConnectionError(
        f"KerasHub downloads the preset {preset}, its configuration included, from {_address(preset)}, which failed "
        f"({reason}). Connect to the internet once, or bring the files of that page in a folder, and pass "
        "backbone='hub:FOLDER'."
    )


def _address(preset):
    """The page of a preset."""
    found = import_hub(preset).models.Backbone.presets.get(preset, {}).get("kaggle_handle", preset)
    return found.replace("kaggle://", "https://www.kaggle.com/models/")
