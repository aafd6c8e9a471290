"""Tables of saccades: a slow version from the definition, laws, and that what made scanpaths is found again."""

import dataclasses

import numpy as np
import pytest

from keras_saliency.data import Fixations, Samples, synthetic
from keras_saliency.data.scanpaths import Scanpath
from keras_saliency.scanpaths import SaccadeModel, Saccades, fit_saccades, read_saccades, sample_scanpaths
from keras_saliency.scanpaths.fitting import KNOWN, _rows
from keras_saliency.scanpaths.saccades import AMPLITUDES, DIRECTIONS, LAGS, MEMORY, SHAPES, STEPS, TURNS

SIZE = (30, 40)


class Truth:
    """A source of the density that the fixations of the synthetic data are drawn from."""

    name = "truth"

    def predictions(self, samples):
        for sample in samples:
            yield np.log(sample.density), True, False


@pytest.fixture
def spatial(rng):
    values = rng.normal(size=SIZE)
    return values - np.log(np.exp(values).sum())


@pytest.fixture
def saccades(rng):
    return Saccades(**{name: rng.normal(size=shape) for name, shape in SHAPES.items()}, uniform=0.01)


def between(place, table):
    """The value of a table at a place in knots."""
    low = min(int(place), len(table) - 2)
    return (1 - (place - low)) * table[low] + (place - low) * table[low + 1]


def knots(right, down, shape):
    """The amplitude in knots."""
    amplitude = np.hypot(right, down) / max(shape)
    return np.interp(np.log(max(amplitude, AMPLITUDES[0])), np.log(AMPLITUDES), range(len(AMPLITUDES)))


def slow_log_density(saccades, spatial, x, y):
    """Pixel by pixel, from what the tables mean."""
    logits = np.empty(spatial.shape)
    x, y = [int(value) for value in x], [int(value) for value in y]
    for row, column in np.ndindex(spatial.shape):
        amplitudes = [knots(column - x[i], row - y[i], spatial.shape) for i in range(len(x))]
        step = sum(len(x) >= least for least in STEPS) - 1
        direction = np.arctan2(row - y[-1], column - x[-1])
        thirds = [int(3 * at / side) for at, side in zip((y[-1], x[-1]), spatial.shape, strict=True)]
        table = saccades.saccade + saccades.cell[3 * thirds[0] + thirds[1]]
        around = np.concatenate([table, table[:, :1]], 1)
        at = direction % (2 * np.pi) / (2 * np.pi) * DIRECTIONS
        logits[row, column] = saccades.spatial[step] * spatial[row, column] + between(
            at, between(amplitudes[-1], around)
        )
        if len(x) > 1 and (x[-1], y[-1]) != (x[-2], y[-2]):
            turned = abs(np.angle(np.exp(1j * (direction - np.arctan2(y[-1] - y[-2], x[-1] - x[-2])))))
            logits[row, column] += between(turned / np.pi * (TURNS - 1), between(amplitudes[-1], saccades.turn))
        for lag in range(min(len(x) - 1, MEMORY)):
            logits[row, column] += between(amplitudes[-2 - lag], saccades.before[min(lag, LAGS - 1)])
    density = np.exp(logits - logits.max())
    return np.log(0.99 * density / density.sum() + 0.01 / density.size)


@pytest.mark.parametrize("length", [1, 2, 5, 11])
def test_log_density_by_its_definition(length, saccades, spatial, rng):
    x, y = rng.uniform(0, SIZE[1], length), rng.uniform(0, SIZE[0], length)
    found = saccades.log_density(spatial, x, y)
    np.testing.assert_allclose(found, slow_log_density(saccades, spatial, x, y), atol=1e-4)
    assert np.exp(found).sum() == pytest.approx(1)


def test_the_eye_that_stays_has_no_direction(saccades, spatial):
    x, y = np.array([7.1, 20.2, 20.9]), np.array([3.0, 11.1, 11.8])
    np.testing.assert_allclose(
        saccades.log_density(spatial, x, y), slow_log_density(saccades, spatial, x, y), atol=1e-4
    )
    without = dataclasses.replace(saccades, turn=np.zeros(SHAPES["turn"]))
    np.testing.assert_array_equal(saccades.log_density(spatial, x, y), without.log_density(spatial, x, y))


def test_candidates_count_for_all_pixels(spatial):
    x, y = np.full(4001, 20.5), np.full(4001, 15.5)
    path = Scanpath("one", 0, x, y, np.arange(4001.0), np.full(4001, np.nan))
    _, weights, offset = _rows(path, spatial, np.random.default_rng(0), KNOWN)
    counted, seen = np.exp(offset), weights[..., 0]  # the spatial model tells pixels apart
    assert counted.sum(1).mean() == pytest.approx(spatial.size, rel=0.02)
    near = np.isin(seen, spatial[14:17, 19:22].astype("float32"))
    assert counted[near].sum() / len(path) == pytest.approx(9, rel=0.1)
    assert not weights[..., 5:9].any()  # nobody turned


