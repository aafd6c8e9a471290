"""Models whose head is that of a recording."""

from collections.abc import Sequence

import keras

from keras_saliency.layers.recording_head import RecordingHead
from keras_saliency.models.heads import require_log_density
from keras_saliency.models.saliency_model import SaliencyModel


def recording_head_of(model: keras.Model) -> RecordingHead | None:
    """The `RecordingHead` with which a model ends, or None."""
    outputs = getattr(model, "outputs", None)  # which a model that is not functional has not
    last = outputs[0]._keras_history.operation if outputs else None
    return last if isinstance(last, RecordingHead) else None


def require_recording_head(model: keras.Model) -> RecordingHead:
    """The same, where there must be one.

    Raises:
        ValueError: If there is none.
    """
    head = recording_head_of(model)
    if head is None:
        raise ValueError(f"{model.name} has no heads of recordings: it was not trained on several, nor adapted to one.")
    return head


def network_of(model: keras.Model) -> SaliencyModel:
    """What comes before the `RecordingHead` of a model, or the model itself as a new one.

    Raises:
        ValueError: If the model gives no log-density.
    """
    require_log_density(model)
    head, output = recording_head_of(model), model.outputs[0]
    if head is not None:
        output = head._inbound_nodes[output._keras_history.node_index].input_tensors[0]
    network = SaliencyModel(model.inputs[0], output, name=model.name)
    network.view = getattr(model, "view", None)
    return network


def with_recording_head(
    model: keras.Model, recordings: Sequence[str] = (), recording: str | None = None
) -> SaliencyModel:
    """A model with a new `RecordingHead` in place of its own, or after its log-density if it has none.

    Args:
        model: A model that gives a log-density. Its other weights are shared.
        recordings: The names of those that have heads of their own beside the average.
        recording: That whose head is used; None for the average.

    Raises:
        ValueError: If the model gives no log-density, or the recording is unknown.
    """
    network = network_of(model)
    head = RecordingHead(recordings=recordings, recording=recording, name="recording_head")
    headed = SaliencyModel(network.inputs[0], head(network.outputs[0]), name=model.name)
    headed.view = network.view
    return headed


def for_recording(model: keras.Model, recording: str | None) -> SaliencyModel:
    """A model that was trained on several recordings, with the head of one of them.

    Args:
        model: A model that ends with a `RecordingHead`. Its weights other than those of the head are shared.
        recording: The name of the recording; None for the average of all, for pictures of none of them.

    Raises:
        ValueError: If the model has no heads of recordings, or the recording is unknown; lists the known ones.
    """
    head = require_recording_head(model)
    chosen = with_recording_head(model, head.recordings, recording)
    require_recording_head(chosen).set_weights(head.get_weights())
    return chosen
