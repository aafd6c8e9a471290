"""Who may import whom, read from the source."""

import ast
import functools
import inspect
import re

import keras
import pytest
from conftest import REPOSITORY

from keras_saliency.losses import LOSSES
from keras_saliency.metrics import METRICS

PACKAGE = REPOSITORY / "keras_saliency"
# Room -> the rooms that it may import, besides itself; "keras_saliency" is the door.
ALLOWED = {
    "formulas": set(),
    "reading": set(),
    "writing": set(),
    "legacy": {"reading"},
    "layers": {"formulas"},
    "backbones": {"formulas", "layers", "legacy"},
    "losses": {"formulas", "backbones", "writing"},
    "metrics": {"formulas"},
    "models": {"formulas", "layers", "backbones", "losses", "legacy"},
    "data": {"formulas", "reading", "writing"},
    "baselines": {"formulas", "backbones", "data"},
    "reporting": {"formulas", "data", "writing"},
    "serving": {"formulas", "data", "models", "reporting", "writing"},
    "runtimes": {"formulas", "data", "models", "serving", "writing"},
    "evaluation": {"formulas", "reading", "data", "baselines", "models", "reporting", "runtimes", "serving", "writing"},
    "scanpaths": {"formulas", "models", "data", "baselines", "evaluation", "reporting", "serving", "writing"},
    "training": {
        *("formulas", "reading", "legacy", "losses", "models", "data", "baselines", "reporting", "serving"),
        *("evaluation", "scanpaths", "writing"),
    },
    "quest": {"formulas", "losses", "models", "data", "baselines", "evaluation", "training", "writing"},
    "server": {"models", "serving"},
    "cli": {
        "keras_saliency",
        "server",
        "data",
        "evaluation",
        "quest",
        "reporting",
        "scanpaths",
        "serving",
        "training",
        "writing",
    },
}
# Files that call TensorFlow itself; what has no framework at all can be imported anywhere.
TENSORFLOW = {
    *("data", "server", "serving/export.py", "serving/warm_up.py", "training/devices.py", "training/features.py"),
    *("runtimes/frozen.py", "runtimes/on_litert.py"),
    *("formulas/emd.py", "losses/replicas.py", "models/cost.py"),
}
# The rooms that register classes, and what they stand on: see keras_saliency/__init__.py.
REGISTERED = ("formulas", "legacy", "layers", "backbones", "losses", "metrics", "models")
MODULES = sorted(PACKAGE.rglob("*.py"))


def imports(path, top_level_only=False):
    """The full names of what a file imports."""
    tree = ast.parse(path.read_text())
    for node in tree.body if top_level_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} imports by a relative name"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def place(path):
    """Where a file lies in the package, and the room it is in: the folder, or its own name beside the rooms."""
    relative = path.relative_to(PACKAGE)
    return relative.as_posix(), relative.with_suffix("").parts[0]


def is_module(name):
    path = REPOSITORY.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def module_of(name):
    """The module in an imported name: itself, or what the name is imported from."""
    return name if is_module(name) else name.rpartition(".")[0] or name