def test_a_flat_kernel_leaves_the_spatial_model_as_it_is(spatial):
    for x, y in (([], []), ([3.5], [4.5]), ([3, 20, 39.9], [1, 2, 29.9])):
        np.testing.assert_allclose(Saccades().log_density(spatial, np.array(x), np.array(y)), spatial, atol=1e-9)


def test_without_history_there_is_the_spatial_model(saccades, spatial):
    np.testing.assert_array_equal(saccades.log_density(spatial, np.empty(0), np.empty(0)), spatial)


def test_what_is_seen_moves_with_the_fixations(saccades):
    flat, without = np.zeros((60, 80)), dataclasses.replace(saccades, uniform=0.0, cell=np.zeros(SHAPES["cell"]))
    one, other = (
        without.log_density(flat, *map(np.array, path)) for path in (([30, 40], [20, 30]), ([35, 45], [24, 34]))
    )
    np.testing.assert_allclose(other[4:, 5:] - one[:-4, :-5], other[4, 5] - one[0, 0], atol=1e-5)
    assert np.ptp(one) > 1


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        ([3, 40.0], [3, 4], "Fixation 2 of the history is at x = 40, y = 4, outside"),
        ([-0.1], [3], "outside"),
        ([np.nan], [3], "outside"),
        ([1, 2], [3], "of one length"),
    ],
)
def test_a_history_that_cannot_be_is_refused(x, y, message, saccades, spatial):
    with pytest.raises(ValueError, match=message):
        saccades.log_density(spatial, np.array(x), np.array(y))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"turn": np.zeros((2, 2))}, "turn must be finite and of shape"),
        ({"spatial": np.full(len(STEPS), np.nan)}, "spatial must be finite"),
        ({"uniform": 1.0}, "share"),
    ],
)
def test_tables_of_another_form_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        Saccades(**changes)


def test_tables_come_back_from_a_file(saccades, tmp_path):
    saccades.save(tmp_path / "own.safetensors")
    again = read_saccades(tmp_path / "own.safetensors")
    np.testing.assert_array_equal(again.vector, saccades.vector)
    assert again.uniform == saccades.uniform
    dataclasses.replace(saccades, cell=np.zeros(SHAPES["cell"])).save(tmp_path / "plain.safetensors")
    assert not read_saccades(tmp_path / "plain.safetensors").cell.any()
    assert (tmp_path / "plain.safetensors").stat().st_size < 4000
    with pytest.raises(FileExistsError, match="own.safetensors"):
        saccades.save(tmp_path / "own.safetensors")
    (tmp_path / "other.safetensors").write_bytes(b"no tables")
    with pytest.raises(ValueError, match="no tables of saccades"):
        read_saccades(tmp_path / "other.safetensors")
    with pytest.raises(FileNotFoundError, match="none"):
        read_saccades(tmp_path / "none")


def test_those_that_come_along_prefer_what_is_near_and_new():
    shipped = read_saccades()
    means = shipped.saccade.mean(1)
    assert means.argmax() < 5 and means[-1] < means.max() - 2
    assert shipped.before[0, 0] < shipped.before[0].max()


def draw(model, samples):
    """The images with 16 scanpaths of a model each."""
    found = []
    for i, (sample, conditional) in enumerate(zip(samples, model.conditionals(samples), strict=True)):
        paths = sample_scanpaths(conditional, 16, 9, seed=i)
        observer, time = np.indices(paths.shape[:2])
        rows = np.concatenate([paths.reshape(-1, 2), observer.reshape(-1, 1), time.reshape(-1, 1)], 1)
        found.append(dataclasses.replace(sample, fixations=Fixations.from_rows(rows)))
    return Samples(found)


@pytest.fixture(scope="module")
def drawn():
    """Scanpaths of a known model on synthetic images, and the model."""
    data = synthetic.read(splits={"train": 24, "validation": 1, "test": 1})
    known = -2.0 * (np.log(AMPLITUDES) - np.log(0.15))[:, None] ** 2 * np.ones(DIRECTIONS)
    before = np.zeros(SHAPES["before"])
    before[0, :4] = -2.0
    made = Saccades(np.full(len(STEPS), 0.7), np.maximum(known, -8), before=before)
    model = SaccadeModel(Truth(), made)
    return draw(model, data.train), made, model


def test_what_made_scanpaths_is_found_again(drawn):
    samples, made, _ = drawn
    found = fit_saccades(SaccadeModel(Truth(), Saccades()), samples[:12], ("saccade", "before"))
    np.testing.assert_allclose(found.spatial[-2:], 0.7, rtol=0.1)
    # Up to a number that is the same everywhere, where there are saccades enough.
    likely = (AMPLITUDES > 0.05) & (AMPLITUDES < 0.45)
    difference = (found.saccade - made.saccade).mean(1)[likely]
    assert np.ptp(difference) < 0.5
    kept_away = found.before[0, :3].mean() - found.before[0, 6:10].mean()
    assert kept_away == pytest.approx(-2, abs=0.7)
    assert not found.turn.any()


