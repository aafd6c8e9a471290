import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from keras_saliency.data import Fixations, Sample
from keras_saliency.evaluation.agreement import agreement

SIZE, SIGMA = (40, 60), 3.0


def sample(x, y, observer):
    fixations = Fixations(*(np.asarray(axis, float) for axis in (x, y)), np.asarray(observer), np.arange(len(x)) / 10)
    return Sample("picture", b"", SIZE, fixations, SIGMA)


def test_agreement_is_the_nss_of_each_observer_in_the_blurred_fixations_of_the_others(rng):
    x, y, observer = rng.uniform(0, 60, 30), rng.uniform(0, 40, 30), np.repeat([4, 0, 2], 10)
    expected = []
    for one in (0, 2, 4):
        others = np.zeros(SIZE)
        np.add.at(others, (y[observer != one].astype(int), x[observer != one].astype(int)), 1)
        blurred = gaussian_filter(others, SIGMA, mode="reflect", truncate=8)
        own = blurred[y[observer == one].astype(int), x[observer == one].astype(int)]
        expected.append(np.mean((own - blurred.mean()) / blurred.std()))
    assert agreement([sample(x, y, observer)]) == pytest.approx([np.mean(expected)], rel=1e-4)


def test_observers_who_agree_have_more_of_it_and_one_alone_has_none(rng):
    x, y, observer = rng.uniform(0, 60, 10), rng.uniform(0, 40, 10), np.repeat([0, 1], 10)
    alike, others = ([*x, *x], [*y, *y]), ([*x, *60 - x], [*y, *40 - y])
    alone = sample(x, y, np.zeros(10, int))
    same, different = agreement([sample(*alike, observer), alone, sample(*others, observer)])
    assert same > 2 > different
