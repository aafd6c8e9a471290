import dataclasses
import io
import shutil
import unicodedata

import cv2
import numpy as np
import pytest
import scipy.io
import tensorflow as tf
from conftest import data_folder, real_data

import keras_saliency as ks
from keras_saliency.data import (
    DATA_SETS,
    OWN,
    DataSet,
    Fixations,
    Sample,
    Samples,
    data_set,
    geometry,
    image_files,
    splits,
    synthetic,
    targets,
)
from keras_saliency.data.published import PUBLISHED, osie
from keras_saliency.data.windows import places
from keras_saliency.evaluation.sources import ModelSource

FACTS = {"osie": ((500, 100, 100), 98_321, 15), "scene": ((300, 100, 100), 43_894, 12)}


@pytest.mark.parametrize("name", FACTS)
def test_real_data_is_read_whole(name):
    data = real_data(name)
    sizes, total, observers = FACTS[name]
    parts = (data.train, data.validation, data.test)
    assert tuple(map(len, parts)) == sizes
    assert sum(len(sample.fixations) for part in parts for sample in part) == total
    assert max(sample.fixations.observer.max() for part in parts for sample in part) == observers - 1
    assert data.skipped == ()
    sample = data.test[0]
    assert sample.read().shape == (*sample.size, 3)
    assert sample.fixations.counts(sample.size).sum() == len(sample.fixations)
    for observer in range(observers):
        assert np.all(np.diff(sample.fixations[sample.fixations.observer == observer].time) > 0)


def test_the_splits_are_the_fixed_ones():
    data = real_data("osie")
    assert {int(s.name[:4]) % 7 for s in data.test} == {0}
    assert {int(s.name[:4]) % 7 for s in data.validation} == {1}


def test_first_fixation_of_osie():
    data = real_data("osie")
    (first,) = (sample for sample in data.train if sample.name == "1003.jpg")
    raw = scipy.io.loadmat(data_folder("osie") / "eye" / "fixations.mat", simplify_cells=True)["fixations"][2]
    assert raw["img"] == "1003.jpg"
    np.testing.assert_allclose(first.fixations.x[0], raw["subjects"][0]["fix_x"][0])
    np.testing.assert_allclose(first.fixations.time[1], raw["subjects"][0]["fix_duration"][0] / 1000)


def test_synthetic_is_deterministic_and_knows_its_density(tiny):
    again = synthetic.read(splits={"train": 8, "validation": 4, "test": 4})
    for one, other in zip(tiny.train, again.train, strict=True):
        assert one.image == other.image
        np.testing.assert_array_equal(one.fixations.x, other.fixations.x)
        np.testing.assert_allclose(one.density.sum(), 1)
    other = synthetic.read(seed=1, splits={"train": 8, "validation": 4, "test": 4})
    assert other.train[0].image != tiny.train[0].image


def test_synthetic_observers_draw_from_the_density():
    density = synthetic.fixation_density([(40, 50, 6.0, 1.0), (90, 120, 6.0, 0.5)])
    rng = np.random.default_rng(0)
    counts = sum(synthetic._draw(density, rng).counts(synthetic.SIZE) for _ in range(500))
    # Total variation between the density and 48,000 draws, in cells of 10x10 pixels.
    cells = [part.reshape(12, 10, 16, 10).sum((1, 3)) for part in (density, counts / counts.sum())]
    assert 0.5 * np.abs(cells[0] - cells[1]).sum() < 0.02


def encode(image):
    return cv2.imencode(".png", image[..., ::-1])[1].tobytes()


def make_sample(image, rows, sigma=3.0, name="one"):
    return Sample(name, encode(image), image.shape[:2], Fixations.from_rows(rows), sigma)


@pytest.fixture
def dotted(rng):
    """An image of 40x60 that is black but for white pixels under its fixations."""
    image = np.zeros((40, 60, 3), "uint8")
    rows = [(x + 0.5, y + 0.5, 0, 0.0) for x, y in zip(rng.integers(0, 60, 9), rng.integers(0, 40, 9), strict=True)]
    for x, y, *_ in rows:
        image[int(y), int(x)] = 255
    return make_sample(image, rows)


