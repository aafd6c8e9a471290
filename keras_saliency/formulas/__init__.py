"""What a number is: the algebra of maps, every measure, and the conventions of the field. Runs on every backend."""

import keras  # noqa: F401 - first, see keras_saliency/__init__.py
