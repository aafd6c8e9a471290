"""Runs what stands on the pages: every Python block, and every command line, link and name as far as they are checked.

The blocks of a page are run one after the other, in one namespace and a folder of their own, with stand-ins that make
them fast: data sets of a few small images, narrow networks with random weights, recipes of one epoch, no figures. So
the code is known to run, and the numbers beside it are not known to hold. A block below `<!-- not run: reason -->` is
left out.
"""

import ast
import dataclasses
import functools
import io
import itertools
import re
import shlex
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
import typer
from conftest import REPOSITORY
from legacy_files import write_keras1
from matplotlib.figure import Figure
from PIL import Image

import keras_saliency as ks
from keras_saliency import cli
from keras_saliency.backbones.table import BACKBONES, Backbone
from keras_saliency.baselines import BASELINES, VIDEO_BASELINES
from keras_saliency.data import DATA_SETS, Samples, synthetic, synthetic_video
from keras_saliency.evaluation import report as evaluation_report
from keras_saliency.formulas.conventions import CONVENTIONS
from keras_saliency.legacy.model_layers import find_layers
from keras_saliency.losses import LOSSES, PRESETS, perceptual
from keras_saliency.metrics import METRICS
from keras_saliency.models import ARCHITECTURES, factory
from keras_saliency.models.recording import with_recording_head
from keras_saliency.reporting import plotting
from keras_saliency.reporting.tables import HEADINGS
from keras_saliency.serving import load
from keras_saliency.training import changes
from keras_saliency.training import report as training_report
from keras_saliency.zoo import RECIPES

PAGES = sorted([REPOSITORY / "README.md", *(REPOSITORY / "docs").glob("*.md")])
NAMES = [page.relative_to(REPOSITORY).as_posix() for page in PAGES]
FENCE = re.compile(r"^(?P<above>[^\n]*)\n+^```(?P<language>\w*)\n(?P<code>.*?)^```$", re.M | re.S)
NOT_RUN = re.compile(r"<!-- not run: .+ -->")
COMMAND_LANGUAGES = ("", "sh", "bash", "console")
pytestmark = pytest.mark.filterwarnings("ignore:Even though the .*run_functions_eagerly")

# A page may add rows.
TABLES = [
    LOSSES,
    PRESETS,
    METRICS,
    HEADINGS,
    *CONVENTIONS.values(),
    ARCHITECTURES,
    BACKBONES,
    DATA_SETS,
    BASELINES,
    VIDEO_BASELINES,
    RECIPES,
]

# How a page trains what `finished_run` is.
FINISHED = """ks.train('osie_lite0', data={'osie': 'data/osie'})"""
RECORDINGS = ("osie", "scene")
SIZE, SPLITS, OBSERVERS, FIXATIONS = (48, 64), {"train": 6, "validation": 2, "test": 2}, 4, 5
NARROW = 16  # what the channels of networks are divided by


def blocks(page):
    """The language, the code, the line before it and whether it is run, of each fenced block."""
    text = page.read_text()
    for match in FENCE.finditer(text):
        line = text.count("\n", 0, match.start("code"))
        yield match["language"], match["code"], line, not NOT_RUN.fullmatch(match["above"].strip())


# Stand-ins.


def small_data(name, sizes):
    """A data set of a few small images under the name of a real one."""
    data = synthetic.read(splits=SPLITS)
    if name == "synthetic":
        return data
    numbers = itertools.count(1001)

    def renamed(samples):
        changed = [dataclasses.replace(s, name=f"{next(numbers)}.jpg", density=None) for s in samples]
        return Samples(changed, sizes)

    splits = {part: renamed(getattr(data, part)) for part in SPLITS}
    return dataclasses.replace(data, name=name, pixels_per_degree=sizes, **splits)


def small_backbone(images, weights=None):
    """Five stages of few channels, in place of EfficientNet-Lite."""
    x = images
    for stage in range(5):
        x = keras.layers.Conv2D(4, 3, strides=2, padding="same", name=f"stage{stage}")(x)
        x = keras.layers.BatchNormalization(name=f"stage{stage}_bn")(x)
        x = keras.layers.ReLU(name=f"stage{stage}_relu")(x)
    return keras.Model(images, x)


