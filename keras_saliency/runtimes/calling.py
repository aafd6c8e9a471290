"""What networks of all runtimes are."""

import contextlib
import io
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import numpy as np

from keras_saliency.formulas.types import Maps

Call: TypeAlias = Callable[[Maps], Maps]  # from a batch of images to that of maps
Seen: TypeAlias = Sequence[Maps]  # batches of images


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Where converters tell nobody what they do: bars, advice, what will change one day."""
    with warnings.catch_warnings(), np.errstate(all="ignore"), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        before = logging.root.manager.disable
        logging.disable(logging.ERROR)
        try:
            with contextlib.redirect_stderr(io.StringIO()):
                yield
        finally:
            logging.disable(before)
