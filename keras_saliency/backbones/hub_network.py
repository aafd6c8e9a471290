"""A backbone of KerasHub as a network of feature maps, for images of any size."""

import importlib
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import keras

from keras_saliency.backbones.channels_last import channels_last
from keras_saliency.backbones.hub_families import FAMILIES, Family


def import_hub(what: str) -> ModuleType:
    """KerasHub, which takes seconds to import.

    Args:
        what: What needs it, for the message.

    Raises:
        ImportError: If it is not installed; says how to install it.
    """
    try:
        return importlib.import_module("keras_hub")
    except ImportError as error:
        reason = "" if isinstance(error, ModuleNotFoundError) and error.name == "keras_hub" else f" ({error})"
        raise ImportError(
            f"{what} needs KerasHub, which cannot be imported{reason}. Run: pip install 'keras_saliency[hub]'."
        ) from error


def has_family(network: keras.Model) -> bool:
    """Whether a network is one of KerasHub's of which it is known how it gives feature maps."""
    return type(network).__module__.startswith("keras_hub.") and type(network).__name__ in FAMILIES


def family_of(network: keras.Model) -> Family:
    """The row of a network of KerasHub.

    Raises:
        ValueError: If there is none; lists those there are.
    """
    if not has_family(network):
        known = ", ".join(FAMILIES)
        raise ValueError(f"{network.name} is a {type(network).__name__}. Feature maps are known of {known}.")
    return FAMILIES[type(network).__name__]


@keras.saving.register_keras_serializable(package="keras_saliency")
class HubNetwork(keras.Model):
    """The feature maps of a backbone of KerasHub.

    It is made of the layers of the backbone, as far as the taps need them, and takes normalised images of any size,
    where the backbone may take squares, or one size. It is saved as the class and the configuration of the backbone,
    with its weights, and so depends on nothing that KerasHub does not publish.

    Args:
        network: A backbone of one of `hub_families.FAMILIES`, whose layers are used, not copied.
        taps: The names of its feature maps; by default those of the family.
        name: Of the network.

    Raises:
        ValueError: If the network is of no family, or there is no such feature map; lists them.
    """

    def __init__(self, network: keras.Model, taps: Sequence[str] | None = None, name: str | None = None) -> None:
        family = family_of(network)
        taps = tuple(taps or (family.taps(network) if callable(family.taps) else family.taps))
        images, maps = family.read(network)
        for tap in taps:
            if tap not in maps:
                raise ValueError(f"Unknown layer {tap!r} of {name or network.name}. Known layers: {', '.join(maps)}.")
        super().__init__(images, [maps[tap] for tap in taps], name=name or network.name)
        self.taps, self.source = taps, keras.saving.serialize_keras_object(network)

    def get_config(self) -> dict[str, Any]:
        frozen = [layer.name for layer in self.layers if not layer.trainable]
        return {"network": self.source, "taps": self.taps, "name": self.name, "frozen": frozen}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "HubNetwork":
        import_hub(f"The backbone {config['name']} of this model")
        with channels_last():
            source = keras.saving.deserialize_keras_object(config["network"], custom_objects)
            network = cls(source, config["taps"], config["name"])
        for name in config["frozen"]:
            network.get_layer(name).trainable = False
        return network
