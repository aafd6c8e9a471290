"""A picture of any shape gives the same log-density at every door, and every map covers its picture."""

import dataclasses

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import slowly

import keras_saliency as ks
from keras_saliency.data import DataSet, Fixations, Sample, Samples, showing
from keras_saliency.data.windows import places
from keras_saliency.evaluation.sources import ModelSource, SavedModelSource
from keras_saliency.training.build import build, counts_of
from keras_saliency.training.features import FeatureCache
from keras_saliency.training.recipe import Model

SHAPES = [(32, 32), (33, 90), (500, 120), (300, 8000)]


def picture(shape, seed=0):
    """Coloured clouds."""
    coarse = np.random.default_rng(seed).uniform(0, 255, (max(2, shape[0] // 20), max(2, shape[1] // 20), 3))
    return cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC).clip(0, 255).astype("uint8")


def png(image):
    return cv2.imencode(".png", image[..., ::-1])[1].tobytes()


@pytest.fixture(scope="module")
def model(tiny_backbone):
    keras.utils.set_random_seed(1)
    # In degrees where these are known, and by the area where not.
    model = ks.create_model(backbone=tiny_backbone, area=64 * 64, pixels_per_degree=4)
    assert model.view == ks.models.View(64 * 64, 16, 4)
    # Of its random weights nothing would be seen.
    score = next(layer for layer in model.get_layer("decoder").layers if layer.name == "score")
    score.kernel.assign(40 * score.kernel)
    model.run_eagerly = True  # to make a graph for each shape takes longer
    return model


@pytest.fixture(scope="module")
def saved(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shapes")
    model.save(folder / "model.keras")
    ks.export_saved_model(model, folder / "served" / "1")
    return folder


@pytest.fixture(scope="module")
def loaded(saved):
    run = ks.load(saved / "model.keras")
    run.model.run_eagerly = True
    return run


@pytest.fixture(scope="module")
def served(saved):
    return tf.saved_model.load(str(saved / "served" / "1"))


@pytest.mark.parametrize("shape", slowly(SHAPES, [(32, 32), (33, 90), (500, 120)]))
def test_every_door_gives_the_same_log_density(model, saved, loaded, served, shape, tmp_path):
    image = picture(shape)
    (tmp_path / "one.png").write_bytes(png(image))
    fixations = Fixations.from_rows([(1.5, 2.5, 0, 0.0)])
    samples = Samples([Sample("one.png", tmp_path / "one.png", shape, fixations, 2.0)])
    ks.predict(loaded, [tmp_path / "one.png"], tmp_path / "maps", log_density=True, verbose=False)
    own = ks.predict(model, image)
    doors = {
        "a file": ks.predict(model, tmp_path / "one.png"),
        "a saved model": ks.predict(loaded, tmp_path / "one.png"),
        "files": np.load(tmp_path / "maps" / "one_log_density.npy"),
        "evaluation": next(ModelSource(model, "net").predictions(samples)).values,
        "evaluation, served": next(SavedModelSource(saved / "served" / "1").predictions(samples)).values,
        "served": served.native(png(image)).numpy()[..., 0],
    }
    assert own.shape == shape
    assert own.max() - own.min() > 1
    np.testing.assert_allclose(np.exp(own.astype("float64")).sum(), 1, rtol=1e-4)
    for name, door in doors.items():
        np.testing.assert_allclose(door, own, atol=1e-5, err_msg=name)
    # What a network is trained on is what it is asked.
    for batch, _ in samples.pipeline(model.view, batch=1):
        shown = showing.show(image, model.view).numpy()
        assert min(np.abs(shown - batch[0].numpy()).max((1, 2, 3))) < 1e-3
    answer = served.signatures["serving_default"](image_bytes=tf.constant([png(image)] * 2))
    whole = showing.put_back(model.predict_on_batch(shown), shape, model.view, to=model.output_shape[1:3])
    for log_density in answer["log_density"]:
        np.testing.assert_allclose(log_density, whole, atol=1e-5)
    pixels = served.signatures["pixels"](pixels=image[None])
    np.testing.assert_allclose(pixels["log_density"], answer["log_density"][:1], atol=1e-5)
    (map_,) = served.signatures["png"](image_bytes=tf.constant([png(image)]))["saliency_png_bytes"].numpy()
    grey = cv2.imdecode(np.frombuffer(map_, "uint8"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_allclose(grey, 255 * np.exp(own - own.max()), atol=0.51)
    written = cv2.imread(str(tmp_path / "maps" / "one_saliency.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_allclose(grey, written.astype(int), atol=1)


def test_a_served_map_laid_over_a_wide_picture_is_its_png(served):
    for seed in range(60):
        data = tf.constant([png(picture((90, 160), seed))])
        (map_,) = served.signatures["serving_default"](image_bytes=data)["saliency"].numpy()
        (exact,) = served.signatures["png"](image_bytes=data)["saliency_png_bytes"].numpy()
        laid_over = 255 * cv2.resize(map_, (160, 90), interpolation=cv2.INTER_LINEAR)
        assert np.abs(laid_over - cv2.imdecode(np.frombuffer(exact, "uint8"), cv2.IMREAD_UNCHANGED)).max() <= 2


def test_a_degree_is_as_large_at_every_door(model, saved):
    image = picture((120, 160))
    sample = Sample("one", png(image), (120, 160), Fixations.from_rows([(1.5, 2.5, 0, 0.0)]), 2.0)
    own = ks.predict(model, image, pixels_per_degree=5)
    assert showing.show(image, model.view, 5).shape == (1, 96, 128, 3)
    assert np.abs(own - ks.predict(model, image)).max() > 1e-3
    samples = Samples([sample], 5.0)
    for source in (ModelSource(model, "net"), SavedModelSource(saved / "served" / "1")):
        np.testing.assert_allclose(next(source.predictions(samples)).values, own, atol=1e-5)
    ((batch, _),) = samples.pipeline(model.view)
    assert batch.shape == (1, 96, 128, 3)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (15, 300)])
def test_pictures_that_are_too_small_are_refused_by_name(model, served, shape, tmp_path):
    image = np.zeros((*shape, 3), "uint8")
    (tmp_path / "small.png").write_bytes(png(image))
    says = f"has {shape[0]}x{shape[1]} pixels, and the network needs 16 on each side"
    with pytest.raises(ValueError, match=says):
        ks.predict(model, image)
    (tmp_path / "large.png").write_bytes(png(picture((40, 40))))
    done = ks.predict(model, [tmp_path], tmp_path / "maps", verbose=False)
    assert [path.name for path in done.written] == ["large_saliency.png"]
    assert len(done.skipped) == 1 and "small.png" in done.skipped[0] and says in done.skipped[0]
    sample = Sample("small.png", tmp_path / "small.png", shape, Fixations.from_rows([(0.5, 0.5, 0, 0.0)]), 2.0)
    for door in (
        lambda: Samples([sample]).pipeline(model.view),
        lambda: FeatureCache(tmp_path / "cache", model.get_layer("backbone"), Samples([sample]), model.view),
        lambda: next(ModelSource(model, "net").predictions(Samples([sample]))),
    ):
        with pytest.raises(ValueError, match=f"small.png {says}"):
            door()
    with pytest.raises(tf.errors.InvalidArgumentError, match="too small on a side"):
        served.signatures["serving_default"](image_bytes=tf.constant([png(image)]))


@pytest.mark.parametrize(("scale", "stride"), [(1, 16), (1, 14), (1 / 8, 16), (0.3, 80)])
def test_maps_of_a_scale_are_those_of_the_targets(scale, stride):
    """Whatever the shape of the picture: else no loss could compare them."""
    images = keras.Input((None, None, 3))
    patches = keras.layers.Conv2D(2, 14, 14, name="patches")(images)  # as transformers have
    backbone = {"backbone": keras.Model(images, patches)} if stride == 14 else {}
    network = ks.create_model("icf", weights=None, scale=scale, **backbone)
    assert network.view.stride == stride
    for shape in ((512, 512), (300, 900)):
        seen = network.view.of(shape)
        samples = Samples([Sample("one", b"", shape, Fixations.from_rows([]), 2.0)])
        targets = places(samples, network.view, scale).canvases
        features = network.get_layer("backbone").compute_output_shape((1, *seen, 3))
        assert network.get_layer("decoder").compute_output_shape(features)[1:3] == tuple(targets[0])


def test_a_scale_without_whole_pixels_needs_a_frame():
    with pytest.raises(ValueError, match="scale=0.37 gives maps of whole pixels for few sizes of pictures. Give input"):
        ks.create_model("icf", weights=None, scale=0.37)


def test_features_are_cached_for_each_size(model, tmp_path):
    shapes = [(60, 80), (64, 64), (60, 80), (90, 400), (64, 64)]
    rows = [[(30.5, 30.5, 0, 0.0), (3.5, 3.5, 0, 0.0)]] * len(shapes)
    samples = Samples(
        Sample(str(i), png(picture(shape, i)), shape, Fixations.from_rows(row), 2.0)
        for i, (shape, row) in enumerate(zip(shapes, rows, strict=True))
    )
    backbone = model.get_layer("backbone")
    cache = FeatureCache(tmp_path, backbone, samples, model.view, flip=True, batch=2)
    made = samples.pipeline(model.view, 2, features=cache, flip=True, shuffle=True, seed=3)
    direct = samples.pipeline(model.view, 2, flip=True, shuffle=True, seed=3)
    seen = 0
    for (features, target), (image, expected) in zip(made, direct, strict=True):
        np.testing.assert_array_equal(target, expected)
        for one, other in zip(features, backbone(image, training=False), strict=True):
            np.testing.assert_allclose(one, other, atol=2e-2)
        seen += len(image)
    assert seen == len(samples.in_windows(model.view)) == 5
    # Found again, and not made again.
    FeatureCache(tmp_path, backbone, samples, model.view, flip=True, progress=lambda done: pytest.fail("made again"))


def test_weights_count_where_images_are_drawn():
    rows = [(x, y, 0, 0.0) for x in range(0, 60, 9) for y in range(0, 900, 30)]
    long = Sample("long", png(picture((900, 60))), (900, 60), Fixations.from_rows(rows), 2.0, weight=0.5)
    windows = Samples([long]).in_windows(ks.models.View(64 * 64, 16))
    assert counts_of(windows, ks.models.View(64 * 64, 16), shuffled=False).tolist() == [len(windows)]
    assert counts_of(windows, ks.models.View(64 * 64, 16)).tolist() == [windows.draws] != [len(windows)]


@pytest.mark.slow
def test_a_recipe_trains_on_pictures_of_many_shapes(tiny_backbone, tmp_path):
    """From the data set to the scores, in windows where they are long."""
    shapes = [(64, 64), (64, 64), (50, 300)]
    rng = np.random.default_rng(0)

    def sample(number, height, width):
        rows = [(x * width, y * height, k % 3, k) for k, (x, y) in enumerate(rng.random((9, 2)))]
        image = png(picture((height, width), number))
        return Sample(f"{number}.png", image, (height, width), Fixations.from_rows(rows), 3.0)

    def split(start):
        return Samples(sample(start + i, *shape) for i, shape in enumerate(shapes))

    data = DataSet("shapes", *map(split, (0, 10, 20)))
    network = Model(backbone=tiny_backbone)
    recipe = ks.Recipe("shapes", "shapes", model=network, loss={"nll": 1.0}, area=64 * 64, batch=2, epochs=1)
    run = ks.train(recipe, data=data, workdir=tmp_path / "run", verbose=False)
    assert run.model.view == ks.models.View(64 * 64, 16)
    assert np.isfinite(run.scores["log_likelihood"]["mean"])


@pytest.mark.usefixtures("eager")
def test_sizes_in_degrees_need_data_that_say_what_a_degree_is(tiny_backbone, tiny):
    recipe = ks.Recipe("x", "tiny", model=Model(backbone=tiny_backbone), loss={"nll": 1.0}, pixels_per_degree=8)
    known = {part: Samples(samples, 16.0) for part, samples in tiny.splits.items()}
    unknown = {part: Samples(samples) for part, samples in tiny.splits.items()}
    model = build(recipe, DataSet("tiny", **known)).model
    assert model.view.pixels_per_degree == 8
    with pytest.raises(ValueError, match="tiny does not say how many pixels of its images are one. Take an area"):
        build(recipe, DataSet("tiny", **unknown))


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_an_image_that_is_too_small_is_named_before_training(part, tiny_backbone, tiny):
    small = Sample("small.png", png(picture((15, 64))), (15, 64), Fixations.from_rows([(1.5, 2.5, 0, 0.0)]), 2.0)
    data = dataclasses.replace(tiny, **{part: Samples([*getattr(tiny, part), small])})
    recipe = ks.Recipe("x", "tiny", model=Model(backbone=tiny_backbone), loss={"nll": 1.0}, area=64 * 64)
    with pytest.raises(ValueError, match="small.png has 15x64 pixels, and the network needs 16"):
        build(recipe, data)
