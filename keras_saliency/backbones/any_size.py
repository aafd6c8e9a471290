"""A model that knows one image size and takes any other."""

from pathlib import Path
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
        return [keras.layers.InputSpec(shape=(*[None] * (each.ndim - 1), each.shape[-1])) for each in self.inputs]

    def save(self, filepath: str | Path, *args: Any, **kwargs: Any) -> None:
        """Saves the model as `keras.Model.save` does, to a `.keras` file.

        Raises:
            ValueError: If it is to be an HDF5 file: Keras's old format keeps neither the package of a class nor
                operations that are no layers, and so cannot be loaded again.
        """
        if str(filepath).endswith((".h5", ".hdf5")):
            raise ValueError(
                f"Keras could not load {self.name} from {filepath}: its HDF5 format knows no classes of packages. Save "
                "it as a .keras file, or its weights alone by save_weights to a .weights.h5 file."
            )
        super().save(filepath, *args, **kwargs)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None, **kwargs: Any) -> Any:
        """What `keras.Model.call` gives; images and maps are channels last, however Keras is configured."""
        with channels_last():
            return super().call(inputs, training=training, mask=mask, **kwargs)