def test_what_is_fitted_is_what_the_model_computes(saccades, spatial, rng):
    """Logits of two places after the same fixations differ as their log-densities do."""
    plain = dataclasses.replace(saccades, uniform=0.0)
    x, y = rng.uniform(0, SIZE[1], 12).astype(int) + 0.5, rng.uniform(0, SIZE[0], 12).astype(int) + 0.5
    logits, ends = [], [(3.5, 27.5), (31.5, 8.5)]
    for end in ends:
        path = Scanpath("one", 0, np.append(x, end[0]), np.append(y, end[1]), np.arange(13.0), np.full(13, np.nan))
        where, weights, _ = _rows(path, spatial, np.random.default_rng(0), KNOWN)
        logits.append(weights[-1, 0] @ plain.vector[where[-1, 0]])
    density = plain.log_density(spatial, x, y)
    one, other = (density[int(row), int(column)] for column, row in ends)
    assert logits[0] - logits[1] == pytest.approx(one - other, abs=1e-4) != 0


@pytest.mark.slow
def test_saccades_that_differ_by_where_they_begin_are_found_again(drawn):
    """On the left people look to the right, and on the right to the left."""
    samples, made, _ = drawn
    rightwards = np.cos(np.arange(DIRECTIONS) * 2 * np.pi / DIRECTIONS)
    cell = np.zeros(SHAPES["cell"])
    cell[0::3], cell[2::3] = rightwards, -rightwards
    model = SaccadeModel(Truth(), dataclasses.replace(made, cell=cell))
    found = fit_saccades(SaccadeModel(Truth(), Saccades()), draw(model, samples[:8]), ("saccade", "cell"))
    likely = (AMPLITUDES > 0.05) & (AMPLITUDES < 0.45)
    towards = (found.cell[:, likely].mean(1) * rightwards).sum(1) / (rightwards**2).sum()
    np.testing.assert_allclose(towards.reshape(3, 3).mean(0), [1, 0, -1], atol=0.35)


def test_drawn_amplitudes_are_those_of_the_density(drawn):
    samples, _, model = drawn
    conditional = next(model.conditionals(samples[:1]))
    density = np.exp(conditional(np.array([80.0]), np.array([60.0])))
    rows, columns = np.indices(density.shape)
    expected = np.sum(density * np.hypot(rows + 0.5 - 60, columns + 0.5 - 80))
    paths = sample_scanpaths(conditional, 600, 2, seed=3)
    steps = np.linalg.norm(paths[:, 1] - paths[:, 0], axis=1)
    np.testing.assert_array_equal(paths[:, 0], [[80.0, 60.0]] * 600)
    assert steps.mean() == pytest.approx(expected, abs=4 * steps.std() / np.sqrt(600))


def test_equal_seeds_draw_equal_scanpaths(drawn):
    conditional = next(drawn[2].conditionals(drawn[0][:1]))
    one, same, other = (sample_scanpaths(conditional, 2, 4, seed, (5.0, 7.0)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one[:, 1:] != other[:, 1:]).all() and (one[:, 0] == (5.0, 7.0)).all()
    for n, length, start, message in ((0, 1, None, "At least one"), (1, 0, None, "At least"), (1, 1, (160, 0), "outs")):
        with pytest.raises(ValueError, match=message):
            sample_scanpaths(conditional, n, length, start=start)


def test_of_candidates_the_likeliest_without_history_is_taken(drawn):
    conditional = next(drawn[2].conditionals(drawn[0][:1]))
    spatial = conditional(np.empty(0), np.empty(0))
    one, many = (sample_scanpaths(conditional, 100, 2, candidates=count)[:, 1].astype(int) for count in (1, 5))
    assert spatial[many[:, 1], many[:, 0]].mean() > spatial[one[:, 1], one[:, 0]].mean() + 0.5
    with pytest.raises(ValueError, match="candidates=0"):
        sample_scanpaths(conditional, 1, 1, candidates=0)


def test_what_cannot_be_fitted_is_refused(drawn):
    samples, _, model = drawn
    with pytest.raises(ValueError, match=r"Unknown terms \['time'\]"):
        fit_saccades(model, samples, ("time",))
    first = [dataclasses.replace(s, fixations=s.fixations[s.fixations.time == 0]) for s in samples]
    with pytest.raises(ValueError, match="No scanpath has two"):
        fit_saccades(model, Samples(first))


def test_a_photograph_alone(rng):
    image = rng.integers(0, 256, (40, 60, 3)).astype("uint8")

    class Flat:
        name = "flat"

        def predictions(self, samples):
            for sample in samples:
                np.testing.assert_array_equal(sample.read(), image)
                yield np.full(sample.size, -np.log(2400)), True, False

    model = SaccadeModel(Flat(), Saccades())
    np.testing.assert_allclose(model.log_density(image, np.array([3]), np.array([4])), -np.log(2400))
    with pytest.raises(ValueError, match="uint8"):
        model.on(image / 255.0)
