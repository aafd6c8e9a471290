"""Networks of the next fixation: DeepGaze III's counts and laws, and a recipe that trains one."""

import dataclasses

import keras
import numpy as np
import pytest

import keras_saliency as ks
from keras_saliency.cli import _print_scores
from keras_saliency.cli.common import console
from keras_saliency.data import Fixations, Samples, synthetic
from keras_saliency.layers import SeenFrom
from keras_saliency.models import with_history
from keras_saliency.models.deepgaze import spatial_network
from keras_saliency.models.histories import FIXATIONS
from keras_saliency.scanpaths import NextFixationModel, SaccadeModel, sample_scanpaths, score_scanpaths
from keras_saliency.scanpaths.next_fixation import open_scanpath_model
from keras_saliency.training.histories import Histories, next_fixations
from keras_saliency.training.recipe import Model, Recipe

SIZE = (96, 128)
NOWHERE = np.full((1, FIXATIONS), np.nan, "float32")


pytestmark = pytest.mark.usefixtures("tiny_backbone")


@pytest.fixture(scope="module")
def model(tiny_backbone):
    keras.utils.set_random_seed(0)
    return ks.create_model(backbone=tiny_backbone, weights=None, area=SIZE[0] * SIZE[1])


@pytest.fixture(scope="module")
def made(model):
    """Networks that say something of histories, which new ones do not."""
    made = with_history(model, 2)
    history = made.given.get_layer("history")
    history.get_layer("change").set_weights([np.random.default_rng(1).normal(size=(1, 1, 16, 1))])
    return made


@pytest.fixture(scope="module")
def image():
    return np.random.default_rng(2).uniform(0, 255, (1, *SIZE, 3)).astype("float32")


def last(*places):
    """The last fixations, as networks take them."""
    x, y = NOWHERE.copy(), NOWHERE.copy()
    for i, place in enumerate(places):
        x[0, i], y[0, i] = place
    return x, y


def test_parameters_are_those_of_deepgaze_3(made):
    history = made.given.get_layer("history")
    names = {layer.name: layer.count_params() for layer in history.layers}
    scanpath = names["seen_from"] + names["scanpath_norm"] + names["scanpath"]
    assert scanpath == 4368
    assert history.count_params() - scanpath == 4674


def test_with_its_spatial_network_it_is_as_many_as_published():
    images = keras.Input((None, None, 3))
    features = keras.layers.Conv2D(2048, 1)(keras.layers.AveragePooling2D(32)(images))  # as many as DenseNet-201's
    model = ks.create_model("deepgaze3", backbone=keras.Model(images, features), area=64 * 96)
    made = with_history(model)
    score = model.get_layer("decoder").get_layer("score").output
    spatial = keras.Model(model.get_layer("decoder").inputs, score)
    assert spatial.count_params() == 20_697
    made.given.get_layer("backbone").trainable = False
    assert sum(np.prod(weight.shape) for weight in made.given.trainable_weights) == 29_741
    # Each step is normalised, so that features of any gain give the same, and softplus keeps it positive.
    given = np.random.default_rng(0).normal(size=(1, 2, 3, 2048)).astype("float32")
    one, other = (np.asarray(spatial([gain * given])) for gain in (1, 40))
    np.testing.assert_allclose(one, other, rtol=1e-4)
    assert one.min() > 0 and np.ptp(one) > 0


def test_the_score_is_as_large_as_features_that_are_repeated_first(rng):
    inputs = keras.Input((3, 4, 20))
    small, large = (keras.Model(inputs, spatial_network([inputs], enlarge=times)) for times in (1, 8))
    large.set_weights(small.get_weights())
    given = rng.normal(size=(2, 3, 4, 20)).astype("float32")
    first = keras.layers.UpSampling2D(8)(given)
    again = keras.Input((24, 32, 20))
    published = keras.Model(again, spatial_network([again]))
    published.set_weights(small.get_weights())
    np.testing.assert_allclose(large(given), published(first), rtol=1e-4)


def test_a_new_network_is_its_model_whatever_the_history(model, image):
    new = with_history(model)
    expected = np.asarray(model(image))
    np.testing.assert_allclose(new.density(image), expected, atol=1e-6)
    np.testing.assert_allclose(new.given([image, *last((0.2, 0.3))]), expected, atol=1e-6)


def test_without_history_it_is_its_density(made, image):
    np.testing.assert_allclose(made.given([image, NOWHERE, NOWHERE]), made.density(image), atol=1e-5)


