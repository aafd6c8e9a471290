import dataclasses
import unicodedata

import cv2
import h5py
import keras
import numpy as np
import pytest
import scipy.interpolate
import scipy.io
from PIL import Image
from scipy.special import logsumexp

import keras_saliency as ks
from keras_saliency.data import Fixations, Sample, Samples
from keras_saliency.evaluation import pysaliency as interop
from keras_saliency.evaluation import sources
from keras_saliency.models import for_recording
from keras_saliency.models.recording import recording_head_of, with_recording_head
from keras_saliency.serving import prediction

SIZE = (12, 16)


def make_samples(*names, size=SIZE):
    fixations = Fixations.from_rows([[1, 1, 0, 0]])
    return Samples([Sample(name, b"", size, fixations, 1.0) for name in names])


def only(source, name="1001.jpg", size=SIZE):
    (predicted,) = source.predictions(make_samples(name, size=size))
    return predicted


@pytest.fixture
def grey(rng):
    return rng.integers(0, 256, SIZE).astype("uint8")


@pytest.fixture
def log_density(rng):
    values = rng.normal(size=SIZE)
    return (values - logsumexp(values)).astype("float32")


def write(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix.lower() == ".npy":
        with path.open("wb") as file:
            np.save(file, values)
    elif path.suffix.lower() == ".mat":
        scipy.io.savemat(path, {"map": values, "sigma": 3.0, "size": [12.0, 16.0]})
    else:
        path.write_bytes(cv2.imencode(path.suffix, values)[1].tobytes())


def test_a_model_of_several_recordings_predicts_each_with_its_head(tiny, tiny_backbone, capsys):
    network = with_recording_head(ks.create_model(backbone="tiny", weights=None, area=64 * 96), [tiny.name, "other"])
    head = recording_head_of(network)
    head.set({**head.numbers, "gain": 0.0, "uniform_share": 0.5}, np.ones((120, 160)), tiny.name)
    own = sources.open_source(network, data=tiny)
    assert own.said.endswith(f"with the head of {tiny.name}")
    flat = np.log(1 / np.prod(tiny.test[0].size))
    np.testing.assert_allclose(next(own.predictions(tiny.test)).values, flat, rtol=1e-4)
    average = sources.open_source(network, data=dataclasses.replace(tiny, name="elsewhere"))
    assert average.said.endswith(f"with the average head, as it was trained on {tiny.name}, other")
    assert np.ptp(next(average.predictions(tiny.test)).values) > 1e-3
    # One that was chosen stays.
    chosen = sources.open_source(for_recording(network, "other"), data=tiny)
    assert chosen.said == "" and np.ptp(next(chosen.predictions(tiny.test)).values) > 1e-3
    ks.evaluate(network, dataclasses.replace(tiny, test=Samples(list(tiny.test)[:1])))
    assert f"with the head of {tiny.name}" in capsys.readouterr().out


def test_a_model_predicts_in_order_at_native_size(model, tiny):
    predicted = list(sources.ModelSource(model, "net", batch=3).predictions(tiny.test))
    assert len(predicted) == len(tiny.test)
    for sample, (values, is_log_density, is_eight_bit) in zip(tiny.test, predicted, strict=True):
        assert values.shape == sample.size
        assert values.dtype == "float64"
        assert is_log_density
        assert not is_eight_bit
        assert abs(logsumexp(values)) < 1e-12
        np.testing.assert_allclose(values, prediction.predict_image(model, sample.read()), atol=1e-4)


def test_an_exported_model_predicts_what_the_model_does(model, tiny, tmp_path):
    ks.export_saved_model(model, tmp_path / "net" / "1")
    files = [tmp_path / f"{sample.name}.png" for sample in tiny.test]
    files[0].write_bytes(tiny.test[0].image)
    on_disk = Sample(tiny.test[0].name, files[0], tiny.test[0].size, tiny.test[0].fixations, 1.0)
    source = sources.open_source(tmp_path / "net" / "1")
    assert source.name == "net"
    source.batch = 3
    served = list(source.predictions(Samples([on_disk, *tiny.test[1:]])))
    live = list(sources.ModelSource(model, "net").predictions(tiny.test))
    for a, b in zip(served, live, strict=True):
        assert a[1:] == b[1:] == (True, False)
        np.testing.assert_allclose(a.values, b.values, atol=1e-4)


def test_what_serves_no_log_density_is_refused(tmp_path):
    images = keras.Input((4, 4, 1))
    keras.Model(images, keras.layers.ReLU()(images)).export(tmp_path / "other", verbose=False)
    with pytest.raises(ValueError, match="does not serve saliency for image_bytes. Expected what"):
        sources.open_source(tmp_path / "other")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "saved_model.pb").write_bytes(b"no model")
    with pytest.raises(ValueError, match="broken cannot be loaded as a SavedModel"):
        sources.open_source(tmp_path / "broken")


