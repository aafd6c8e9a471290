"""What a study is: data only. Its cells are trainings, each known by what it is, not by what it is called."""

import dataclasses
import functools
import hashlib
import importlib.util
import itertools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from keras_saliency.training.changes import change
from keras_saliency.training.recipe import Recipe

VERSION = 1  # of what a cell is and how it is scored; results of another are no results of this
FIRST = "first"  # what the first of two stages is called
SEARCHED = "val_loss"  # by which the learning rate is chosen: each loss by itself, on validation


@dataclasses.dataclass(frozen=True)
class Grid:
    """Some of the cells of a study: all combinations of what it lists.

    Attributes:
        losses: Names of losses of the study; empty for all, as below.
        models: Names of its models.
        data: Names of its data sets.
        seeds: The seeds.
        rates: Learning rates that are tried; empty for the best one of those that other grids of the study have tried
            for the same loss and model, on the same data set or, where none is tried on it, on others.
        changes: What else is changed in the recipes of its cells, such as `{"images": 50}`.
        then: What is changed in a second stage, which goes on from the first one: `{"freeze_backbone": False}`.
    """

    losses: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    seeds: tuple[int, ...] = (0,)
    rates: tuple[float, ...] = ()
    changes: dict[str, Any] = dataclasses.field(default_factory=dict)
    then: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def compared(self) -> bool:
        """Whether its cells are the recipe itself, of which rates are tried and losses compared."""
        return not self.changes and not self.then


