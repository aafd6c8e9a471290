"""Scoring at native resolution: sources of predictions, metrics of images and splits, and the report."""

from keras_saliency.evaluation.run import evaluate
from keras_saliency.evaluation.splits import Evaluation, OtherFixations

__all__ = ["Evaluation", "OtherFixations", "evaluate"]
