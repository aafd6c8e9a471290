"""`python -m keras_saliency.cli`."""

from keras_saliency.cli import main

main()
