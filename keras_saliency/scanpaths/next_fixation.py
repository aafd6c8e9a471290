"""The networks that recipes with `histories` train, as models of scanpaths."""

from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np

from keras_saliency.data import showing
from keras_saliency.data.samples import Samples
from keras_saliency.models import require_finite
from keras_saliency.models.calling import outputs
from keras_saliency.models.histories import FIXATIONS
from keras_saliency.scanpaths.models import Conditional, OnPhotographs, SaccadeModel
from keras_saliency.scanpaths.saccades import require_inside
from keras_saliency.serving.load import PARTS, Run, name_of

FILE = PARTS["next_fixation"]


class NextFixationModel(OnPhotographs):
    """A network that sees a photograph and the last fixations, in the manner of DeepGaze III.

    Args:
        model: The folder of a run of a recipe with `histories`, such as `osie_scanpath`, its file
            `next_fixation.keras`, the `Run`, or the network itself: `given` of `keras_saliency.models.with_history`.
        name: What reports call it; by default the name of the folder.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If it takes no history, or its weights are not finite.
    """

    def __init__(self, model: keras.Model | Run | str | Path, name: str | None = None) -> None:
        if isinstance(model, Run):
            model = model.path
        if isinstance(model, str | Path):
            path = Path(model)
            file = path / FILE if path.is_dir() else path
            if not file.is_file():
                raise FileNotFoundError(
                    f"{file} does not exist. Expected the folder of a run of a recipe with histories, or its {FILE}."
                )
            name, model = name or name_of(file.parent), keras.models.load_model(file, compile=False)
        if [each.name for each in getattr(model, "inputs", [])][1:] != ["x", "y"]:
            raise ValueError(f"{model.name} takes no history. Expected what a recipe with histories trains: {FILE}.")
        require_finite(model)
        self.model, self.name = model, name or model.name

    def conditionals(self, samples: Samples) -> Iterator[Conditional]:
        """Yields a `Conditional` for each sample, in order.

        Raises:
            ValueError: If an image is so long that networks see it in parts; names it.
        """
        backbone, spatial = (self.model.get_layer(name) for name in ("backbone", "spatial"))
        for sample in samples:
            degrees = sample.pixels_per_degree or samples.pixels_per_degree
            seen = showing.show(sample.read(), self.model.view, degrees).numpy()
            if len(seen) > 1:
                raise ValueError(f"{sample.name}: so long an image is seen in parts, between which nothing is known.")
            score = outputs(spatial, keras.tree.map_structure(np.asarray, outputs(backbone, seen)))
            yield self._given(np.asarray(score), sample.size, degrees)

    def _given(self, score, size, degrees):
        history, finish = (self.model.get_layer(name) for name in ("history", "finish"))

        def conditional(x, y):
            require_inside(x, y, size)
            last = np.full((2, 1, FIXATIONS), np.nan, "float32")
            for row, at, side in zip(last, (x, y), size[::-1], strict=True):
                row[0, : len(at)] = np.asarray(at)[::-1][:FIXATIONS] / side
            log_density = outputs(finish, outputs(history, [score, *last]))
            return showing.put_back(np.asarray(log_density), size, self.model.view, True, degrees).numpy()[..., 0]

        return conditional


def open_scanpath_model(model: keras.Model | Run | str | Path) -> OnPhotographs:
    """The model of scanpaths that belongs to what predicts a density.

    Args:
        model: As `spatial` in `SaccadeModel`.

    Returns:
        The network of a run of a recipe with `histories`; of anything else a `SaccadeModel` with the saccades that come
        with the package.
    """
    folder = model.path if isinstance(model, Run) else model
    if isinstance(folder, str | Path) and (Path(folder) / FILE).is_file():
        return NextFixationModel(folder)
    return SaccadeModel(model)