def test_histories_count_by_place_and_order(made, image):
    one, again, turned, fewer, half = (
        np.asarray(made.given([image, *places]))
        for places in (
            last((0.2, 0.3), (0.7, 0.6)),
            last((0.2, 0.3), (0.7, 0.6)),
            last((0.7, 0.6), (0.2, 0.3)),
            last((0.2, 0.3)),
            (last((0.2, 0.3), (0.7, 0.6))[0], last((0.2, 0.3))[1]),
        )
    )
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - turned).max() > 0.01 and np.abs(one - fewer).max() > 0.01
    np.testing.assert_array_equal(half, fewer)  # A place that is known by half is none.
    assert np.exp(one).sum() == pytest.approx(1, abs=1e-4)


def test_seen_from_by_its_definition(rng):
    layer = SeenFrom(5, 2)
    map_, x, y = (
        np.zeros((1, 6, 8, 1), "float32"),
        np.array([[0.25, np.nan]], "float32"),
        np.array([[0.5, 0.1]], "float32"),
    )
    found = np.asarray(layer([map_, x, y]))
    kernel, bias = map(np.asarray, (layer.kernel, layer.bias))
    for row, column in np.ndindex(6, 8):
        right, down = (column + 0.5 - 2) * 4, (row + 0.5 - 3) * 4  # 32 units in 8 places
        expected = right * kernel[0, 0] + down * kernel[0, 1] + np.hypot(right, down) * kernel[0, 2] + bias[0]
        np.testing.assert_allclose(found[0, row, column], expected, rtol=1e-4, atol=1e-4)
    assert not np.asarray(layer([map_])).any() and layer([map_]).shape == (1, 6, 8, 5)
    finer = np.asarray(layer([np.zeros((1, 12, 16, 1), "float32"), x, y]))
    np.testing.assert_allclose(finer.reshape(6, 2, 8, 2, 5).mean((1, 3))[0, 7], found[0, 0, 7], rtol=0.05)
    assert SeenFrom.from_config(layer.get_config()).get_config() == layer.get_config()
    with pytest.raises(ValueError, match="one filter"):
        SeenFrom(0)


def test_what_is_seen_moves_with_the_fixations(rng):
    layer, map_ = SeenFrom(3, 1), np.zeros((2, 6, 8, 1), "float32")
    both = np.asarray(layer([map_, np.array([[0.3], [0.425]], "float32"), np.array([[0.5], [0.5]], "float32")]))
    np.testing.assert_allclose(both[1, :, 1:], both[0, :, :-1], atol=1e-4)


def test_what_takes_no_history_is_refused(model):
    framed = ks.create_model(backbone="tiny", weights=None, input_size=(64, 96))
    dense = ks.create_model(backbone="tiny", weights=None, area=6144, head="density")
    for other in (framed, dense, ks.models.load_shipped("fast")):
        with pytest.raises(ValueError, match="cannot take a history"):
            with_history(other)
    with pytest.raises(ValueError, match="takes no history"):
        NextFixationModel(model)
    with pytest.raises(FileNotFoundError, match="next_fixation.keras"):
        NextFixationModel("nowhere")


def test_next_fixations_of_a_sample():
    rows = [(16, 12, 0, 0.0), (32, 24, 0, 0.2), (48, 36, 0, 0.4), (80, 60, 1, 0.0)]
    image = synthetic.read(splits={"train": 1, "validation": 1, "test": 1}).train[0].image
    sample = ks.data.Sample("one", image, (120, 160), Fixations.from_rows(rows), 5.0)
    before, after = next_fixations(sample)
    np.testing.assert_allclose(after, [[0.2, 0.2], [0.3, 0.3]])
    np.testing.assert_allclose(before[1], [[0.2, 0.2], [0.1, 0.1], [np.nan] * 2, [np.nan] * 2])
    np.testing.assert_allclose(before[0], [[0.1, 0.1], *[[np.nan] * 2] * 3])


RECIPE = Recipe(
    name="short",
    data="synthetic",
    model=Model("multilevel", "tiny"),
    loss={"nll": 1.0},
    area=SIZE[0] * SIZE[1],
    batch=4,
    epochs=3,
    histories=6,
    weight_decay=0.0,
    learning_rate=0.01,
)


@pytest.fixture(scope="module")
def near():
    """Scanpaths that stay near where they are, whatever is to be seen."""
    data, rng = synthetic.read(splits={"train": 24, "validation": 4, "test": 4}), np.random.default_rng(0)

    def changed(samples):
        found = []
        for sample in samples:
            steps = rng.normal(0, 6, (8, 6, 2)).cumsum(1) + rng.uniform(30, 90, (8, 1, 2))
            observer, time = np.indices(steps.shape[:2])
            rows = np.concatenate([steps.reshape(-1, 2), observer.reshape(-1, 1), time.reshape(-1, 1)], 1)
            found.append(dataclasses.replace(sample, fixations=Fixations.from_rows(rows)))
        return Samples(found)

    return dataclasses.replace(data, **{part: changed(getattr(data, part)) for part in ("train", "validation", "test")})


