"""A model that knows one image size and takes any other."""

from typing import Any

import keras

from keras_saliency.backbones.channels_last import channels_last


@keras.saving.register_keras_serializable(package="keras_saliency")
class AnySize(keras.Model):
    """A functional model of images or feature maps whose height and width may differ from those it was built on.

    Its `input_shape` and `output_shape` are those of the size it was built on. Rank and channels are checked.
    """

    @property
    def input_spec(self) -> list[keras.layers.InputSpec]:
        """What inputs must be: any batch, height and width, and the channels of those it was built on."""
        return [keras.layers.InputSpec(shape=(None, None, None, maps.shape[-1])) for maps in self.inputs]

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None, **kwargs: Any) -> Any:
        """What `keras.Model.call` gives; images and maps are channels last, however Keras is configured."""
        with channels_last():
            return super().call(inputs, training=training, mask=mask, **kwargs)
