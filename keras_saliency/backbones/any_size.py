"""A model that knows one image size and takes any other."""

import keras


@keras.saving.register_keras_serializable(package="keras_saliency")
class AnySize(keras.Model):
    """A functional model of images or feature maps whose height and width may differ from those it was built on.

    Its `input_shape` and `output_shape` are those of the size it was built on. Rank and channels are checked.
    """

    @property
    def input_spec(self) -> list[keras.layers.InputSpec]:
        """What inputs must be: any batch, height and width, and the channels of those it was built on."""
        return [keras.layers.InputSpec(shape=(None, None, None, maps.shape[-1])) for maps in self.inputs]
