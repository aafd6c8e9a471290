"""The fixation branch of ASNet (Wang et al., CVPR 2018): SAM's recurrence and priors, without attention, once."""

from collections.abc import Sequence

from keras_saliency.formulas.types import Features, Maps
from keras_saliency.layers.gaussian_priors import GaussianPriors
from keras_saliency.layers.repeated_conv_lstm import RepeatedConvLSTM
from keras_saliency.models.decoders import convolutions, scaled, score


def asnet(features: Sequence[Features], width: float = 1.0) -> Maps:
    """Looks three times at the last feature map, joins Gaussian priors, and convolves.

    Published on VGG16 without its last pool, whose maps are a sixteenth of the image (`scale=1 / 16`): 33,895,425
    parameters. The branches that go on from there to salient objects are not here.
    """
    x = RepeatedConvLSTM(scaled(512, width), name="conv_lstm")(features[-1])
    x = GaussianPriors(name="gaussian_priors")(x)
    return score(convolutions(x, [64], width, names=["mix"]))