def test_every_file_is_in_a_room():
    rooms = {place(path)[1] for path in MODULES}
    assert rooms == {*ALLOWED, "__init__"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports(path):
    where, room = place(path)
    names = list(imports(path))
    assert not [name for name in names if name.startswith("keras.src")]
    assert not [name for name in imports(path, top_level_only=True) if name.split(".")[0] == "scripts"]
    assert path.read_text().count("\n") <= 400
    if where == "__init__.py":
        return
    assert not [name for name in imports(path, top_level_only=True) if name.startswith("keras_saliency.zoo")]
    if room not in TENSORFLOW and where not in TENSORFLOW:
        assert "tensorflow" not in {name.split(".")[0] for name in names}
    ours = [module_of(name) for name in names if name.split(".")[0] == "keras_saliency"]
    used = {name.split(".")[min(1, name.count("."))] for name in ours} - {"zoo"}
    assert used <= ALLOWED[room] | {room}
    if room in REGISTERED:
        # The names of a room are there when its own file has been read, its modules always.
        assert not set(ours) & {"keras_saliency", *(f"keras_saliency.{other}" for other in REGISTERED)}


@pytest.mark.parametrize("room", REGISTERED)
def test_rooms_that_register_classes_begin_with_keras(room):
    first = ast.parse((PACKAGE / room / "__init__.py").read_text()).body[1]
    assert isinstance(first, ast.Import) and first.names[0].name == "keras"


def test_no_two_files_import_each_other():
    graph = {}
    for path in MODULES:
        name = ".".join(path.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__")
        # Functions, too; the door stands for itself, and a room's own file for what it gathers.
        graph[name] = {module_of(other) for other in imports(path)} - {name} if name != "keras_saliency" else set()
    done = set()

    def walk(name, above):
        assert name not in above, " -> ".join([*above[above.index(name) :], name])
        if name not in done:
            for other in graph.get(name, ()):
                walk(other, [*above, name])
            done.add(name)

    for name in graph:
        walk(name, [])


def test_files_are_written_whole():
    # What an interrupted process leaves must not pass for the whole: each writes to a part that `files.whole` gives.
    writes = re.compile(r"\.(write_text|write_bytes|savefig)\(|model\.save\(|open\(\"wb?\"")
    lines = {(place(path)[0], line.strip()) for path in MODULES for line in path.read_text().splitlines()}
    assert {(where, line) for where, line in lines if writes.search(line) and not re.search("part|whole", line)} == {
        ("serving/on_tensorflow.py", "model.save(file)"),  # in a folder that is deleted, as is the next
        ("runtimes/frozen.py", "tf.saved_model.save(tf.Module(), str(folder), signatures=frozen)"),
        ("cli/common.py", 'with Path(os.devnull).open("w") as nowhere:'),
    }


def test_recipes_import_recipe_only():
    for path in (REPOSITORY / "zoo").rglob("[!_]*.py"):
        assert {module_of(name) for name in imports(path)} <= {"keras_saliency.training.recipe", "dataclasses"}
    used = {name.split(".")[0] for name in imports(PACKAGE / "training" / "recipe.py")}
    assert used == {"collections", "dataclasses", "math", "typing"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_public_signatures_carry_type_hints(path):
    def public(body, owner=""):
        for node in body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                yield from public(node.body, f"{node.name}.")
            elif isinstance(node, ast.FunctionDef) and (node.name == "__init__" or not node.name.startswith("_")):
                yield owner + node.name, node

    for name, node in public(ast.parse(path.read_text()).body):
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
        bare = [one.arg for one in arguments if one and not one.annotation and one.arg not in ("self", "cls")]
        assert not bare and node.returns is not None, f"{name}: {bare or 'what it returns'}"


def asks_for_the_order_of_axes(function):
    return (
        inspect.isroutine(function) | inspect.isclass(function)
        and "data_format" in inspect.signature(function).parameters
    )


ROOTS = {"keras": keras, "layers": keras.layers, "ops": keras.ops}
# What stands in these is called where `backbones.channels_last` has set the order: while a network is built.
BUILT = ("backbones", "models")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_call_leaves_the_order_of_the_axes_to_the_configuration_of_keras(path):
    def silent(call):
        """Whether the call is one of a function of Keras that would ask, and says nothing."""
        names = ast.unparse(call.func).split(".")
        if names[0] not in ROOTS:
            return False
        try:
            called = functools.reduce(getattr, names[1:], ROOTS[names[0]])
        except AttributeError:
            return False
        said = {keyword.arg for keyword in call.keywords}
        return asks_for_the_order_of_axes(called) and not said & {"data_format", None}

    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    if place(path)[1] not in BUILT:
        assert not [ast.unparse(call) for call in calls if silent(call)]


def test_scripts_parse_and_call():
    # Those that measure hold what is measured, too, and nothing else imports them.
    limits = {"benchmark.py": 40}
    for path in (REPOSITORY / "scripts").glob("*.py"):
        assert path.read_text().count("\n") <= limits.get(path.name, 60)
    for path in (REPOSITORY / "scripts").glob("*/*.py"):
        assert path.read_text().count("\n") <= 200


def test_every_loss_has_its_row_in_the_documentation():
    page = (REPOSITORY / "docs" / "losses.md").read_text()
    assert not [name for name in LOSSES if f"\n| `{name}` (`{LOSSES[name].__name__}`) |" not in page]


def test_every_metric_has_its_row_in_the_documentation():
    page = (REPOSITORY / "docs" / "metrics.md").read_text()
    assert not [name for name in METRICS if f"\n| `{name}` (`{METRICS[name].__name__}`) |" not in page]