@pytest.mark.parametrize(
    ("path", "kind", "name"),
    [
        ("sam/run/model.keras", sources.ModelSource, "run"),
        ("sam/run", sources.ModelSource, "run"),
        ("other.keras", sources.ModelSource, "other"),
        ("maps", sources.FolderSource, "maps"),
        ("deepgaze.v2.HDF5", sources.HDF5Source, "deepgaze.v2.HDF5"),
        ("deepgaze.v2.h5", sources.HDF5Source, "deepgaze.v2"),
    ],
)
def test_a_path_is_opened_as_what_lies_there(model, tmp_path, path, kind, name):
    for file in ("sam/run/model.keras", "other.keras"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        model.save(tmp_path / file)
    (tmp_path / "maps").mkdir()
    for file in ("deepgaze.v2.HDF5", "deepgaze.v2.h5"):
        (tmp_path / file).touch()
    source = sources.open_source(tmp_path / path, resize=True)
    assert type(source) is kind
    assert source.name == name
    assert getattr(source, "resize", True)


def test_what_is_no_source_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere does not exist. Expected a model, a folder of maps"):
        sources.open_source(tmp_path / "nowhere")
    (tmp_path / "maps.zip").touch()
    with pytest.raises(ValueError, match=r"maps.zip holds no predictions. Expected a .keras file"):
        sources.open_source(tmp_path / "maps.zip")
    (tmp_path / "maps.h5").write_text("no HDF5")
    with pytest.raises(ValueError, match=r"maps.h5 cannot be read as an HDF5 file"):
        only(sources.open_source(tmp_path / "maps.h5"))


@pytest.mark.parametrize("file", ["1001.png", "1001.PNG", "1001.npy", "1001.mat", "a/b/1001.png", "1001_saliency.png"])
def test_an_eight_bit_map_is_read_as_it_is(tmp_path, grey, file):
    write(tmp_path / file, grey)
    values, is_log_density, is_eight_bit = only(sources.FolderSource(tmp_path))
    assert values.dtype == "float64"
    assert is_eight_bit
    assert not is_log_density
    np.testing.assert_array_equal(values, grey)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_names_match_however_a_system_writes_them(tmp_path, grey, form):
    name, other = "kést/Möwe.JPG", {"NFC": "NFD", "NFD": "NFC"}[form]
    write(tmp_path / unicodedata.normalize(other, "kést/Möwe.PNG"), grey)
    write(tmp_path / unicodedata.normalize(other, "kust/Möwe.PNG"), 255 - grey)
    with h5py.File(tmp_path / "maps.h5", "w") as file:
        file[unicodedata.normalize(other, "kést/Möwe.jpg")] = grey
    for source in (sources.FolderSource(tmp_path), sources.HDF5Source(tmp_path / "maps.h5")):
        np.testing.assert_array_equal(only(source, unicodedata.normalize(form, name)).values, grey)


@pytest.mark.parametrize("file", ["1001.npy", "1001.mat", "1001_log_density.npy"])
@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e6])
def test_a_map_of_floats_is_read_as_it_is(tmp_path, rng, file, scale):
    saliency = scale * rng.random(SIZE)
    write(tmp_path / file, saliency)
    values, *kind = only(sources.FolderSource(tmp_path))
    assert kind == [False, False]
    np.testing.assert_array_equal(values, saliency)


@pytest.mark.parametrize("file", ["1001.npy", "1001.mat", "1001_log_density.npy"])
def test_a_log_density_is_known_by_its_sum(tmp_path, log_density, file):
    write(tmp_path / file, log_density + 5e-4)
    values, *kind = only(sources.FolderSource(tmp_path))
    assert kind == [True, False]
    assert abs(logsumexp(values)) < 1e-12
    np.testing.assert_allclose(values, log_density, atol=1e-6)


