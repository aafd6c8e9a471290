"""The layers of a model that hold variables, and their names."""

from collections.abc import Mapping

import keras


def find_layers(model: keras.Model) -> dict[str, keras.layers.Layer]:
    """The layers with variables, by name, submodels walked through; a layer used twice is listed once."""
    found: dict[str, keras.layers.Layer] = {}

    def walk(parent, prefix):
        for layer in parent.layers:
            name = prefix + layer.name
            if isinstance(layer, keras.Model):
                walk(layer, f"{name}/")
            elif layer.weights and all(layer is not other for other in found.values()):
                if name in found:
                    raise ValueError(f"Two layers of {model.name} are called {name}; give them names of their own.")
                found[name] = layer

    walk(model, "")
    if not found:
        raise ValueError(f"Expected a model with variables. Received {model.name} without any; build it first.")
    return found


def resolve(name: str, layers: Mapping[str, keras.layers.Layer]) -> str:
    """The qualified name of the layer that is meant by `name`."""
    matches = [known for known, layer in layers.items() if name in (known, layer.name)]
    if len(matches) != 1:
        reason = f"several layers, {', '.join(matches)}: qualify it" if matches else f"none of {', '.join(layers)}"
        raise ValueError(
            f"Expected the keys of names to name layers of the model that have variables; {name} is {reason}."
        )
    return matches[0]


def label(name: str, layer: keras.layers.Layer, variable: keras.Variable) -> str:
    """The name of a variable of a model, qualified by the submodels and layers that hold it."""
    return f"{name}/{variable.path.rpartition(f'{layer.name}/')[2]}"
