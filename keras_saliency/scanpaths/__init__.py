"""Where the eyes go next: models of scanpaths, fitted, sampled and scored."""

from keras_saliency.data.scanpaths import Scanpath
from keras_saliency.scanpaths.fitting import fit_saccades
from keras_saliency.scanpaths.models import CentreBiasModel, SaccadeModel, ScanpathModel
from keras_saliency.scanpaths.next_fixation import NextFixationModel
from keras_saliency.scanpaths.saccades import Saccades, read_saccades
from keras_saliency.scanpaths.sampling import sample_scanpaths
from keras_saliency.scanpaths.scoring import ScanpathScores, score_scanpaths
from keras_saliency.scanpaths.similarity import compare_scanpaths

__all__ = [
    "CentreBiasModel",
    "NextFixationModel",
    "SaccadeModel",
    "Saccades",
    "Scanpath",
    "ScanpathModel",
    "ScanpathScores",
    "compare_scanpaths",
    "fit_saccades",
    "read_saccades",
    "sample_scanpaths",
    "score_scanpaths",
]
