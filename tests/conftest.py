"""What several tests share."""

import os
from pathlib import Path

import numpy as np
import pytest

REPOSITORY = Path(__file__).parent.parent
DATA = Path(os.environ.get("KERAS_SALIENCY_DATA", REPOSITORY.parent / "shared" / "data"))


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(params=["osie", "scene"])
def real_data(request):
    """The name and folder of a real data set; skips where it is absent."""
    return request.param, data_folder(request.param)


def data_folder(name):
    if not (DATA / name).is_dir():
        pytest.skip(f"needs {name}: set KERAS_SALIENCY_DATA to a folder that holds {name}/")
    return DATA / name


@pytest.fixture(scope="session")
def tiny():
    """A synthetic data set of a few images."""
    from keras_saliency.data import synthetic

    return synthetic.read(splits={"train": 8, "validation": 4, "test": 4})
