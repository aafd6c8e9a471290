"""Who may import whom, read from the source."""

import ast

import pytest
from conftest import REPOSITORY

from keras_saliency.losses import LOSSES
from keras_saliency.metrics import METRICS

PACKAGE = REPOSITORY / "keras_saliency"
# Module (or package) -> what of the package it may import, besides itself.
ALLOWED = {
    "arrays": set(),
    "maps": {"arrays"},
    "measures": {"arrays", "maps"},
    "roc": {"arrays", "maps"},
    "emd": {"maps"},
    "conventions": {"arrays", "emd", "measures", "roc"},
    "array_map": {"maps"},
    "scoring": {"array_map", "conventions", "maps"},
    "fair": {"scoring"},
    "legacy": set(),
    "backbones": {"layers", "legacy", "maps"},
    "losses": {"backbones", "maps", "measures"},
    "metrics": {"conventions", "maps"},
    "resizing": set(),
    "layers": {"maps", "resizing"},
    "models": {"backbones", "layers", "losses"},
    "data": {"maps"},
    "baselines": {"data", "maps"},
    "recipe": set(),
    "optimizers": set(),
}
MODULES = sorted(PACKAGE.rglob("*.py"))


def imports(path, top_level_only=False):
    tree = ast.parse(path.read_text())
    for node in tree.body if top_level_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(path):
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports(path):
    names = list(imports(path))
    assert not [name for name in names if name.startswith("keras.src")]
    assert not [name for name in imports(path, top_level_only=True) if name.split(".")[0] in ("zoo", "scripts")]
    # emd calls its solver from the graph, for which every framework has its own way.
    if room(path) not in ("data", "export", "emd", "cost"):
        assert "tensorflow" not in {name.split(".")[0] for name in names}
    if room(path) in ALLOWED:
        used = {name.split(".")[1] for name in names if name.startswith("keras_saliency.")}
        assert used <= ALLOWED[room(path)] | {room(path)}
    assert path.read_text().count("\n") <= 400


def test_recipes_import_recipe_only():
    for path in (REPOSITORY / "zoo").glob("[!_]*.py"):
        assert {name.rpartition(".")[0] or name for name in imports(path)} <= {"keras_saliency.recipe", "dataclasses"}
    assert {name.split(".")[0] for name in imports(PACKAGE / "recipe.py")} == {"ast", "dataclasses"}


def test_scripts_parse_and_call():
    # Those that measure hold what is measured, too, and nothing else imports them.
    limits = {"benchmark.py": 40, "compare_losses.py": 140}
    for path in (REPOSITORY / "scripts").glob("*.py"):
        assert path.read_text().count("\n") <= limits.get(path.name, 60)
    for path in (REPOSITORY / "scripts" / "benchmarks").glob("*.py"):
        assert path.read_text().count("\n") <= 200


def test_every_loss_has_its_row_in_the_documentation():
    page = (REPOSITORY / "docs" / "losses.md").read_text()
    assert not [name for name in LOSSES if f"\n| `{name}` (`{LOSSES[name].__name__}`) |" not in page]


def test_every_metric_has_its_row_in_the_documentation():
    page = (REPOSITORY / "docs" / "metrics.md").read_text()
    assert not [name for name in METRICS if f"\n| `{name}` (`{METRICS[name].__name__}`) |" not in page]