def test_a_png_of_16_bit_keeps_them(tmp_path, rng):
    saliency = rng.integers(0, 65536, SIZE).astype("uint16")
    write(tmp_path / "1001.png", saliency)
    values, *kind = only(sources.FolderSource(tmp_path))
    assert kind == [False, False]
    np.testing.assert_array_equal(values, saliency)


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_equal_channels_are_grey_and_others_are_refused(tmp_path, grey, suffix):
    write(tmp_path / f"1001{suffix}", np.repeat(grey[..., None], 3, -1))
    values = only(sources.FolderSource(tmp_path)).values
    np.testing.assert_allclose(values, grey, atol=0 if suffix == ".png" else 30)
    coloured = np.zeros((*SIZE, 3), "uint8")
    coloured[..., 2] = 200
    write(tmp_path / f"1001{suffix}", coloured)
    with pytest.raises(ValueError, match="map of 1001.jpg, .* cannot be read: it is coloured, and a map is grey"):
        only(sources.FolderSource(tmp_path))


def test_the_exact_map_is_read_where_there_are_several(tmp_path, grey, log_density):
    write(tmp_path / "1001_overlay.jpg", np.zeros((*SIZE, 3), "uint8"))
    with pytest.raises(ValueError, match="1 of 1 maps are missing"):
        only(sources.FolderSource(tmp_path))
    write(tmp_path / "1001_saliency.png", grey)
    assert only(sources.FolderSource(tmp_path)).is_eight_bit
    write(tmp_path / "deep" / "1001.npy", 2.0 * grey)
    np.testing.assert_array_equal(only(sources.FolderSource(tmp_path)).values, 2.0 * grey)
    write(tmp_path / "1001_log_density.npy", log_density)
    assert only(sources.FolderSource(tmp_path)).is_log_density


def test_what_predict_writes_is_found(model, tiny, tmp_path):
    for sample in tiny.test:
        (tmp_path / f"{sample.name}.png").write_bytes(sample.image)
    prediction.predict_files(model, [tmp_path], tmp_path / "out", log_density=True)
    predicted = sources.FolderSource(tmp_path / "out").predictions(tiny.test)
    for a, b in zip(predicted, sources.ModelSource(model, "net").predictions(tiny.test), strict=True):
        assert a[1:] == b[1:]
        np.testing.assert_allclose(a.values, b.values, atol=1e-4)


def test_missing_and_ambiguous_maps_are_named(tmp_path, grey):
    write(tmp_path / "1.png", grey)
    samples = make_samples("1.jpg", "2.jpg", "3.jpg")
    with pytest.raises(
        ValueError, match="2 of 3 maps are missing in .*, the first is that of 2.jpg. .*2_log_density.npy"
    ):
        list(sources.FolderSource(tmp_path).predictions(samples))
    write(tmp_path / "deep" / "1.png", grey)
    with pytest.raises(ValueError, match="has 2 maps of 1.jpg: 1.png, deep/1.png. Keep one of them"):
        list(sources.FolderSource(tmp_path).predictions(samples[:1]))
    (tmp_path / "deep" / "1.png").unlink()
    with pytest.raises(ValueError, match="1.png in .* fits both a/1.jpg and b/1.jpg"):
        list(sources.FolderSource(tmp_path).predictions(make_samples("a/1.jpg", "b/1.jpg")))


def test_folders_tell_maps_of_one_name_apart(tmp_path, grey):
    for i, folder in enumerate(("Action", "Art")):
        write(tmp_path / "maps" / folder / "001.png", grey // (i + 1))
    predicted = sources.FolderSource(tmp_path).predictions(make_samples("Art/001.jpg", "Action/001.jpg"))
    for i, values in zip((1, 0), (values for values, *_ in predicted), strict=True):
        np.testing.assert_array_equal(values, grey // (i + 1))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.full(SIZE, np.nan), "has NaN or infinite values. A map must be finite"),
        (np.full(SIZE, -np.inf), "has NaN or infinite values"),
        (np.full(SIZE, -1.0), r"negative values and is no log-density: its exponential sums to e\*\*4.26, not 1"),
        (np.zeros(SIZE[::-1]), r"map of 1001.jpg is \(16, 12\) and its image \(12, 16\).*transposed.* Transpose it"),
        (np.zeros((3, 4)), r"map of 1001.jpg is \(3, 4\) and its image \(12, 16\).*use convention=\"mit\""),
        (np.zeros((*SIZE, 2)), r"must be numbers \(height, width\). Received: float64 of shape \(12, 16, 2\)"),
        (np.zeros(SIZE, "complex64"), "Received: complex64"),
    ],
)
def test_a_broken_map_is_named(tmp_path, values, message):
    write(tmp_path / "1001.npy", values)
    with pytest.raises(ValueError, match=f"map of 1001.jpg.*{message.removeprefix('map of 1001.jpg')}"):
        only(sources.FolderSource(tmp_path))