@dataclasses.dataclass(frozen=True)
class Cell:
    """One training of a study.

    Attributes:
        loss: The name of its loss in the study.
        model: That of its model.
        data: That of its data set.
        recipe: All that it is.
    """

    loss: str
    model: str
    data: str
    recipe: Recipe

    def __str__(self) -> str:
        few = f", {self.recipe.images} images" if self.recipe.images else ""
        rate = f"{(self.recipe.start or self.recipe).learning_rate:g}"
        stages = ", two stages" if self.recipe.start else ""
        return f"{self.loss} on {self.model}, {self.data}{few}, seed {self.recipe.seed}, rate {rate}{stages}"

    @functools.cached_property
    def specification(self) -> dict[str, Any]:
        """The recipe without its name, as JSON has it."""
        recipe = json.loads(json.dumps(dataclasses.asdict(self.recipe)))
        return {name: value for name, value in recipe.items() if name != "name"}

    @functools.cached_property
    def key(self) -> str:
        """What its result is called: a digest of its specification."""
        text = json.dumps([VERSION, self.specification], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclasses.dataclass(frozen=True)
class Study:
    """A study: one network trained with many losses, on several data sets, by several seeds.

    Attributes:
        name: What it is called.
        base: The recipe of which every cell is a change.
        losses: What each loss changes in it, by name: `{"kld + cc": {"loss": {"kld": 1, "cc": 1}}}`.
        models: What each model changes, by name.
        data: What each data set changes, by its name in the table of data sets.
        grids: The cells, those first that decide most.

    Raises:
        ValueError: If a grid lists what the study does not have, or no learning rates are tried for it.
    """

    name: str
    base: Recipe
    losses: dict[str, dict[str, Any]]
    models: dict[str, dict[str, Any]]
    data: dict[str, dict[str, Any]]
    grids: tuple[Grid, ...]

    def __post_init__(self) -> None:
        for grid, kind in itertools.product(self.grids, ("losses", "models", "data")):
            for name in getattr(grid, kind):
                if name not in getattr(self, kind):
                    known = ", ".join(getattr(self, kind))
                    raise ValueError(f"{self.name}: a grid lists {name!r}. Known {kind}: {known}.")
        for grid in self.grids:
            for row in self._rows(grid) if not grid.rates else ():
                if not self._searches(row):
                    raise ValueError(
                        f"{self.name}: a grid without rates takes the best of those that are tried, and none is tried "
                        f"for {' on '.join(row[:2])}. Add a grid with rates, and without changes, for it."
                    )

    def cells(self, results: Mapping[str, Mapping[str, Any]]) -> tuple[list[Cell], int]:
        """The cells that are known, in their order, each once.

        Args:
            results: The results that there are, by the keys of cells.

        Returns:
            The cells, and the number of those that wait for a learning rate to be found.
        """
        cells: dict[str, Cell] = {}
        waiting = 0
        for grid in self.grids:
            for row in self._rows(grid):
                rates = grid.rates or self._best_rate(row, results)
                waiting += not rates
                for rate in rates:
                    cell = self._cell(row, grid, rate)
                    cells.setdefault(cell.key, cell)
        return list(cells.values()), waiting

    def finals(self, results: Mapping[str, Mapping[str, Any]]) -> list[Cell]:
        """The cells of the grids without changes at the best rates, as far as these are known: what is compared."""
        cells: dict[str, Cell] = {}
        for grid in self.grids:
            for row in self._rows(grid) if grid.compared else ():
                for rate in self._best_rate(row, results):
                    cell = self._cell(row, grid, rate)
                    cells.setdefault(cell.key, cell)
        return list(cells.values())

    def _rows(self, grid: Grid) -> Iterator[tuple[str, str, str, int]]:
        names = (getattr(grid, kind) or tuple(getattr(self, kind)) for kind in ("data", "models", "losses"))
        # All of one seed before the next one begins.
        for seed, (data, model, loss) in itertools.product(grid.seeds, itertools.product(*names)):
            yield loss, model, data, seed

    @functools.cached_property
    def _cells(self):
        """Those that were made before: they are asked for again and again while results come."""
        return {}

    def _cell(self, row, grid, rate):
        key = *row, id(grid), rate
        if key not in self._cells:
            self._cells[key] = self._make_cell(row, grid, rate)
        return self._cells[key]

    def _make_cell(self, row, grid, rate):
        loss, model, data, seed = row
        own = {"data": data, "seed": seed, "learning_rate": rate}
        recipe = self.base
        for changes in (self.models[model], self.data[data], self.losses[loss], own, grid.changes):
            recipe = change(recipe, changes)
        if grid.then:
            recipe = change(recipe, {**grid.then, "start": _as(FIRST, recipe)})
        return Cell(loss, model, data, _as(self.name, recipe))

    @functools.cached_property
    def _searched(self):
        """The cells, with their learning rates, that tell which one is best, by loss and model, then by data set."""
        searches = {}
        for grid in self.grids:
            for row in self._rows(grid) if grid.compared else ():
                loss, model, data, _ = row
                own = searches.setdefault((loss, model), {}).setdefault(data, [])
                own += [(rate, self._cell(row, grid, rate)) for rate in grid.rates]
        return searches

    def _searches(self, row):
        """Those that tell which rate is best for a row: of its data set or, where none is, of others."""
        loss, model, data, _ = row
        searches = self._searched.get((loss, model), {})
        return searches.get(data) or list(itertools.chain(*searches.values()))

    def _best_rate(self, row, results):
        """The rate of the least loss on validation, or none as long as one is not tried."""
        tried = {}
        for rate, cell in self._searches(row):
            result = results.get(cell.key)
            if result is None:
                return ()
            if "history" in result:  # or it has failed
                tried.setdefault(rate, []).append(min(epoch[SEARCHED] for epoch in result["history"]))
        return (min(tried, key=lambda rate: sum(tried[rate]) / len(tried[rate])),) if tried else ()


def _as(name, recipe):
    """The recipe under another name. All have the same budget: none stops early."""
    return dataclasses.replace(recipe, name=name, patience=recipe.epochs)


def load_study(path: str | Path) -> Study:
    """The study of a Python file, which calls it `STUDY`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it makes none.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"The study {path} does not exist.")
    specification = importlib.util.spec_from_file_location(path.stem, path)
    try:
        module = importlib.util.module_from_spec(specification)  # type: ignore[arg-type]
        specification.loader.exec_module(module)  # type: ignore[union-attr]
    except Exception as error:
        raise ValueError(f"{path} makes no study. {type(error).__name__}: {error}") from error
    study = getattr(module, "STUDY", None)
    if not isinstance(study, Study):
        raise ValueError(f"{path} makes no study: it has to say STUDY = Study(...).")
    return study
