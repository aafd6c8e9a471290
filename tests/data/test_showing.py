"""How pictures of any shape are shown to a network, and how its maps come back to them."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from keras_saliency.data import DataSet, Fixations, Sample, Samples, mixtures, showing
from keras_saliency.data.pipeline import images, pipeline
from keras_saliency.data.windows import places
from keras_saliency.formulas.view import LONGEST, View

VIEW = View(area=64 * 64, stride=16)
SHAPES = [(60, 80), (64, 64), (33, 20), (90, 50), (60, 81), (64, 64), (300, 40), (40, 250), (64, 64)]


def png(image):
    return tf.io.encode_png(image).numpy()


def dotted(shape, y, x, **fields):
    """A black picture with a white block of 9x9 pixels and a fixation in its middle."""
    image = np.zeros((*shape, 3), "uint8")
    image[max(0, y - 4) : y + 5, max(0, x - 4) : x + 5] = 255
    rows = [(x + 0.5, y + 0.5, 0, 0.0)]
    return Sample(f"{shape}{y, x}", png(image), shape, Fixations.from_rows(rows), 3.0, **fields)


@pytest.fixture(scope="module")
def samples():
    return Samples([dotted(shape, shape[0] // 3, shape[1] // 4) for shape in SHAPES])


def test_a_picture_is_seen_at_a_size_that_its_shape_asks_for(rng):
    for view in (View(), View(384 * 512), View(64 * 64, 16)):
        for height, width in np.exp(rng.uniform(np.log(40), np.log(3000), (200, 2))).astype(int).tolist():
            if max(height, width) > LONGEST * min(height, width):
                continue
            seen = view.of((height, width))
            assert all(side % view.stride == 0 for side in seen)
            # The shorter side is rounded, and the longer one follows.
            short, long = sorted(seen)
            assert abs(long - short * max(height, width) / min(height, width)) <= view.stride / 2
            assert abs(short - np.sqrt(view.area * min(height, width) / max(height, width))) <= view.stride / 2
            assert (seen[0] >= seen[1]) == (height >= width) or seen[0] == seen[1]
            assert view.of((width, height)) == seen[::-1]


@pytest.mark.parametrize(
    ("shape", "area", "seen"),
    [
        ((600, 800), 384 * 512, (384, 512)),
        ((256, 256), 384 * 512, (448, 448)),
        ((1080, 1920), 384 * 512, (320, 576)),
        ((200, 800), 384 * 512, (256, 1024)),  # in two windows of 256x768
        ((300, 8000), 240 * 320, (160, 4256)),
    ],
)
def test_sizes_computed_by_hand(shape, area, seen):
    assert View(area).of(shape) == seen
    assert tuple(showing.seen_size(shape, View(area)).numpy()) == seen


def test_degrees_take_the_place_of_an_area_where_they_are_known():
    view = View(384 * 512, 32, pixels_per_degree=10)
    assert view.of((600, 800)) == (384, 512)
    # 20 by 26.7 degrees.
    assert view.of((600, 800), 30) == (192, 256)
    assert view.of((1200, 1600), 60) == (192, 256)
    assert tuple(showing.seen_size((600, 800), view, 30.0).numpy()) == (192, 256)
    # 17.5 strides high, which float32 would round down.
    assert tuple(showing.seen_size((560, 720), View(pixels_per_degree=30.1), 30.1).numpy()) == (576, 736)


@pytest.mark.parametrize("degree", [0, -30.0, np.nan, np.inf])
def test_a_degree_has_pixels(degree):
    with pytest.raises(ValueError, match=f"pixels_per_degree of one.png must be above 0. Received: {degree}"):
        View(pixels_per_degree=30).of((600, 800), degree, "one.png")


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (31, 400)])
def test_a_picture_below_the_stride_is_refused_by_name(shape):
    with pytest.raises(ValueError, match=rf"tiny.png has {shape[0]}x{shape[1]} pixels, and the network needs 32"):
        View().of(shape, name="tiny.png")
    with pytest.raises(tf.errors.InvalidArgumentError, match="too small on a side"):
        showing.show(np.zeros((*shape, 3), "uint8"), View())


def test_what_would_be_too_much_to_see_is_refused():
    with pytest.raises(ValueError, match="more than 67108864. Cut it into parts, or choose a smaller area"):
        View().of((32, 100_000))


@pytest.mark.parametrize(("area", "stride"), [(0, 32), (32 * 32 - 1, 32), (1 << 27, 32), (100, 0)])
def test_an_area_must_hold_something(area, stride):
    with pytest.raises(ValueError, match="area must be from"):
        View(area, stride)


def test_windows_cover_a_picture_and_overlap_by_a_third():
    # Four times as long as wide: 16 cells of which a window has 12.
    window, starts, parts = showing.windows((400, 100), (64 * 4, 64), 16)
    assert (window.numpy().tolist(), starts.numpy().tolist()) == ([192, 64], [[0, 0], [64, 0]])
    assert parts.numpy().tolist() == [[0, 0, 300, 100], [100, 0, 300, 100]]
    for shape in ((900, 100), (100, 2000), (3333, 77), (64, 64)):
        seen = VIEW.of(shape)
        window, starts, parts = (each.numpy() for each in showing.windows(shape, seen, 16))
        axis = int(shape[1] > shape[0])
        assert starts[0].tolist() == [0, 0]
        assert (starts[-1] + window).tolist() == list(seen)
        assert (np.diff(starts[:, axis]) <= 2 / 3 * window[axis] + 16).all()
        assert parts[0, axis] == 0
        assert parts[-1, axis] + parts[-1, axis + 2] == shape[axis]


def test_nothing_is_dropped_and_batches_are_of_one_size(samples):
    for options in ({}, {"shuffle": True, "flip": True}, {"augment": {"rotation": 5}, "shuffle": True}):
        batches = list(pipeline(samples, VIEW, 2, **options))
        windows = samples.in_windows(VIEW)
        assert sum(len(image) for image, _ in batches) == len(windows)
        assert all(image.shape == (*target.shape[:3], 3) and len(image) <= 2 for image, target in batches)
        made = sorted(tuple(image.shape[1:3]) for image, _ in batches for _ in range(len(image)))
        assert made == sorted(map(tuple, places(windows, VIEW).canvases.tolist()))


def test_weights_of_a_mixture_that_shows_as_many_images_as_it_has():
    """Of one size fewer than there are, of the other more: how many batches there are is not promised."""
    parts = {"a": [dotted((60, 80), y, 9) for y in range(10)], "b": [dotted((64, 64), y, 9) for y in range(10)]}
    data = {name: DataSet(name, *[Samples(part)] * 3) for name, part in parts.items()}
    mixed = mixtures.mix(data, {"a": 0.5, "b": 1.5}).train
    shown = [image.shape for image, _ in pipeline(mixed, VIEW, 3, shuffle=True)]
    assert sorted(shape[0] for shape in shown if shape[1] == shape[2]) == [3] * 5
    assert sorted(shape[0] for shape in shown if shape[1] != shape[2]) == [2, 3]


def test_a_long_picture_of_which_nothing_is_known_is_refused():
    blank = dataclasses.replace(dotted((640, 64), 9, 9), fixations=Fixations.from_rows([]), name="blank.png")
    with pytest.raises(ValueError, match="blank.png has no fixations"):
        pipeline(Samples([blank, dotted((64, 64), 9, 9)]), VIEW)


def test_equal_seeds_give_equal_batches(samples):
    def drawn(seed, epoch=0):
        batches = pipeline(samples, VIEW, 2, shuffle=True, flip=True, seed=seed, epoch=epoch)
        return [image.numpy() for image, _ in batches]

    def same(first, second):
        return [one.shape for one in first] == [one.shape for one in second] and all(map(np.array_equal, first, second))

    first = drawn(1)
    assert same(first, drawn(1))
    assert not same(first, drawn(2))
    assert not same(first, drawn(1, epoch=1))


@pytest.mark.parametrize("flip", [False, True])
def test_fixations_are_where_their_picture_shows_them(samples, flip):
    """In each window the fixation is counted in the middle of the white block."""
    for batch, targets in pipeline(samples, VIEW, 1, flip=flip, shuffle=True):
        image, counts = batch[0].numpy()[..., 0], targets[0].numpy()[..., 1]
        assert counts.sum() == 1
        rows, columns = np.nonzero(image > 127)
        y, x = np.argwhere(counts)[0] + 0.5
        assert abs(y - rows.mean() - 0.5) <= 2
        assert abs(x - columns.mean() - 0.5) <= 2
        assert targets[0].numpy()[..., 2].all()
        assert np.unravel_index(targets[0, ..., 0].numpy().argmax(), counts.shape) == (int(y), int(x))


def test_images_come_with_the_numbers_of_their_samples(samples):
    windows = samples.in_windows(VIEW)
    found = {}
    for numbers, batch in images(windows, VIEW, 2):
        for number, image in zip(numbers.numpy(), batch.numpy(), strict=True):
            found[number] = image
    assert sorted(found) == list(range(len(windows)))
    for number, image in found.items():
        (shown,) = showing.show(windows[number].read(), VIEW) if not windows[number].window else [None]
        if shown is not None:
            np.testing.assert_array_equal(image, shown)


def test_a_frame_of_the_same_shape_gives_the_same_batches():
    """All pictures of 4:3, as those of OSIE: nothing changes for them."""
    samples = Samples([dotted((60, 80), y, 30) for y in range(10, 50, 10)])
    for framed, viewed in zip(pipeline(samples, (48, 64), 3), pipeline(samples, View(48 * 64, 16), 3), strict=True):
        for one, other in zip(framed, viewed, strict=True):
            np.testing.assert_array_equal(one, other)


def test_windows_of_a_sample_have_its_map_and_its_fixations(tmp_path):
    density = np.zeros((200, 40))
    density[30:40, 10:20] = 1
    np.save(tmp_path / "map.npy", density)
    whole = dotted((200, 40), 20, 15, ground_truth=tmp_path / "map.npy", picture=(5, 0, 195, 40))
    windows = Samples([whole]).in_windows(VIEW)
    assert len(windows) > 1
    for window in windows:
        top, left, *size = window.window
        height, width = window.size
        assert size == [200, 40]
        np.testing.assert_array_equal(window.read(), whole.read()[top : top + height, left : left + width])
        np.testing.assert_array_equal(window.read_ground_truth(), density[top : top + height, left : left + width])
        assert window.picture == (max(5 - top, 0), 0, min(195 - top, height), 40)
    assert [len(window.fixations) for window in windows] == [1, *[0] * (len(windows) - 1)]
    # Where nothing else is known than fixations, what nobody looked into teaches nothing.
    (only,) = Samples([dataclasses.replace(whole, ground_truth=None)]).in_windows(VIEW)
    assert only.window[:2] == (0, 0)


def test_a_mixture_remembers_the_degrees_of_each_data_set():
    def data(name, degrees):
        splits = [Samples([dotted((60, 80), 20 + i, 20)], degrees) for i in range(3)]
        return DataSet(name, *splits, pixels_per_degree=degrees)

    mixed = mixtures.mix({"near": data("near", 20.0), "far": data("far", 40.0)}).train
    view = View(64 * 64, 16, pixels_per_degree=40)
    assert places(mixed, view).canvases.tolist() == [[128, 176], [64, 80]]


def put_back(maps, shape, **options):
    return showing.put_back(np.asarray(maps, "float32")[..., None], shape, VIEW, **options).numpy()[..., 0]


def test_windows_that_are_copies_join_without_a_seam(rng):
    """A picture that repeats itself from window to window: so does the map, and no edge of a window shows."""
    shape = (7 * 32, 32)  # seen as it is, in windows of 3 widths that begin at each second width
    assert VIEW.of(shape) == (7 * 32, 32)
    _, starts, _ = showing.windows(shape, VIEW.of(shape), 16)
    assert starts.numpy()[:, 0].tolist() == [0, 64, 128]
    tile = rng.normal(0, 1, (64, 32))
    one = np.concatenate([tile, tile])[: 3 * 32]
    joined = put_back([one - np.log(np.exp(one).sum())] * 3, shape)
    np.testing.assert_allclose(np.exp(joined).sum(), 1, rtol=1e-5)
    np.testing.assert_allclose(joined[64:], joined[:-64], atol=1e-5)
    np.testing.assert_allclose(joined[:64] - joined[0, 0], tile - tile[0, 0], atol=1e-5)


@pytest.mark.parametrize("turned", [False, True])
def test_windows_of_one_density_give_it_back(turned, rng):
    """Each window has the density that people have who look into it: together they have that of the picture."""
    density = tf.image.resize(rng.normal(0, 2, (15, 3, 1)), (7 * 32, 32)).numpy()[..., 0]
    density -= np.log(np.exp(density).sum())
    parts = [density[start : start + 96] for start in (0, 64, 128)]
    parts = [part - np.log(np.exp(part).sum()) for part in parts]
    shape = (7 * 32, 32)
    if turned:
        shape, density, parts = shape[::-1], density.T, [part.T for part in parts]
    np.testing.assert_allclose(put_back(parts, shape), density, atol=1e-5)


def test_edges_of_windows_do_not_show():
    """Windows that disagree, each darker towards its own edges, still join smoothly."""
    shape = (7 * 32, 32)
    bump = -(np.linspace(-2, 2, 3 * 32)[:, None] ** 2) * np.ones((1, 32))
    joined = put_back([bump - np.log(np.exp(bump).sum())] * 3, shape)
    inside, steps = np.abs(np.diff(bump, axis=0)).max(), np.abs(np.diff(joined, axis=0)).max()
    assert steps <= inside * 1.5


def test_maps_that_are_no_log_densities_join_as_they_are():
    joined = put_back(np.full((3, 96, 32), 0.25), (7 * 32, 32), log_density=False)
    np.testing.assert_allclose(joined, 0.25, rtol=1e-6)


@pytest.mark.parametrize("shape", [(60, 80), (64, 64), (300, 40), (50, 500)])
@pytest.mark.parametrize("size", [VIEW, (48, 64)])
def test_maps_of_one_size_cover_the_whole_picture(shape, size, rng):
    """What lies at a share of the height and width of a map lies there in the picture."""
    windows = showing.show(np.zeros((*shape, 3), "uint8"), size).shape
    maps = tf.image.resize(rng.normal(0, 1, (windows[0], 6, 6, 1)), windows[1:3])
    fitted = showing.put_back(maps, shape, size, to=(48, 64))
    assert fitted.shape == (48, 64, 1)
    np.testing.assert_allclose(np.exp(fitted).sum(), 1, rtol=1e-5)
    native = showing.put_back(maps, shape, size)
    again = tf.image.resize(native, (48, 64), antialias=True)
    assert np.corrcoef(np.ravel(again), np.ravel(fitted))[0, 1] > 0.99


def test_a_network_that_gives_smaller_maps_is_joined_at_their_size():
    maps = np.log(np.full((3, 48, 16), 1 / (48 * 16)))
    joined = put_back(maps, (7 * 32, 32))
    np.testing.assert_allclose(joined, -np.log(7 * 32 * 32), rtol=1e-5)