@pytest.mark.parametrize("size", [(40, 60), (64, 64), (40, 100)])
def test_fixations_follow_the_pixels(dotted, size):
    """After padding and flip the white pixels are still under the fixations."""
    for flip in (False, True):
        pipe = Samples([dotted] * 16).pipeline(size, 16, flip=flip, seed=3)
        images, targets = next(iter(pipe))
        flipped = []
        for image, target in zip(images.numpy(), targets.numpy(), strict=True):
            counts, valid = target[..., 1], target[..., 2]
            assert counts.sum() == len(dotted.fixations)
            assert np.all(counts[valid == 0] == 0)
            assert np.all(np.abs(image[valid == 0] - geometry.PADDING) < 1e-3)
            if size != (64, 64):
                assert set(np.unique(image[counts > 0])) == {255.0}
                assert np.all((image[..., 0] > 200) == (counts > 0))
            flipped.append(image[..., 0].tobytes())
        assert len(set(flipped)) == (2 if flip else 1)


def test_the_target_is_blurred_counts_with_peak_one(dotted):
    _, targets = next(iter(Samples([dotted]).pipeline((40, 60), 1)))
    from scipy.ndimage import gaussian_filter

    expected = gaussian_filter(dotted.fixations.counts((40, 60)), 3.0, mode="reflect", truncate=8)
    np.testing.assert_allclose(targets[0, ..., 0], expected / expected.max(), rtol=1e-4, atol=1e-7)
    np.testing.assert_array_equal(targets[0, ..., 1], dotted.fixations.counts((40, 60)))
    _, wider = next(iter(Samples([dotted]).pipeline((80, 120), 1, sigma=6.0)))
    expected = gaussian_filter(wider[0, ..., 1].numpy(), 12.0, mode="reflect", truncate=8)
    np.testing.assert_allclose(wider[0, ..., 0], expected / expected.max(), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("size", [(80, 120), (50, 100), (27, 91)])
@pytest.mark.parametrize("flip", [False, True])
def test_fixations_follow_the_pixels_through_a_resize(size, flip):
    image = np.zeros((40, 60, 3), "uint8")
    image[8:12, 40:46] = 255
    rows = [(x + 0.5, y + 0.5, 0, 0.0) for x in range(40, 46) for y in range(8, 12)]
    pipe = Samples([make_sample(image, rows)] * 8).pipeline(size, 8, flip=flip)
    for picture, target in zip(*(part.numpy() for part in next(iter(pipe))), strict=True):
        bright = np.where(target[..., 2] > 0, picture[..., 0], 0)
        for axis in (0, 1):
            middle = [np.average(np.arange(size[1 - axis]), weights=m.sum(axis)) for m in (bright, target[..., 1])]
            assert abs(middle[0] - middle[1]) < 0.6


def test_the_blur_may_be_given_in_degrees_where_they_are_known(dotted):
    known, unknown = Samples([dotted], pixels_per_degree=2.0), Samples([dotted])
    (_, in_degrees), (_, in_pixels) = (
        next(iter(known.pipeline((40, 60), 1, **blur))) for blur in ({"degrees": 1.5}, {"sigma": 3.0})
    )
    np.testing.assert_array_equal(in_degrees, in_pixels)
    with pytest.raises(ValueError, match="degrees needs a data set whose pixels_per_degree is known"):
        unknown.pipeline((40, 60), 1, degrees=1.5)


def test_an_image_without_fixations_has_no_target_and_may_be_predicted(dotted, tiny, model):
    density = np.full((40, 60), 1 / 2400)
    empty = dataclasses.replace(dotted, name="empty", fixations=dotted.fixations[:0], density=density)
    with pytest.raises(ValueError, match="empty has no fixations: its target would be empty, whatever its density"):
        Samples([dotted, empty]).pipeline((40, 60))
    data = DataSet("hands", tiny.train, tiny.validation, Samples([dotted, empty]))
    assert data.skipped == ("empty: the image has no fixations",)
    first, second = ModelSource(model, "net").predictions(Samples([dotted, empty]))
    np.testing.assert_array_equal(first.values, second.values)


def test_targets_are_finite_without_blur(dotted):
    _, sharp = next(iter(Samples([dotted]).pipeline((40, 60), 1, sigma=0.0)))
    np.testing.assert_allclose(sharp[..., 0], sharp[..., 1] / np.max(sharp[..., 1]), atol=1e-6)


@pytest.mark.parametrize("sigma", [0.0, 2.7, 30.0, 1e4])
def test_blur_in_the_pipeline_is_that_of_maps(sigma, rng):
    x, y = (rng.uniform(0, side, 25).astype("float32") for side in (44, 30))
    counts = Fixations.from_rows(np.stack([x, y, np.zeros(25), np.zeros(25)], 1)).counts((30, 44))
    down, across = (geometry.kernels(geometry.pixels(at, side), side, sigma) for at, side in ((y, 30), (x, 44)))
    density = np.einsum("fy,fx->yx", down, across)[..., None]
    np.testing.assert_allclose(density, ks.maps.blur(counts[None, ..., None], sigma)[0], rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(np.sum(density), 25, rtol=1e-5)


def target_from_its_definition(sample, size, flipped):
    """The target of one image, every step written out."""
    (top, left, *inner), width = geometry.box(sample.size, size).numpy().tolist(), sample.size[1]
    scale = np.float32(inner) / np.float32(sample.size)
    x = np.float32(sample.fixations.x)
    points = np.float32(sample.fixations.y) * scale[0], (np.float32(width) - x if flipped else x) * scale[1]
    rows, columns = (np.clip(np.floor(at), 0, side - 1).astype(int) for at, side in zip(points, inner, strict=True))
    blur = np.float32(sample.sigma) * np.sqrt(scale[0] * scale[1])
    kernels = [
        geometry.kernels(tf.constant(at, tf.int32), side, blur) for at, side in zip((rows, columns), inner, strict=True)
    ]
    density = tf.matmul(*kernels, transpose_a=True).numpy()
    target = np.zeros((*size, 3), "float32")
    inside = target[top : top + inner[0]]
    left = size[1] - left - inner[1] if flipped else left
    inside = inside[:, left : left + inner[1]]
    inside[..., 0], inside[..., 2] = density / density.max(), 1
    np.add.at(inside[..., 1], (rows, columns), 1)
    return target


@pytest.mark.parametrize("sizes", [[(40, 60)] * 4, [(60, 40)] * 4, [(40, 60), (33, 20), (40, 60), (90, 91)]])
def test_targets_are_those_of_their_definition_bit_for_bit(sizes, rng):
    """Whether images are alike, so that much is computed beforehand, or not."""
    samples = []
    for i, (height, width) in enumerate(sizes):
        rows = np.stack([rng.uniform(0, width, 30), rng.uniform(0, height, 30), np.zeros(30), np.zeros(30)], 1)
        samples.append(make_sample(np.zeros((height, width, 3), "uint8"), rows, name=str(i)))
    make = targets.target_maker(samples, places(samples, (30, 45)))
    for i, sample in enumerate(samples):
        for flipped in (False, True):
            made = make(tf.constant(i), tf.constant(flipped))
            np.testing.assert_array_equal(made, target_from_its_definition(sample, (30, 45), flipped))


def test_a_pipeline_reads_the_orientation_of_a_file_once(dotted, monkeypatch):
    read = []
    monkeypatch.setattr(image_files, "way_up", lambda file, name: read.append(name) or 1)
    samples = Samples([dotted])
    for _ in range(2):
        samples.pipeline((40, 60), 1)
    assert read == ["one"]


def test_images_are_read_by_one_graph_that_also_tells_their_orientation(dotted, monkeypatch):
    made = tf.function(image_files.decode_in_graph.python_function, image_files.decode_in_graph.input_signature)
    monkeypatch.setattr(image_files, "decode_in_graph", made)
    monkeypatch.setattr(image_files, "way_up", None)  # which would read the file again
    samples = [dataclasses.replace(dotted, name=str(i), size=None) for i in range(16)]
    data = data_set.split("dots", samples, lambda i: ("train", "validation", "test")[i % 3])
    assert [sample.orientation for sample in data.train] == [1] * 6
    assert made.experimental_get_tracing_count() == 1


def test_the_graph_of_a_pipeline_is_small(dotted):
    """It is made and optimised anew for each epoch, and for each of many tests."""

    def operations(graph):
        return len(graph.node) + sum(len(function.node_def) for function in graph.library.function)

    pipe = Samples([dotted] * 3).pipeline((40, 60), 1, flip=True, shuffle=True)
    graph = tf.compat.v1.GraphDef.FromString(pipe._as_serialized_graph().numpy())
    assert operations(graph) < 250


@pytest.mark.parametrize("image_size", [(30, 40), (30, 20)])
def test_a_letterbox_leaves_an_image_of_its_size_and_surrounds_another_by_grey(image_size, rng):
    image = rng.uniform(0, 255, (*image_size, 3)).astype("float32")
    seen = geometry.letterbox(image, (30, 40)).numpy()
    margin = (40 - image_size[1]) // 2
    np.testing.assert_array_equal(seen[:, margin : 40 - margin], image)
    assert (seen[:, :margin] == 126).all() and (seen[:, 40 - margin :] == 126).all()


@pytest.mark.parametrize("image_size", [(40, 60), (60, 40), (33, 97), (480, 640)])
@pytest.mark.parametrize("size", [(64, 96), (75, 100)])
def test_unletterbox_undoes_letterbox(image_size, size):
    y, x = np.mgrid[: image_size[0], : image_size[1]].astype("float32")
    smooth = np.sin(y / image_size[0] * 3) + np.cos(x / image_size[1] * 2)
    letterboxed = geometry.letterbox(np.repeat(smooth[..., None], 3, 2) * 50, size)[..., :1] / 50
    back = geometry.unletterbox(letterboxed, image_size).numpy()[..., 0]
    np.testing.assert_allclose(np.exp(back).sum(), 1, rtol=1e-4)
    assert np.corrcoef(back.ravel(), smooth.ravel())[0, 1] > 0.995


def test_epochs_are_reproducible_and_differ(tiny):
    def epoch(**options):
        pipe = tiny.train.pipeline((30, 40), 3, flip=True, shuffle=True, **options)
        return np.concatenate([images.numpy() for images, _ in pipe])

    np.testing.assert_array_equal(epoch(seed=1, epoch=2), epoch(seed=1, epoch=2))
    assert not np.array_equal(epoch(seed=1, epoch=2), epoch(seed=1, epoch=3))
    assert not np.array_equal(epoch(seed=1, epoch=2), epoch(seed=2, epoch=2))
    pipe = tiny.train.pipeline((30, 40), 8, shuffle=True)
    first, second = (next(iter(pipe))[0].numpy() for _ in range(2))
    assert not np.array_equal(first, second)
    np.testing.assert_allclose(np.sort(first.mean((1, 2, 3))), np.sort(second.mean((1, 2, 3))), rtol=1e-6)


def test_what_is_unusable_is_skipped_and_listed(rng):
    image = rng.integers(0, 255, (20, 30, 3), "uint8")
    good = [(1.0, 2.0, 0, 0.0), (29.9, 19.9, 0, 0.1)]
    jpeg = cv2.imencode(".jpg", image)[1].tobytes()
    samples = [
        make_sample(image, good, name="good"),
        make_sample(image, [*good, (30.0, 5.0, 0, 0.2), (-0.1, 5.0, 0, 0.3), (np.nan, 1.0, 0, 0.4)], name="outside"),
        make_sample(image, [(99.0, 5.0, 0, 0.2)], name="nothing-inside"),
        make_sample(image, [], name="empty"),
        dataclasses.replace(make_sample(image, good, name="truncated"), image=jpeg[: len(jpeg) // 2]),
        dataclasses.replace(make_sample(image, good, name="resized"), size=(40, 60)),
        *(make_sample(image, good, name=part) for part in ("validation", "test")),
    ]
    parts = ["train"] * 6 + ["validation", "test"]
    data = data_set.split("mixed", samples, lambda i: parts[i])
    assert [sample.name for sample in data.train] == ["good", "outside"]
    assert len(data.train[1].fixations) == 2
    text = "\n".join(data.skipped)
    for line in (
        "outside: 3 of 5 fixations are outside the image",
        "nothing-inside: the image has no fixations",
        "empty: the image has no fixations",
        "truncated: the image cannot be decoded",
        r"resized: the image is (20, 30), and its fixations were recorded on (40, 60)",
    ):
        assert line in text
    with pytest.raises(ValueError, match="no usable sample is left for the test split"):
        data_set.split("mixed", samples[:-1], lambda i: parts[i])


def test_a_disk_that_fails_skips_nothing(rng, tmp_path, monkeypatch):
    (tmp_path / "a.png").write_bytes(cv2.imencode(".png", rng.integers(0, 255, (20, 30, 3), "uint8"))[1].tobytes())
    sample = dataclasses.replace(make_sample(np.zeros((20, 30, 3), "uint8"), [(1, 2, 0, 0)]), image=tmp_path / "a.png")
    monkeypatch.setattr(type(tmp_path), "read_bytes", lambda path: (_ for _ in ()).throw(OSError(5, "Input/output")))
    with pytest.raises(OSError, match="Input/output"):
        data_set.split("mixed", [sample] * 3, lambda i: ("train", "validation", "test")[i])


OUTSIDE = [(60.0, 5.0), (-3.0, 5.0), (-0.5, 5.0), (5.0, 40.0), (5.0, -1.0), (np.nan, 5.0), (5.0, np.inf)]


@pytest.mark.parametrize("point", OUTSIDE)
def test_a_fixation_outside_is_left_out_by_whoever_makes_the_sample(point):
    image = np.zeros((40, 60, 3), "uint8")
    sample = make_sample(image, [(7.5, 3.5, 0, 0.0), (*point, 0, 0.1)])
    expected = np.zeros((40, 60))
    expected[3, 7] = 1
    np.testing.assert_array_equal(sample.fixations.counts((40, 60)), expected)
    _, targets = next(iter(Samples([sample]).pipeline((40, 60), 1)))
    np.testing.assert_array_equal(targets[0, ..., 1], expected)
    assert sample.fixations.left_out == dataclasses.replace(sample, name="two").fixations.left_out == 1
    both = Fixations.from_rows([(7.5, 3.5, 0, 0.0), (*point, 0, 0.1)])
    with pytest.raises(ValueError, match=r"1 of 2 fixations are outside \(40, 60\). Take `within\(size\)`"):
        both.counts((40, 60))
    np.testing.assert_array_equal(both.within((40, 60)).counts((40, 60)), expected)


def test_what_hands_bring_is_listed_as_what_readers_bring(tiny):
    rows = [(1.0, 2.0, 0, 0.0), (160.0, 2.0, 0, 0.1), (np.nan, 2.0, 1, 0.2)]
    image = tiny.test[0].image
    mine = Sample("mine", image, synthetic.SIZE, Fixations.from_rows(rows), 5.0)
    empty = dataclasses.replace(mine, name="empty", fixations=mine.fixations[:0])
    data = DataSet("hands", tiny.train, tiny.validation, Samples([mine, empty]))
    assert [sample.name for sample in data.test] == ["mine"]
    assert data.skipped == ("mine: 2 of 3 fixations are outside the image", "empty: the image has no fixations")
    # A part of it does not list them twice.
    assert dataclasses.replace(data, train=data.train[:2]).skipped == data.skipped
    with pytest.raises(ValueError, match="hands: no usable sample is left for the test split. .*has no fixations"):
        DataSet("hands", tiny.train, tiny.validation, Samples([empty]))
    with pytest.raises(ValueError, match="2 images of the test split are called mine. Give each a name of its own"):
        DataSet("hands", tiny.train, tiny.validation, Samples([mine, mine]))


def test_images_by_hand_may_be_paths_texts_and_bytes(tiny, tmp_path):
    samples = [tiny.test[0]]
    for name, kind in (("a.png", str), ("b.png", lambda path: path)):
        (tmp_path / name).write_bytes(tiny.test[0].image)
        samples.append(dataclasses.replace(tiny.test[0], name=name, image=kind(tmp_path / name)))
    for chosen in (samples, samples[1:], samples[::-1]):
        ((images, _),) = Samples(chosen).pipeline(synthetic.SIZE, 3)
        for sample, image in zip(chosen, images, strict=True):
            np.testing.assert_allclose(image, sample.read(), atol=1e-3)


def test_samples_by_hand_that_do_not_fit_are_named(tiny):
    fixations = Fixations.from_rows([(1.0, 2.0, 0, 0.0)])
    with pytest.raises(ValueError, match="columns of fixations must be of one length"):
        Fixations(np.ones(3), np.ones(2), np.zeros(3), np.zeros(3))
    with pytest.raises(ValueError, match=r"no size. Give \(height, width\)"):
        Samples([Sample("mine", tiny.test[0].image, None, fixations, 5.0)])
    wrong = Sample("mine", tiny.test[0].image, (60, 80), fixations, 5.0)
    with pytest.raises(
        ValueError, match=r"mine: the image is \(120, 160\), and its fixations were recorded on \(60, 80"
    ):
        wrong.read()


def broken_osie(tmp_path, contents):
    (tmp_path / "eye").mkdir()
    (tmp_path / "stimuli").mkdir()
    buffer = io.BytesIO()
    scipy.io.savemat(buffer, contents)
    (tmp_path / "eye" / "fixations.mat").write_bytes(buffer.getvalue())
    return tmp_path


@pytest.mark.parametrize(
    ("contents", "error", "message"),
    [
        ({"other": 1}, ValueError, "holds other"),
        ({"fixations": np.zeros((3, 4))}, ValueError, "has not the expected form"),
        ({"fixations": [{"img": "1001.jpg", "subjects": [{"fix_x": [1, 2]}]}]}, ValueError, "fix_x, .fix_y"),
        (
            {
                "fixations": [
                    {"img": "1001.jpg", "subjects": [{"fix_x": [1.0, 2], "fix_y": [1.0], "fix_duration": [1]}]}
                ]
            },
            ValueError,
            "of equal lengths",
        ),
        (
            {"fixations": [{"img": "1001.jpg", "subjects": [{"fix_x": [1.0], "fix_y": [1.0], "fix_duration": [1]}]}]},
            FileNotFoundError,
            "1 of 1 images are missing, the first is .*1001.jpg",
        ),
    ],
)
def test_a_mat_file_of_the_wrong_form_is_named(tmp_path, contents, error, message):
    with pytest.raises(error, match=message):
        ks.data.load("osie", broken_osie(tmp_path, contents))


def test_images_are_found_however_a_system_writes_their_names(rng, tmp_path):
    picture, rows = rng.integers(0, 255, (8, 9, 3), "uint8"), [(1.0, 2.0, 0, 0.0)]
    samples = []
    for name in ("Möwe.jpg", "Öl.jpg", "1001.jpg"):
        (tmp_path / unicodedata.normalize("NFD", name).replace("jpg", "JPG")).write_bytes(encode(picture))
        composed = tmp_path / unicodedata.normalize("NFC", name)
        samples.append(dataclasses.replace(make_sample(picture, rows, name=name), image=composed))
    data = data_set.split("mine", samples, lambda i: splits.PARTS[i])
    assert [getattr(data, part)[0].name for part in splits.PARTS] == [sample.name for sample in samples]
    assert data.test[0].read().shape == (8, 9, 3)
    assert data.test[0].image == tmp_path / "1001.JPG"
    subjects = [{"fix_x": [1.0], "fix_y": [1.0], "fix_duration": [1]}]
    folder = broken_osie(tmp_path, {"fixations": [{"img": "1001.JPG", "subjects": subjects}]})
    (folder / "eye" / "fixations.mat").rename(folder / "eye" / "fixations.MAT")
    with pytest.raises(FileNotFoundError, match=r"1 of 1 images are missing, the first is .*1001.JPG"):
        ks.data.load("osie", folder)


def test_missing_and_broken_files_are_named(tmp_path):
    with pytest.raises(ValueError, match="Unknown data set 'salicno'. Known data sets: .*osie, osie-mouse, "):
        ks.data.load("salicno")
    with pytest.raises(FileNotFoundError, match="does not exist"):
        ks.data.load("osie", tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"fixations.mat is missing"):
        ks.data.load("scene", tmp_path)
    (tmp_path / "tidy").mkdir()
    (tmp_path / "tidy" / "fixations.mat").write_bytes(b"not a mat file")
    with pytest.raises(ValueError, match=r"fixations.mat cannot be read as a MATLAB file"):
        ks.data.load("scene", tmp_path)


def test_scene_with_sizes_that_do_not_fit_is_named(tmp_path):
    folder = data_folder("scene")
    (tmp_path / "tidy").mkdir()
    shutil.copy(folder / "tidy" / "fixations.mat", tmp_path / "tidy")
    scipy.io.savemat(tmp_path / "tidy" / "imgInfo.mat", {"imgInfo": {"size": np.ones((3, 2))}})
    with pytest.raises(ValueError, match="a 3x12 cell array"):
        ks.data.load("scene", tmp_path)


def test_scene_with_a_transposed_cell_is_named(tmp_path):
    (tmp_path / "tidy").mkdir()
    cells = np.empty((2, 2), object)
    cells[:] = [[np.ones((3, 4)), np.ones((4, 3))]] * 2
    scipy.io.savemat(tmp_path / "tidy" / "fixations.mat", {"fixations": cells})
    scipy.io.savemat(tmp_path / "tidy" / "imgInfo.mat", {"imgInfo": {"size": np.full((2, 2), 9)}})
    with pytest.raises(ValueError, match="has not the expected form"):
        ks.data.load("scene", tmp_path)


def test_a_data_set_needs_its_folder(monkeypatch):
    monkeypatch.delenv("KERAS_SALIENCY_DATA", raising=False)
    with pytest.raises(ValueError, match="--data osie=DIR to the command"):
        ks.data.load("osie")
    assert set(DATA_SETS) == {*PUBLISHED, "synthetic", "synthetic-video", *OWN}


def test_an_empty_pipeline_is_refused():
    with pytest.raises(ValueError, match="at least one sample"):
        Samples([]).pipeline((30, 40))


def test_mouse_paths_are_thinned_and_lie_in_their_images():
    mouse, eye = ks.data.load("osie-mouse", data_folder("osie")), real_data("osie")
    assert [len(getattr(mouse, part)) for part in ("train", "validation", "test")] == [500, 100, 100]
    assert [sample.name for sample in mouse.test] == [sample.name for sample in eye.test]
    counts = [len(sample.fixations) for sample in mouse.train]
    assert 1000 < np.mean(counts) < 1500
    first = next(sample for sample in mouse.train if sample.name == "1003.jpg").fixations
    assert (first.x % 1 == 0.5).all()
    assert first.x.max() < 800
    assert first.y.max() < 600
    assert len(np.unique(first.observer)) == first.observer.max() + 1 > 80


def test_a_broken_mouse_file_is_named(tmp_path):
    scipy.io.savemat(tmp_path / "1001.mat", {"fixations": {"coord": np.ones((20, 2)), "subj": 1, "order": 1}})
    with pytest.raises(ValueError, match=r"1001.mat has not the expected form: fixations.coord"):
        osie._mouse(tmp_path / "1001.mat")


def test_targets_may_have_another_size(tiny):
    images, targets = next(iter(tiny.train.pipeline((60, 80), 2, target_size=(30, 40))))
    same, _ = next(iter(tiny.train.pipeline((60, 80), 2)))
    np.testing.assert_array_equal(images, same)
    assert targets.shape == (2, 30, 40, 3)
    expected = [len(sample.fixations) for sample in tiny.train[:2]]
    np.testing.assert_array_equal(np.sum(targets[..., 1], (1, 2)), expected)
