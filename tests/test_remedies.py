"""What an error message tells to do has been done: after it, the same call works."""

import dataclasses
import re

import cv2
import h5py
import keras
import numpy as np
import pytest
import scipy.io
import tensorflow as tf
from PIL import Image
from scipy.special import logsumexp

import keras_saliency as ks
from keras_saliency.data import DataSet, Fixations, Sample, Samples, synthetic
from keras_saliency.evaluation import map_files, pysaliency, scoring, sources
from keras_saliency.evaluation.run import _check_names

SIZE = (12, 16)
FOUND = "1001.jpg"
RNG = np.random.default_rng(0)
MAP = np.round(RNG.uniform(1, 200, SIZE))
DENSITY = np.where(RNG.random(SIZE) > 0.5, MAP, 0) / 1e4
ROWS = Fixations.from_rows([(1.5, 2.5, 0, 0.0)])
PICTURE = RNG.integers(0, 256, (*SIZE, 3)).astype("uint8")


def png(picture=PICTURE):
    return cv2.imencode(".png", picture[..., ::-1])[1].tobytes()


def sample(name=FOUND, **changes):
    return dataclasses.replace(Sample(name, png(), SIZE, ROWS, 1.0), **changes)


def write(path, values=MAP):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npy":
        np.save(path, values)
    elif path.suffix == ".mat":
        scipy.io.savemat(path, {"map": values} if isinstance(values, np.ndarray) else values)
    else:
        path.write_bytes(cv2.imencode(path.suffix, np.uint8(values))[1].tobytes())


def score_map(values, resize=False):
    return map_files.as_prediction(values, sample(), resize)


def score_folder(folder, *names):
    return list(sources.FolderSource(folder).predictions(Samples([sample(name) for name in names or [FOUND]])))


def score_file(file):
    return list(sources.HDF5Source(file).predictions(Samples([sample()])))


def hands(*test):
    data = synthetic.read(splits={"train": 1, "validation": 1, "test": 1})
    return DataSet("hands", data.train, data.validation, Samples(test))


def is_log_density(predicted):
    assert predicted.is_log_density


# Each: a function of a new folder and of a model, what it says, and functions of the same that do what it says. A
# remedy with several ways has a function for each.
CASES = {}


def case(said, *remedies):
    """Adds a row to the table."""

    def add(wrong):
        CASES[wrong.__name__.replace("_", " ")] = (wrong, said, remedies)
        return wrong

    return add


LARGE = cv2.resize(MAP, (32, 24))


@case(
    'Write maps at the size of their images, or use convention="mit", which resizes them',
    lambda folder, model: score_map(cv2.resize(LARGE, SIZE[::-1])),
    lambda folder, model: score_map(LARGE, resize=True),
)
def a_map_of_another_size(folder, model):
    score_map(LARGE)


@case(
    "Transpose it, cut off its padding, or resize it to the size of its image",
    lambda folder, model: score_map(MAP.T.T),
    lambda folder, model: score_map(np.pad(MAP, [(10, 10), (0, 0)])[10:-10]),
    lambda folder, model: score_map(cv2.resize(cv2.resize(MAP, (40, 12)), SIZE[::-1])),
)
def a_map_of_another_shape(folder, model):
    for resize in (False, True):
        for values in (np.pad(MAP, [(10, 10), (0, 0)]), cv2.resize(MAP, (40, 12))):
            with pytest.raises(ValueError, match="Transpose it, cut off its padding, or resize it"):
                score_map(values, resize)
    score_map(MAP.T, resize=True)


@case(
    "give a density of zero a little of the uniform one before its logarithm",
    lambda folder, model: is_log_density(score_map(np.log(0.99 * DENSITY / DENSITY.sum() + 0.01 / DENSITY.size))),
)
def a_log_density_of_zero(folder, model):
    with np.errstate(divide="ignore"):
        score_map(np.log(DENSITY / DENSITY.sum()))


@case(
    "Subtract its logsumexp if it is one, else its minimum",
    lambda folder, model: is_log_density(score_map(MAP - 500.0 - logsumexp(MAP - 500.0))),
    lambda folder, model: score_map(MAP - 500.0 - (MAP - 500.0).min()),
)
def a_map_with_negative_values(folder, model):
    score_map(MAP - 500.0)


