"""Models whose head is fitted to a recording."""

import keras

from keras_saliency.layers.recording_head import RecordingHead
from keras_saliency.models.heads import require_log_density
from keras_saliency.models.saliency_model import SaliencyModel


def recording_head_of(model: keras.Model) -> RecordingHead | None:
    """The `RecordingHead` with which a model ends, or None."""
    last = model.outputs[0]._keras_history.operation
    return last if isinstance(last, RecordingHead) else None


def with_recording_head(model: keras.Model) -> tuple[SaliencyModel, keras.Model]:
    """A model with a new `RecordingHead` in place of its own, or after its log-density if it has none.

    Returns:
        The model, which shares its other weights with the one that was given, and what comes before the head.

    Raises:
        ValueError: If the model gives no log-density.
    """
    require_log_density(model)
    head, output = recording_head_of(model), model.outputs[0]
    if head is not None:
        output = head._inbound_nodes[output._keras_history.node_index].input_tensors[0]
    before = SaliencyModel(model.inputs[0], output, name=model.name)
    adapted = SaliencyModel(model.inputs[0], RecordingHead(name="recording_head")(output), name=model.name)
    adapted.view = before.view = getattr(model, "view", None)
    return adapted, before
