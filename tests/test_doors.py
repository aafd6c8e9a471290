"""Every door sees the same pixels of an image file, or refuses it alike: training, evaluation, prediction, serving."""

import io

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageOps

import keras_saliency as ks
from keras_saliency.data import Fixations, Sample, Samples, image_files, image_header, orientation
from keras_saliency.data.pipeline import images, naming_images
from keras_saliency.evaluation.sources import ModelSource, SavedModelSource

SIDE = 60  # images of 40x60 and 60x40 lie in it as they are
WEIGHTS = (0.5, 0.3, 0.15)  # by which the model adds the colours, so that its map shows what it has seen
COLOURS = np.random.default_rng(4).integers(0, 256, (4, 6, 3)).astype("uint8")
PIXELS = COLOURS.repeat(10, 0).repeat(10, 1)
GREY = PIXELS[..., 1]
ALPHA = np.tile(np.arange(60, dtype="uint8") * 4, (40, 1))
FINE = {"quality": 100, "subsampling": 0}


def file(array, kind, mode=None, **options):
    image = Image.fromarray(array)
    image = image.quantize() if mode == "P" else image.convert(mode) if mode else image
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def turned(kind, number, **options):
    """The picture as a camera stores it that was held another way: upright it is PIXELS again."""
    exif = Image.Exif()
    exif[0x010F], exif[orientation.TAG] = "a maker", number
    as_stored = {5: 5, 6: 8, 7: 7, 8: 6}.get(number, number)
    marked = Image.fromarray(PIXELS)
    marked.getexif()[orientation.TAG] = as_stored
    stored = ImageOps.exif_transpose(marked)
    return file(np.asarray(stored), kind, exif=exif, **options)


def grey(plane):
    return plane[..., None].repeat(3, 2)


# A kind of file -> its bytes, the pixels, and by how many grey levels they may differ in the mean.
FILES = {
    "PNG": (file(PIXELS, "PNG"), PIXELS, 0),
    "grey PNG": (file(GREY, "PNG"), grey(GREY), 0),
    "grey PNG of 1 bit": (file(np.where(GREY > 99, 255, 0).astype("uint8"), "PNG", "1"), grey((GREY > 99) * 255), 0),
    "grey PNG with alpha": (file(np.dstack([GREY, ALPHA]), "PNG"), grey(GREY), 0),
    "PNG with a palette": (file(PIXELS, "PNG", "P"), PIXELS, 0),
    "PNG with alpha": (file(np.dstack([PIXELS, ALPHA]), "PNG"), PIXELS, 0),
    "grey PNG of 16 bit": (file(GREY * np.uint16(256) + np.uint16(77), "PNG"), grey(GREY), 0),
    "PNG of 16 bit": (cv2.imencode(".png", PIXELS[..., ::-1] * np.uint16(257))[1].tobytes(), PIXELS, 0),
    "JPEG": (file(PIXELS, "JPEG", **FINE), PIXELS, 3),
    "grey JPEG": (file(GREY, "JPEG", quality=100), grey(GREY), 3),
    "progressive JPEG": (file(PIXELS, "JPEG", progressive=True, **FINE), PIXELS, 3),
    "CMYK JPEG": (file(PIXELS, "JPEG", "CMYK", **FINE), PIXELS, 3),
    "GIF": (file(PIXELS, "GIF", "P"), PIXELS, 0),
    "GIF of two": (file(PIXELS, "GIF", save_all=True, append_images=[Image.fromarray(~PIXELS)]), PIXELS, 0),
    "BMP": (file(PIXELS, "BMP"), PIXELS, 0),
    "BMP with alpha": (file(np.dstack([PIXELS, ALPHA]), "BMP"), PIXELS, 0),
    **{f"JPEG of orientation {n}": (turned("JPEG", n, **FINE), PIXELS, 3) for n in range(1, 9)},
    **{f"PNG of orientation {n}": (turned("PNG", n), PIXELS, 0) for n in (3, 6)},
}
WEBP = {
    "WebP": (file(PIXELS, "WEBP", lossless=True), PIXELS, 0),
    "WebP of orientation 8": (turned("WEBP", 8, lossless=True), PIXELS, 0),
}
FILES |= WEBP if hasattr(tf.io, "decode_webp") else {}
REFUSED = {
    "TIFF": file(PIXELS, "TIFF"),
    "BMP with a palette": file(PIXELS, "BMP", "P"),
    "WebP with alpha": file(np.dstack([PIXELS, ALPHA]), "WEBP", lossless=True),
    "half a JPEG": FILES["JPEG"][0][:1000],
    "half a PNG": FILES["PNG"][0][:100],
    "nothing": b"",
}


def changed(data, place, size, order="big", count=2, less=0):
    """A file whose header says another size: at a place its first side, behind it its second."""
    sides = b"".join((side - less).to_bytes(count, order) for side in size)
    return data[:place] + sides + data[place + len(sides) :]


