"""The `result.json` of a run."""

import json
from pathlib import Path
from typing import Any

from keras_saliency.writing.files import naming


def read_result(file: Path) -> dict[str, Any] | None:
    """What the `result.json` of a run holds, scores among it; None if there is none.

    Raises:
        ValueError: If it holds no scores.
    """
    if not file.is_file():
        return None
    with naming(file, "Delete it and train again: the trained model is scored again."):
        result = json.loads(file.read_text())
        for score in result["scores"].values():
            score["mean"]
    return result
