"""Prints how large the gradients of each loss are at the start, with the first network and seed 0: far above AdamW's
epsilon of 1e-7, or the scale of a loss would change its steps.

Run: python docs/quest/gradients.py data/osie
"""

import sys

import numpy as np
import outcome
import tensorflow as tf
from maps import DATA, FEATURES, MODEL

import keras_saliency as ks
from keras_saliency.losses.balance import first_batches
from keras_saliency.models.sizes import require_shown
from keras_saliency.training.build import build


def medians(cell, data):
    """The root mean square of the gradient of each variable, and of these the median, for each of the first batches."""
    model, trained = build(cell.recipe, data)
    caches = FEATURES.of(cell.recipe, data, model)
    batches, _ = first_batches(
        data.train.pipeline(
            require_shown(model), cell.recipe.batch, target_size=1, flip=cell.recipe.flip, features=caches["train"]
        )
    )
    if cell.recipe.balance == "gradient":
        trained.loss.equalise(trained, batches, verbose=False)
    for features, targets in batches:
        with tf.GradientTape() as tape:
            value = trained.loss(targets, trained(features, training=True))
        gradients = tape.gradient(value, trained.trainable_variables)
        yield float(np.median([np.sqrt(np.mean(np.square(gradient))) for gradient in gradients]))


if __name__ == "__main__":
    osie = ks.data.load(DATA, sys.argv[1])
    for cell in outcome.STUDY.finals(outcome.RESULTS):
        if (cell.model, cell.data, cell.recipe.seed) == (MODEL, DATA, 0):
            print(f"{np.median([*medians(cell, osie)]):.1e}  {cell.loss}", flush=True)