def sized(height, width):
    """The start of a file of each kind that says how many pixels it has."""
    gif = file(PIXELS, "GIF", "P")
    jpeg, screen = FILES["JPEG"][0], (width, height)
    files = {
        "JPEG": changed(jpeg, jpeg.index(b"\xff\xc0") + 5, (height, width)),
        "PNG": changed(FILES["PNG"][0], 16, screen, count=4),
        "GIF": changed(gif, 6, screen, "little"),
        "frame of a GIF": changed(gif, gif.index(b",\0\0\0\0<\0") + 5, screen, "little"),
        "BMP": changed(FILES["BMP"][0], 18, screen, "little", 4),
    }
    webp = {
        "WebP": changed(file(PIXELS, "WEBP"), 26, screen, "little"),
        "lossless WebP": changed(
            file(PIXELS, "WEBP", lossless=True), 21, [(width - 1) | ((height - 1) << 14)], "little", 4
        ),
        "WebP with metadata": changed(turned("WEBP", 8), 24, screen, "little", 3, less=1),
    }
    return files | (webp if hasattr(tf.io, "decode_webp") else {})


def samples_of(files, size=PIXELS.shape[:2]):
    fixations = Fixations.from_rows([(1.5, 2.5, 0, 0.0)])
    return Samples([Sample(name, data, size, fixations, 2.0) for name, data in files.items()])


@pytest.fixture(scope="module")
def echo():
    """A model whose map is a sum of the colours of the image."""
    seen = keras.Input((SIDE, SIDE, 3))
    layer = keras.layers.Conv2D(1, 1, use_bias=False, name="saliency")
    model = keras.Model(seen, layer(seen))
    layer.set_weights([np.reshape(WEIGHTS, (1, 1, 3, 1))])
    return model


@pytest.fixture(scope="module")
def served(echo, tmp_path_factory):
    """A source of the exported model, and its signatures."""
    directory = tmp_path_factory.mktemp("served") / "1"
    ks.export_saved_model(echo, directory)
    source = SavedModelSource(directory)
    return source, tf.saved_model.load(str(directory))


def test_every_door_sees_the_same_pixels(echo, served, tmp_path):
    samples = samples_of({name: data for name, (data, *_) in FILES.items()})
    paths = [tmp_path / f"{i}.image" for i in range(len(samples))]
    for path, sample in zip(paths, samples, strict=True):
        path.write_bytes(sample.image)
    source, exported = served
    pngs = exported.signatures["png"](image_bytes=tf.constant([sample.image for sample in samples]))
    doors = {
        "Sample.read": [sample.read() for sample in samples],
        "training": np.concatenate([batch.numpy() for batch, _ in samples.pipeline((40, 60))]),
        "evaluation": [made.values for made in ModelSource(echo, "echo").predictions(samples)],
        "evaluation of a SavedModel": [made.values for made in source.predictions(samples)],
        "prediction": ks.predict(echo, paths),
        "serving": [tf.io.decode_png(png).numpy()[..., 0] for png in pngs["saliency_png_bytes"]],
    }
    for door, seen in doors.items():
        for found, decoded, name in zip(seen, doors["Sample.read"], FILES, strict=True):
            _, pixels, tolerance = FILES[name]
            found, expected = np.asarray(found, "float64"), [decoded.astype("float64"), pixels.astype("float64")]
            if found.ndim == 2:
                expected = [colours @ WEIGHTS for colours in expected]
            if door in ("serving", "evaluation of a SavedModel"):  # whose maps have a peak of one, or of 255
                found = found / found.max() * expected[0].max()
            rounding = 0.51 if door == "serving" else 2e-3
            np.testing.assert_allclose(found, expected[0], atol=rounding, err_msg=f"{door}, {name}")
            assert np.abs(found - expected[1]).mean() <= tolerance + rounding, (door, name)


@pytest.mark.parametrize("name", REFUSED)
def test_every_door_refuses_alike(echo, served, tmp_path, name):
    samples, (source, exported) = samples_of({"whole": FILES["PNG"][0], name: REFUSED[name]}), served
    path = tmp_path / name
    path.write_bytes(REFUSED[name])

    def train():
        with naming_images(samples):
            list(samples.pipeline((40, 60)))

    doors = {
        "Sample.read": lambda: samples[1].read(),
        "training": train,
        "evaluation": lambda: list(ModelSource(echo, "echo").predictions(samples)),
        "evaluation of a SavedModel": lambda: list(source.predictions(samples)),
        "prediction": lambda: ks.predict(echo, path),
    }
    for door in doors.values():
        with pytest.raises(OSError, match=f"{name}: the image cannot be decoded .*Save it again as PNG or JPEG"):
            door()
    with pytest.raises(tf.errors.InvalidArgumentError):
        exported.signatures["serving_default"](image_bytes=tf.constant([REFUSED[name]]))


