"""Models that come with the package, whole."""

from keras_saliency.models.factory import create_model
from keras_saliency.models.mixture import mix
from keras_saliency.models.recording import require_recording_head, with_recording_head
from keras_saliency.models.saliency_model import SaliencyModel
from keras_saliency.models.shipped import Stored, fill, read


def load_shipped(name: str) -> SaliencyModel:
    """A model whose weights come with the package, with the head for pictures of no recording that it knows.

    Args:
        name: One of `keras_saliency.models.SHIPPED`.

    Raises:
        ValueError: If the name is unknown, lists the known ones; if the file is not the one that was shipped.
        FileNotFoundError: If the file is not there.
    """
    return assemble(read(name), name)


def assemble(stored: Stored, name: str) -> SaliencyModel:
    """The model of what is stored in a file of weights."""
    networks = [create_model(**member, weights=None) for member in stored.config["members"]]
    for network, weights in zip(networks, stored.members, strict=True):
        fill(network, weights)
    headed = [with_recording_head(network, stored.config["recordings"]) for network in networks]
    model = mix(headed, name, stored.config["sizes"])
    require_recording_head(model).set_weights(stored.head)
    return model