def narrow(build):
    """The same network with a few channels and random weights."""

    def change(layer):
        config = layer.get_config()
        if "filters" in config:
            config["filters"] = max(1, config["filters"] // NARROW)
        return type(layer).from_config(config)

    def build_narrow(images, weights=None):
        return keras.models.clone_model(build(images, None), clone_function=change)

    return build_narrow


def small_recipe(recipe, framed=True):
    """The same recipe, and those it goes on from, with small images and one epoch."""
    framed &= not recipe.histories
    return dataclasses.replace(
        recipe,
        size=SIZE if framed and not (recipe.heads or recipe.members) else None,
        area=SIZE[0] * SIZE[1],
        batch=8,
        epochs=1,
        start=recipe.start and small_recipe(recipe.start, framed),
        members=tuple(map(small_recipe, recipe.members)),
    )


@pytest.fixture(scope="module", autouse=True)
def stand_ins():
    create, change = factory.create_model, changes.change

    @functools.wraps(create)
    def create_narrow(name="multilevel", *, width=1.0, **options):
        return create(name, width=width / NARROW, **options)

    def change_and_shorten(recipe, changes):
        return dataclasses.replace(change(recipe, changes), epochs=1)

    perceptual._frozen.cache_clear()  # it keeps networks
    tf.config.run_functions_eagerly(True)  # a step is faster than its graph is made
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"SIZE": SIZE, "OBSERVERS": OBSERVERS, "FIXATIONS": FIXATIONS}.items():
            patch.setattr(synthetic, name, value)
        patch.setattr(synthetic_video, "SPLITS", {"train": 4, "validation": 2, "test": 2})
        for name, pixels in {"osie": 24.0, "osie-mouse": 24.0, "scene": None, "synthetic": None}.items():
            data = small_data(name, pixels)
            patch.setitem(DATA_SETS, name, lambda folder=None, data=data: data)
        for name, row in BACKBONES.items():
            small = row._replace(build=narrow(row.build))
            if name.startswith("efficientnet-lite"):
                small = Backbone(small_backbone, 1 / 128, [-1.0] * 3, False, tuple(f"stage{i}_relu" for i in (2, 3, 4)))
            patch.setitem(BACKBONES, name, small)
        for name, recipe in RECIPES.items():
            patch.setitem(RECIPES, name, small_recipe(recipe))
        patch.setattr("keras_saliency.training.run.change", change_and_shorten)
        patch.setattr(factory, "create_model", create_narrow)
        # Their weights fit no narrow networks.
        patch.setattr(load, "load_shipped", lambda name: with_recording_head(create_narrow(weights=None), RECORDINGS))
        patch.setattr(factory, "fill_from", lambda model, name: None)
        # Drawing takes seconds.
        patch.setattr(Figure, "savefig", lambda figure, path, **options: Path(path).touch())
        patch.setattr(plotting, "plot_samples", lambda path, rows: Path(path).touch())
        for room in (evaluation_report, training_report):
            patch.setattr(room, "samples_to_show", lambda *arguments, **options: [])
        yield
    tf.config.run_functions_eagerly(False)
    perceptual._frozen.cache_clear()


@pytest.fixture(scope="module")
def finished_run(stand_ins, tmp_path_factory):
    """The folder of a run of `osie_lite0`."""
    folder = tmp_path_factory.mktemp("run") / "osie_lite0"
    ks.train("osie_lite0", data={"osie": DATA_SETS["osie"]()}, workdir=folder)
    return folder


@pytest.fixture
def own_tables(stand_ins):
    """Takes back what a page adds to the tables."""
    rows = [dict(table) for table in TABLES]
    yield
    for table, before in zip(TABLES, rows, strict=True):
        table.clear()
        table.update(before)


@pytest.mark.parametrize("name", NAMES)
def test_every_block_is_found(name):
    fences = re.findall(r"^```", (REPOSITORY / name).read_text(), re.M)
    assert 2 * len(list(blocks(REPOSITORY / name))) == len(fences)


@pytest.mark.parametrize("name", NAMES)
def test_the_python_on_a_page_runs(name, finished_run, own_tables, tmp_path, monkeypatch):
    page = REPOSITORY / name
    found = [block for block in blocks(page) if block[0] == "python" and block[3]]
    prepare(tmp_path, finished_run, "\n".join(code for _, code, *_ in found))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(REPOSITORY / "docs")  # a page runs its figure's code
    monkeypatch.delenv("KERAS_SALIENCY_DATA", raising=False)
    namespace = {"__name__": "page"}
    keras.utils.set_random_seed(0)
    for _, code, line, _ in found:
        # So that an error tells the line of the page.
        exec(compile("\n" * line + code, page, "exec"), namespace)