def test_a_recipe_learns_where_eyes_go_next(near, tmp_path, capsys):
    run = ks.train(RECIPE, near, tmp_path / "run", verbose=False)
    assert run.scores["ig_spatial"]["low"] > 0.3
    assert run.paths["next_fixation"].is_file() and run.paths["saved_model"].is_dir()
    assert "| IG over no history, bit |" in (tmp_path / "run" / "report.md").read_text()
    with capsys.disabled(), console.capture() as printed:  # as the command does
        _print_scores(run.result, {"short": run.scores, **run.result["baselines"]})
    assert "averaged per fixation" in printed.get() and "other observers" in printed.get()
    again = ks.train(RECIPE, near, tmp_path / "run", verbose=False)
    assert again.scores == run.scores
    model = NextFixationModel(tmp_path / "run")
    scores = score_scanpaths([model], near).summary["run"]
    assert scores["all"]["ig_spatial"]["mean"] == pytest.approx(run.scores["ig_spatial"]["mean"])
    conditional = next(model.conditionals(near.test))
    density = np.exp(conditional(np.array([40.0]), np.array([60.0])))
    rows, columns = np.indices(density.shape)
    away = np.hypot(rows + 0.5 - 60, columns + 0.5 - 40)
    assert density.sum() == pytest.approx(1, abs=1e-4)
    assert (density * away).sum() < 0.7 * away.mean()
    # What all doors take is the density without history.
    alone = ks.predict(run.model, near.test[0].read())
    np.testing.assert_allclose(conditional(np.empty(0), np.empty(0)), alone, atol=1e-4)
    assert isinstance(open_scanpath_model(run), NextFixationModel)
    assert isinstance(open_scanpath_model(run.model), SaccadeModel)
    assert sample_scanpaths(model.on(near.test[0].read()), 2, 3).shape == (2, 3, 2)


def test_batches_of_histories(near, tmp_path):
    from keras_saliency.training.build import build
    from keras_saliency.training.features import FeatureCache

    built = build(RECIPE, near)
    cache = FeatureCache(tmp_path / "features", built.computed, near.train, built.model.view, flip=True)
    one, same, other = (Histories(near.train, cache, RECIPE, built.model.view, epoch) for epoch in (0, 0, 1))
    assert len(one) == 6 and sorted(np.concatenate(one.batches)) == [*range(24)]
    (*_, x, y), places = one[2]
    for mine, again in zip(one[2][0], same[2][0], strict=True):
        np.testing.assert_array_equal(mine, again)
    assert x.shape == y.shape == (4, 6, FIXATIONS) and places.shape == (4, 6)
    assert any((a != b).any() for a, b in zip(one.batches, other.batches, strict=True))
    still = Histories(near.train, cache, RECIPE, built.model.view)
    (*_, x, y), places = still[0]
    height, width = still.canvases[0] // 4
    for number in range(4):
        before, after = still.pairs[number]
        rows = (after[:, 1] * height).astype(int) * width + (after[:, 0] * width).astype(int)
        assert {*places[number]} <= {*rows}
        assert np.isnan(x[number, 0]).all() and np.isnan(y[number, 0]).all()
        assert np.abs(before[:, 0, 0][:, None] - x[number, 1:, 0]).min(0).max() < 1e-6
    # In the mirror image x is the other way around.
    seen = {float(v) for i in range(len(one)) for v in np.asarray(one[i][0][-2])[:, 1:, 0].ravel()}
    known = {float(np.float32(v)) for pair, _ in one.pairs for v in pair[:, 0, 0]}
    mirrored = {float(np.float32(1 - v)) for pair, _ in one.pairs for v in pair[:, 0, 0]}
    assert seen <= known | mirrored and seen & known and seen & (mirrored - known)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loss": {"nll": 1.0, "cc": 1.0}}, "learned by likelihood"),
        ({"size": (64, 96)}, "histories need"),
        ({"freeze_backbone": False}, "histories need"),
        ({"histories": 0}, "histories must be"),
    ],
)
def test_recipes_that_cannot_be_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(RECIPE, **changes)


def test_data_without_order_is_refused(near, tmp_path):
    flat = [
        dataclasses.replace(s, fixations=dataclasses.replace(s.fixations, time=0 * s.fixations.time))
        for s in near.train
    ]
    with pytest.raises(ValueError, match="have no order"):
        ks.train(RECIPE, dataclasses.replace(near, train=Samples(flat)), tmp_path / "run", verbose=False)
