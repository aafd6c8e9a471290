"""Studies of losses: which cells there are, how they are run, and where their results lie."""

from keras_saliency.quest.study import Cell, Grid, Study

__all__ = ["Cell", "Grid", "Study"]