def trained(code):
    """The names of the runs that code trains, but for one like `finished_run`, which is there and is opened."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "ks.train" and ast.unparse(node) != FINISHED:
            named = {keyword.arg: keyword.value for keyword in node.keywords}.get("workdir", node.args[0])
            yield Path(ast.unparse(named).strip("'")).name


def prepare(folder, finished_run, code):
    """Puts the files that a page speaks of into its folder."""
    data = DATA_SETS["osie"]()
    for name in ("data/osie", "data/scene", "photographs", "maps", "runs"):
        (folder / name).mkdir(parents=True)
    with Image.open(io.BytesIO(data.test[0].image)) as image:
        for name in ("photograph.jpg", "photographs/first.jpg", "photographs/second.jpg"):
            image.convert("RGB").save(folder / name)
    rng = np.random.default_rng(0)
    maps = [rng.random(sample.size) for sample in data.test]
    for sample, values in zip(data.test, maps, strict=True):
        np.save(folder / "maps" / f"{Path(sample.name).stem}.npy", values)
    ks.interop.export_predictions(maps, data.test, folder / "deepgaze.hdf5")
    (folder / "lab").mkdir()
    for i in range(10):
        (folder / "lab" / f"{i}.png").write_bytes(data.train[0].image)
        rows = [(x, y, observer, 0.0) for observer in range(3) for x, y in rng.uniform(8, 40, (3, 2))]
        np.savetxt(folder / "lab" / f"{i}.csv", rows, delimiter=",")
    (folder / "recordings" / "photographs").mkdir(parents=True)
    for i, sample in enumerate(data.train):
        (folder / "recordings" / "photographs" / f"{i}.png").write_bytes(sample.image)
    points = [f"{i},{30 + 4 * i},{20 + observer},{observer}" for i in range(len(data.train)) for observer in range(3)]
    (folder / "recordings" / "fixations.csv").write_text("\n".join(["image,x,y,observer", *points]))
    for name in {"osie_lite0", *re.findall(r"runs/(\w+)", code)} - set(trained(code)):
        shutil.copytree(finished_run, folder / "runs" / name)
    if "mlnet_salicon_weights.h5" in code:
        write_weights_of_mlnet(folder / "mlnet_salicon_weights.h5")


def write_weights_of_mlnet(path):
    """As Keras 1 writes them with Theano: kernels transposed and flipped."""
    stored = {}
    for layer in find_layers(ks.create_model("mlnet", weights=None)).values():
        first, *bias = layer.get_weights() or [None]
        if isinstance(layer, ks.layers.LearnedPrior):
            stored[layer.name] = {"W": first.reshape(1, 1, *first.shape[1:3])}
        elif first is not None:
            stored[layer.name] = {"W": first[::-1, ::-1].transpose(3, 2, 0, 1), "b": bias[0]}
    write_keras1(path, stored)


# Commands, links and names.


def prose(page):
    """The text of a page without its fenced blocks."""
    return FENCE.sub(lambda match: match["above"] + "\n", page.read_text())


def spans(page):
    """What stands between backticks in the text."""
    return [" ".join(span.split()) for span in re.findall(r"(?<!`)`([^`]+)`(?!`)", prose(page))]


def commands(page):
    """The command lines of a page, and whether each is whole: in a sentence it need not be."""
    for span in spans(page):
        yield span, False
    for language, code, *_ in blocks(page):
        if language in COMMAND_LANGUAGES:
            yield from ((line, True) for line in code.replace("\\\n", " ").splitlines())


def parse(words):
    """The parameters of a command line of the package; nothing is called."""
    command = typer.main.get_command(cli.app)
    context = command.make_context(words[0], list(words[1:]))
    name, command, rest = command.resolve_command(context, list(words[1:]))
    return command.make_context(name, list(rest), parent=context).params


def check_command(line, whole):
    """Fails unless a line could be run, as far as it calls what is in the repository."""
    words = [word for word in shlex.split(line, comments=True) if word not in ("...", "&&")]
    words = list(itertools.dropwhile(lambda word: re.fullmatch(r"\w+=\S+", word), words))
    if words[:1] == ["keras-saliency"] and len(words) > 1 and "--help" not in words:
        try:
            parameters = parse(words)
        except Exception as error:
            if type(error).__name__ == "MissingParameter" and not whole:
                return
            raise AssertionError(f"{line}: {error}") from error
        if whole and "recipe" in parameters:
            changes.override(ks.zoo.find_recipe(parameters["recipe"]), parameters["setting"] or [])
    elif words[:1] == ["python"] and words[1:] and words[1].endswith(".py"):
        assert (REPOSITORY / words[1]).is_file(), line
    elif words[:1] == ["make"]:
        targets = re.findall(r"^([\w-]+):", (REPOSITORY / "Makefile").read_text(), re.M)
        assert {word for word in words[1:] if "=" not in word} <= set(targets), line


@pytest.mark.parametrize("name", NAMES)
def test_the_commands_on_a_page_exist(name):
    for line, whole in commands(REPOSITORY / name):
        if re.match(r"(\w+=\S+ )*(keras-saliency|python|make)( |$)", line):
            check_command(line, whole)


@pytest.mark.parametrize("line", ["keras-saliency train", "keras-saliency train demo --sets epochs=3", "make demos"])
def test_a_wrong_command_is_found(line):
    with pytest.raises(AssertionError):
        check_command(line, whole=True)


def anchors(page):
    """What a link may name on a page: its headings as GitHub writes them, and named places."""
    text = prose(page)
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    named = re.findall(r'<a name="([^"]+)">', text)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings} | set(named)


@pytest.mark.parametrize("name", NAMES)
def test_the_links_on_a_page_lead_somewhere(name):
    page = REPOSITORY / name
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if re.match(r"\w+:", target):
            continue
        path, _, anchor = target.partition("#")
        other = page.parent / path if path else page
        assert other.exists(), target
        assert not anchor or anchor in anchors(other), target


@pytest.mark.parametrize("name", NAMES)
def test_what_a_page_names_is_there(name):
    page = REPOSITORY / name
    for path in re.findall(r"(?<![\w/.<-])(?:docs|keras_saliency|scripts|tests|zoo)/[\w/.-]*\w", prose(page)):
        assert (REPOSITORY / path).exists(), path
    for span in spans(page):
        match = re.match(r"(?:keras_saliency|ks)((?:\.\w+)+)", span)
        if match:
            functools.reduce(getattr, match[1].split(".")[1:], ks)