@case("Write it again", lambda folder, model: (write(folder / "1001.jpg"), score_folder(folder)))
def half_a_map(folder, model):
    write(folder / "1001.jpg")
    whole = (folder / "1001.jpg").read_bytes()
    (folder / "1001.jpg").write_bytes(whole[: len(whole) * 4 // 5])
    score_folder(folder)


@case(
    "Give the maps, not overlays or photographs",
    lambda folder, model: (write(folder / "1001.png"), score_folder(folder)),
)
def a_coloured_map(folder, model):
    write(folder / "1001.png", PICTURE)
    score_folder(folder)


@case("Save one map in each file", lambda folder, model: (write(folder / "1001.mat"), score_folder(folder)))
def two_maps_in_a_file(folder, model):
    write(folder / "1001.mat", {"a": MAP, "b": MAP})
    score_folder(folder)


def expected_file(i):
    """Writes the map under the i-th of the names that the message lists."""

    def follow(folder, model):
        with pytest.raises(ValueError) as error:
            score_folder(folder)
        names = re.search(r"Expected one of (.*)\.$", str(error.value))[1].split(", ")
        assert len(names) == 7
        write(folder / names[i])
        score_folder(folder)

    return follow


@case("1 of 1 maps are missing in .* Expected one of 1001_log_density.npy, ", *map(expected_file, range(7)))
def a_missing_map(folder, model):
    score_folder(folder)


@case("Keep one of them", lambda folder, model: ((folder / "deep" / "1001.png").unlink(), score_folder(folder)))
def two_maps_of_an_image(folder, model):
    write(folder / "1001.png")
    write(folder / "deep" / "1001.png")
    score_folder(folder)


@case(
    "Give each image a map of its name",
    lambda folder, model: (
        (folder / "1.png").unlink(),
        write(folder / "a" / "1.png"),
        write(folder / "b" / "1.png"),
        score_folder(folder, "a/1.jpg", "b/1.jpg"),
    ),
)
def a_map_that_fits_two_images(folder, model):
    write(folder / "1.png")
    score_folder(folder, "a/1.jpg", "b/1.jpg")


def rewrite(folder, model):
    (folder / "maps.h5").unlink()
    export_maps(folder, FOUND)
    score_file(folder / "maps.h5")


def export_maps(folder, *names):
    pysaliency.export_predictions([MAP] * len(names), Samples(map(sample, names)), folder / "maps.h5")


@case("Write it again", rewrite)
def half_an_hdf5_file(folder, model):
    export_maps(folder, FOUND)
    (folder / "maps.h5").write_bytes((folder / "maps.h5").read_bytes()[:1000])
    score_file(folder / "maps.h5")


@case(
    'use convention="mit", which resizes them',
    lambda folder, model: list(sources.HDF5Source(folder / "maps.h5", resize=True).predictions(Samples([sample()]))),
)
def an_hdf5_file_of_small_maps(folder, model):
    with h5py.File(folder / "maps.h5", "w") as file:
        file[FOUND] = MAP[::2, ::2]
    score_file(folder / "maps.h5")


@case(
    "Choose another name, or delete it",
    lambda folder, model: pysaliency.export_predictions([MAP], Samples([sample()]), folder / "others.h5"),
    rewrite,
)
def a_file_that_is_there(folder, model):
    (folder / "maps.h5").write_bytes(b"mine")
    export_maps(folder, FOUND)


@case(
    "The samples must have different names",
    lambda folder, model: pysaliency.export_predictions(
        [MAP] * 2, Samples([sample("a"), sample("b")]), folder / "m.h5"
    ),
)
def two_samples_of_one_name(folder, model):
    pysaliency.export_predictions([MAP] * 2, Samples([sample(), sample()]), folder / "m.h5")


@case(
    "nowhere does not exist. Expected a model, a folder of maps, an HDF5 file, one of the baselines",
    lambda folder, model: [sources.open_source(name, data=hands(sample())) for name in ("itti", "gbvs", "signature")],
    lambda folder, model: (write(folder / "nowhere" / "1001.png"), sources.open_source(folder / "nowhere")),
)
def a_source_that_is_not_there(folder, model):
    with pytest.raises(FileNotFoundError, match="an HDF5 file, or a model that"):  # Without data, a baseline is none.
        sources.open_source("gbvs")
    sources.open_source(folder / "nowhere", data=hands(sample()))


@case("Rename one of them", lambda folder, model: _check_names([sources.ModelSource(model, name) for name in "ab"]))
def two_sources_of_one_name(folder, model):
    _check_names([sources.ModelSource(model, "a")] * 2)


@case(
    r"give make_truth\(negatives=...\)",
    lambda folder, model: scoring.score(MAP, scoring.make_truth(sample(), negatives=np.ones(SIZE)), metrics=["sauc"]),
)
def shuffled_auc_without_negatives(folder, model):
    scoring.score(MAP, scoring.make_truth(sample()), metrics=["sauc"])


@case(
    r"give make_truth\(baseline=...\)",
    lambda folder, model: scoring.score(MAP, scoring.make_truth(sample(), baseline=np.ones(SIZE)), metrics=["ig"]),
)
def information_gain_without_a_baseline(folder, model):
    scoring.score(MAP, scoring.make_truth(sample()), metrics=["ig"])


def export(folder, model):
    ks.export_saved_model(model, folder / "1")


@case(
    "Choose the next version, or delete it",
    lambda folder, model: ks.export_saved_model(model, folder / "2"),
    lambda folder, model: ((folder / "1" / "mine").unlink(), (folder / "1").rmdir(), export(folder, model)),
)
def an_export_that_is_there(folder, model):
    (folder / "1").mkdir()
    (folder / "1" / "mine").touch()
    export(folder, model)


@case(
    "Expected what export_saved_model wrote",
    lambda folder, model: (export(folder, model), sources.SavedModelSource(folder / "1")),
)
def a_saved_model_of_another_kind(folder, model):
    tf.saved_model.save(tf.Module(), str(folder / "other"))
    sources.SavedModelSource(folder / "other")


def save(folder, model):
    (folder / "run").mkdir()
    model.save(folder / "run" / "model.keras")
    return folder / "run"


@case(
    "Expected a .keras file, the --workdir of a finished run, or a model that comes with the package: general",
    lambda folder, model: ks.load("general"),
    lambda folder, model: ks.load(save(folder, model)),
    lambda folder, model: ks.load(save(folder, model) / "model.keras"),
)
def a_run_without_a_model(folder, model):
    ks.load(folder)


def predict(folder, model, *names, out="maps", **options):
    for name in names:
        (folder / name).write_bytes(png())
    return ks.predict(model, [folder / name for name in names], folder / out, verbose=False, **options)


@case(
    "Choose another --out folder",
    lambda folder, model: predict(folder, model, "a.png", out="others"),
)
def maps_that_are_there(folder, model):
    for _ in range(2):
        predict(folder, model, "a.png")


@case(
    "Rename them, or predict them apart",
    lambda folder, model: predict(folder, model, "a.png", "b.jpg"),
    lambda folder, model: [predict(folder, model, name, out=name[2:]) for name in ("a.png", "a.jpg")],
)
def photographs_of_one_name(folder, model):
    predict(folder, model, "a.png", "a.jpg")


@case("Leave `out` away for arrays", lambda folder, model: ks.predict(model, [PICTURE]))
def arrays_to_be_written(folder, model):
    ks.predict(model, [PICTURE], folder / "maps")


@case(
    r"An image is \(height, width, 3\), uint8",
    lambda folder, model: ks.predict(model, np.uint8(PICTURE / 255.0 * 255.0)),
)
def an_image_of_floats(folder, model):
    ks.predict(model, PICTURE / 255.0)


def saved_again(suffix):
    def follow(folder, model):
        for path in list(folder.glob("a.*")):
            Image.open(path).convert("RGB").save(folder / f"again{suffix}")
        ks.predict(model, folder / f"again{suffix}")

    return follow


def unreadable(suffix, mode):
    def wrong(folder, model):
        image = Image.fromarray(np.dstack([PICTURE, PICTURE[..., 0]]))
        image.convert(mode).save(folder / f"a{suffix}")
        ks.predict(model, folder / f"a{suffix}")

    wrong.__name__ = f"an_image_{suffix}_{mode}"
    return wrong


for suffix, mode in ((".tif", "RGB"), (".bmp", "P"), (".webp", "RGBA")):
    case("Save it again as PNG or JPEG", saved_again(".png"), saved_again(".jpg"))(unreadable(suffix, mode))


def overflowing(dtype):
    images = keras.Input((16, 16, 3))
    scale = keras.layers.Rescaling(300.0, dtype=dtype)(images)
    return keras.Model(images, keras.layers.Activation("relu", dtype="float32")(scale[..., :1]))


@case("Compute it in float32", lambda folder, model: ks.predict(overflowing("float32"), PICTURE))
def predictions_that_overflow(folder, model):
    ks.predict(overflowing("float16"), PICTURE)


@case(
    r'create_model\(..., head="log-density"\)',
    lambda folder, model: predict(folder, model, "a.png", log_density=True),
)
def the_log_density_of_a_model_without_one(folder, model):
    predict(folder, overflowing("float32"), "a.png", log_density=True)


def broken(model, value):
    copy = keras.models.clone_model(model)
    copy.set_weights([np.full_like(weight, value) for weight in model.get_weights()])
    return copy


@case(
    "Take weights of an earlier epoch, or train again",
    lambda folder, model: ks.load(save(folder, broken(model, 0.01))),
)
def weights_that_are_not_finite(folder, model):
    broken(model, np.nan).save(folder / "model.keras")
    ks.load(folder)


OUTSIDE = Fixations.from_rows([(1.5, 2.5, 0, 0.0), (16.0, 2.5, 0, 0.1)])


@case(r"Take `within\(size\)`", lambda folder, model: OUTSIDE.within(SIZE).counts(SIZE))
def fixations_outside_the_image(folder, model):
    OUTSIDE.counts(SIZE)


@case(r"Give \(height, width\) of its image in pixels", lambda folder, model: Samples([sample(size=SIZE)]))
def a_sample_without_a_size(folder, model):
    Samples([sample(size=None)])


@case(
    "Scale them to the image, and give its size",
    lambda folder, model: sample(
        size=SIZE, fixations=dataclasses.replace(ROWS, x=ROWS.x * 16 / 32, y=ROWS.y * 12 / 24)
    ).read(),
)
def a_sample_of_another_size_than_its_image(folder, model):
    sample(size=(24, 32)).read()


EMPTY = sample("empty", fixations=ROWS[:0])


@case("Leave it out, as a DataSet does", lambda folder, model: hands(sample(), EMPTY).test.pipeline(SIZE))
def a_target_without_fixations(folder, model):
    Samples([sample(), EMPTY]).pipeline(SIZE)


@case("no usable sample is left for the test split. .*Give it some", lambda folder, model: hands(sample()))
def a_split_without_samples(folder, model):
    hands()


@case("Give each a name of its own, such as FOLDER/NAME", lambda folder, model: hands(sample("a/1"), sample("b/1")))
def images_of_one_name(folder, model):
    hands(sample(), sample())


@case(
    "degrees needs a data set whose pixels_per_degree is known, and no sigma beside it",
    lambda folder, model: Samples([sample()], pixels_per_degree=2.0).pipeline(SIZE, degrees=1.0),
)
def a_blur_in_unknown_degrees(folder, model):
    Samples([sample()]).pipeline(SIZE, degrees=1.0)


@case(
    r"Expected one data set, such as \{'osie': 'data/osie'\}",
    lambda folder, model: ks.data.open_data({"synthetic": hands(sample())}),
)
def two_data_sets(folder, model):
    ks.data.open_data({"osie": None, "scene": None})


def osie(folder):
    """A folder of the form of OSIE, with an image for each split."""
    names = ("1001.jpg", "1002.jpg", "1003.jpg")
    (folder / "osie" / "stimuli").mkdir(parents=True, exist_ok=True)
    for name in names:
        Image.new("RGB", (800, 600)).save(folder / "osie" / "stimuli" / name)
    subjects = [{"fix_x": [1.0, 2.0], "fix_y": [1.0, 2.0], "fix_duration": [90.0, 90.0]}] * 2
    write(folder / "osie" / "eye" / "fixations.mat", {"fixations": [{"img": n, "subjects": subjects} for n in names]})
    return folder / "osie"


def load_osie(folder, model):
    assert len(ks.data.load("osie", osie(folder)).test) == 1


@case("1 of 3 images are missing, .*Give the folder that holds the complete data set", load_osie)
def an_image_that_is_missing(folder, model):
    (osie(folder) / "stimuli" / "1002.jpg").unlink()
    ks.data.load("osie", folder / "osie")


@case("fixations.mat is missing. Give the folder that holds the complete data set", load_osie)
def fixations_that_are_missing(folder, model):
    (osie(folder) / "eye" / "fixations.mat").unlink()
    ks.data.load("osie", folder / "osie")


@case("Get it again from its source", load_osie)
def half_a_file_of_fixations(folder, model):
    file = osie(folder) / "eye" / "fixations.mat"
    file.write_bytes(file.read_bytes()[:300])
    ks.data.load("osie", folder / "osie")


def in_environment(folder, model):
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("KERAS_SALIENCY_DATA", str(osie(folder).parent))
        ks.data.load("osie")


@case(
    r"give \{'osie': DIR\} in Python, .* or set KERAS_SALIENCY_DATA to a folder that holds osie/",
    lambda folder, model: ks.data.open_data({"osie": osie(folder)}),
    in_environment,
)
def a_data_set_without_its_folder(folder, model):
    with pytest.MonkeyPatch.context() as patched:
        patched.delenv("KERAS_SALIENCY_DATA", raising=False)
        ks.data.load("osie")


@pytest.mark.parametrize("name", CASES)
def test_what_a_message_tells_to_do_works(name, tmp_path, model):
    wrong, said, remedies = CASES[name]
    assert remedies
    for i, remedy in enumerate(remedies):
        folder = tmp_path / str(i)
        folder.mkdir()
        with pytest.raises((ValueError, OSError), match=said):
            wrong(folder, model)
        remedy(folder, model)