@pytest.mark.parametrize("shape", [(16, 12), (32, 24), (12, 12), (200, 300)])
def test_resizing_undoes_no_other_shape(tmp_path, rng, shape):
    """A transposed, padded or stretched map would be scored at the wrong places."""
    write(tmp_path / "1001.npy", rng.random(shape))
    with pytest.raises(ValueError, match=r"not the image's size made smaller or larger, but transposed, padded"):
        only(sources.FolderSource(tmp_path, resize=True), size=(480, 640))
    # What differs by the rounding of a side is the same shape: 600x800 at strides of 32 and 64.
    for other in ((19, 25), (18, 25), (10, 13), (9, 12), (1200, 1601)):
        write(tmp_path / "1001.npy", rng.random(other))
        assert only(sources.FolderSource(tmp_path, resize=True), size=(600, 800)).values.shape == (600, 800)


@pytest.mark.parametrize("suffix", [".png", ".jpg", "16.png", ".npy", ".mat", ".h5"])
def test_a_truncated_file_is_refused(tmp_path, rng, suffix):
    grey = cv2.GaussianBlur(rng.integers(0, 256, (96, 128)).astype("uint8"), None, 2)
    path = tmp_path / f"1001{suffix.removeprefix('16')}"
    if suffix == ".h5":
        interop.export_predictions([grey], make_samples("1001.jpg", size=grey.shape), path)
    else:
        write(path, grey.astype("uint16") * 257 if suffix == "16.png" else grey)
    source = sources.HDF5Source(path) if suffix == ".h5" else sources.FolderSource(tmp_path)
    whole, expected = path.read_bytes(), only(source, size=grey.shape).values
    for length in (*range(0, len(whole), max(1, len(whole) // 25)), len(whole) - 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        try:
            found = only(source, size=grey.shape).values
        except ValueError as error:
            assert "cannot be read" in str(error)
        else:  # The last bytes of a PNG file say only that it ends.
            np.testing.assert_array_equal(found, expected)
            assert length > len(whole) - 16


@pytest.mark.parametrize("file", ["1001.png", "1001.jpg", "1001.npy", "1001.mat"])
def test_a_broken_file_is_named(tmp_path, file):
    (tmp_path / file).write_bytes(b"broken")
    with pytest.raises(ValueError, match=f"map of 1001.jpg, .*{file}, cannot be read"):
        only(sources.FolderSource(tmp_path))


def test_a_mat_file_of_two_maps_is_refused(tmp_path, grey):
    scipy.io.savemat(tmp_path / "1001.mat", {"a": grey, "b": grey})
    with pytest.raises(ValueError, match="holds 2 numeric matrices. Save one map in each file"):
        only(sources.FolderSource(tmp_path))


def test_resizing_is_antialiased_bicubic_without_overshoot(tmp_path, rng):
    saliency = rng.random((24, 32)) < 0.3
    write(tmp_path / "1001.npy", saliency)
    values, *kind = only(sources.FolderSource(tmp_path, resize=True))
    assert kind == [False, True]
    assert 0 <= values.min() < values.max() <= 1
    np.testing.assert_allclose(values.mean(), saliency.mean(), atol=0.02)
    # Halving by the cubic of a = -1/2, stretched to eight taps: those of MATLAB's imresize.
    x = np.abs(np.arange(8) - 3.5) / 2
    taps = np.where(x < 1, 1.5 * x**3 - 2.5 * x**2 + 1, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2)
    taps /= taps.sum()
    expected = np.clip(taps @ saliency[7:15, 9:17] @ taps, 0, 1)
    assert values[5, 6] == pytest.approx(expected, abs=1e-6)


def test_a_resized_log_density_is_normalised_and_equal_sizes_are_untouched(tmp_path, log_density):
    write(tmp_path / "1001.npy", log_density)
    resized = only(sources.FolderSource(tmp_path, resize=True), size=(30, 41))
    assert resized.values.shape == (30, 41)
    assert resized.is_log_density
    assert abs(logsumexp(resized.values)) < 1e-12
    same, plain = (only(sources.FolderSource(tmp_path, resize=resize)).values for resize in (True, False))
    np.testing.assert_array_equal(same, plain)


def test_constant_maps_are_saliency_maps(tmp_path):
    write(tmp_path / "1001.npy", np.zeros(SIZE))
    assert only(sources.FolderSource(tmp_path))[1:] == (False, False)
    write(tmp_path / "1001.npy", np.full(SIZE, -np.log(12 * 16)))
    assert only(sources.FolderSource(tmp_path)).is_log_density


def test_an_hdf5_file_gives_what_was_exported(tmp_path, rng, log_density, grey):
    samples = make_samples("1.jpg", "deep/2.jpg")
    interop.export_predictions([log_density, grey], samples, tmp_path / "maps.h5")
    first, second = sources.open_source(tmp_path / "maps.h5").predictions(samples)
    np.testing.assert_allclose(first.values, log_density, atol=1e-6)
    np.testing.assert_array_equal(second.values, grey)
    assert first[1:] == (True, False)
    assert second[1:] == (False, False)
    with pytest.raises(ValueError, match="1 of 2 maps are missing in .*maps.h5, the first is that of 3.jpg"):
        list(sources.HDF5Source(tmp_path / "maps.h5").predictions(make_samples("1.jpg", "3.jpg")))


@pytest.mark.parametrize("factor", [2, 4, 16])
@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_what_pysaliency_stored_smaller_is_brought_back(tmp_path, rng, factor, dtype):
    """As its development version does both: means of blocks, the edge repeated, and bilinear between the corners."""
    size = (61, 83)
    density = 0.97 * cv2.GaussianBlur(rng.random(size) ** 30, None, 2)
    density = density / density.sum() + 0.03 / density.size
    log_density = np.log(density / density.sum())
    blocks = np.pad(log_density, [(0, -side % factor) for side in size], mode="edge")
    rows, columns = (side // factor for side in blocks.shape)
    stored = blocks.reshape(rows, factor, columns, factor).mean((1, 3)).astype(dtype)
    with h5py.File(tmp_path / "maps.h5", "w") as file:
        file.attrs["downscale_factor"] = factor
        for name, values in (("1.jpg", stored), ("2.jpg", np.exp(stored))):
            file.create_dataset(name, data=values).attrs["original_shape"] = np.array(size)
    first, second = sources.HDF5Source(tmp_path / "maps.h5").predictions(make_samples("1.jpg", "2.jpg", size=size))
    assert (first.is_log_density, second.is_log_density) == (True, False)
    at = np.meshgrid(
        *(np.linspace(0, small - 1, side) for small, side in zip(stored.shape, size, strict=True)), indexing="ij"
    )
    expected = scipy.interpolate.RegularGridInterpolator([np.arange(n) for n in stored.shape], stored.astype("float64"))
    expected = expected(np.stack(at, -1))
    np.testing.assert_allclose(first.values, expected - logsumexp(expected), atol=1e-9)
    assert second.values.shape == size


def test_half_precision_is_precise_enough_for_a_log_density(tmp_path):
    uniform = np.full((600, 800), -np.log(480_000), "float16")  # whose exponential sums to 1.0034
    with h5py.File(tmp_path / "maps.h5", "w") as file:
        file["1001.jpg"] = uniform
    predicted = only(sources.HDF5Source(tmp_path / "maps.h5"), size=(600, 800))
    assert predicted.is_log_density
    np.testing.assert_allclose(predicted.values, -np.log(480_000), atol=1e-12)


def test_images_of_one_stem_have_their_own_keys(tmp_path, grey):
    samples = make_samples("1.jpg", "1.png")
    interop.export_predictions([grey, grey // 2], samples, tmp_path / "maps.h5")
    first, second = sources.HDF5Source(tmp_path / "maps.h5").predictions(samples)
    np.testing.assert_array_equal(first.values // 2, second.values)


def test_a_source_reads_one_map_at_a_time(tmp_path, grey):
    write(tmp_path / "1.png", grey)
    (tmp_path / "2.png").write_bytes(b"broken")
    predicted = sources.FolderSource(tmp_path).predictions(make_samples("1.jpg", "2.jpg"))
    np.testing.assert_array_equal(next(predicted).values, grey)
    with pytest.raises(ValueError, match="map of 2.jpg"):
        next(predicted)


def test_grey_images_of_pillow_are_read(tmp_path, grey):
    for mode in ("L", "1", "P", "LA", "RGBA"):
        image = Image.fromarray(grey).convert(mode)
        image.save(tmp_path / "1001.png")
        expected = np.asarray(image.convert("L"))
        predicted = only(sources.FolderSource(tmp_path))
        assert predicted.is_eight_bit
        np.testing.assert_array_equal(predicted.values, expected)
