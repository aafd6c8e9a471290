"""Trains a recipe: `python scripts/train_zoo.py RECIPE --data NAME=DIR`, the same as `keras-saliency train`.

`python scripts/train_zoo.py --list` shows the recipes with parameters, operations, and the scores of runs.
"""

import sys

from keras_saliency.cli import main

if __name__ == "__main__":
    sys.argv[1:] = ["recipes", "--cost", *sys.argv[2:]] if sys.argv[1:2] == ["--list"] else ["train", *sys.argv[1:]]
    main()