@pytest.mark.parametrize("name", sized(1, 1))
def test_an_image_of_too_many_pixels_is_refused_before_it_is_decoded(name):
    for size, refused in (((8192, 8192), False), ((8193, 8192), True), ((8192, 8193), True), ((16383, 16383), True)):
        reason = image_header.flaw(sized(*size)[name]).numpy()
        assert reason == (image_header.LARGE.encode() if refused else b""), size


def test_frames_of_an_animation_count_together():
    frame = (
        bytes.fromhex("2c00000000") + (8000).to_bytes(2, "little") * 2 + bytes.fromhex("80000000000000" + "02024c0100")
    )
    data = file(PIXELS, "GIF", "P")[:-1]
    for frames, refused in ((1, False), (3, False), (4, True)):
        assert (image_header.flaw(data + frames * frame + b";").numpy() != b"") == refused


def test_other_formats_that_the_decoder_knows_are_refused():
    """TensorFlow 2.21 decodes JPEG XL, too, and no header says here how large it is."""
    with pytest.raises(image_files.ImageError, match=r"picture: .*Expected JPEG, PNG, GIF, BMP or WebP"):
        image_files.read(b"\xff\x0a" + bytes(100), "picture")


def test_a_served_image_of_too_many_pixels_and_an_empty_batch(served):
    _, exported = served
    for name in ("serving_default", "png"):
        with pytest.raises(tf.errors.InvalidArgumentError, match="it has more than 67,108,864 pixels"):
            exported.signatures[name](image_bytes=tf.constant([sized(10_000, 10_000)["PNG"]]))
    none = tf.zeros((0,), tf.string)
    pixels = exported.signatures["pixels"](pixels=tf.zeros((0, 5, 6, 3), tf.uint8))
    assert exported.signatures["serving_default"](image_bytes=none)["saliency"].shape == (0, SIDE, SIDE, 1)
    assert exported.signatures["png"](image_bytes=none)["saliency_png_bytes"].shape == (0,)
    assert pixels["saliency"].shape == (0, SIDE, SIDE, 1)


def test_a_sample_of_another_size_than_its_image_is_named_at_every_door(echo, served):
    samples = samples_of({"whole": FILES["JPEG of orientation 6"][0]}, size=(60, 40))
    for door in (
        lambda: samples[0].read(),
        lambda: list(ModelSource(echo, "echo").predictions(samples)),
        lambda: list(served[0].predictions(samples)),
    ):
        with pytest.raises(ValueError, match=r"whole: the image is \(40, 60\), and its fixations were recorded"):
            door()


@pytest.mark.parametrize("number", [1, 6])
def test_a_turned_picture_is_upright_in_a_file_for_who_cannot_turn_it(number):
    data = turned("PNG", number)
    made = image_files.upright(data, image_files.read(data, "picture"))
    assert (made == data) == (number == 1)
    np.testing.assert_array_equal(tf.io.decode_image(made, channels=3), PIXELS)


@pytest.mark.usefixtures("eager")
def test_the_way_up_is_found_without_a_graph():
    for number in range(1, 9):
        np.testing.assert_array_equal(image_files.decode(turned("PNG", number)), PIXELS)


@pytest.mark.parametrize("numbers", [(6, 6), (3, 7)])
def test_pictures_that_are_turned_alike_or_not_are_upright_in_training(numbers):
    samples = samples_of({str(i): turned("PNG", number) for i, number in enumerate(numbers)})
    for seen in next(iter(images(samples, (40, 60))))[1]:
        np.testing.assert_allclose(seen, PIXELS, atol=1e-3)


def test_a_picture_that_was_shown_as_it_is_stored_is_not_turned():
    stored = np.rot90(PIXELS)
    sample = Sample("turned", turned("PNG", 6), (60, 40), Fixations.from_rows([(1, 2, 0, 0)]), 2.0, as_stored=True)
    np.testing.assert_array_equal(sample.read(), stored)
    ((_, batch),) = images(Samples([sample]), (60, 40))
    np.testing.assert_allclose(batch[0], stored, atol=1e-3)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_broken_metadata_are_no_error(kind):
    """What cannot be read in them counts as upright."""
    data, rng = bytearray(turned(kind, 6)), np.random.default_rng(0)
    assert int(orientation.orientation(bytes(data))) == 6
    for _ in range(60):
        broken = data.copy()
        for place in rng.integers(4, 150, 3):
            broken[place] = rng.integers(256)
        assert 1 <= int(orientation.orientation(bytes(broken[: rng.integers(5, len(broken))]))) <= 8


def test_the_decoder_is_tensorflows():
    """So that no score of a data set of upright JPEG files depends on anything else."""
    files = {name: data for name, (data, *_) in FILES.items() if "orientation" not in name}
    for seen, data in zip(next(iter(images(samples_of(files), (40, 60), 99)))[1], files.values(), strict=True):
        expected = tf.io.decode_image(data, channels=3, expand_animations=False)
        np.testing.assert_array_equal(image_files.decode(data), expected)
        np.testing.assert_allclose(seen, expected, atol=1e-3)
