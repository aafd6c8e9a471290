"""Trains a recipe: `python scripts/train_zoo.py RECIPE --data NAME=DIR`, the same as `keras-saliency train`."""

import sys

from keras_saliency.cli import main

if __name__ == "__main__":
    sys.argv.insert(1, "train")
    main()
