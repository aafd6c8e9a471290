"""The doctor: finds what is wrong with a data set before a training is wasted.

A row of `FAULTS` is a fault; `examine` looks for each.
"""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from keras_saliency.data.data_set import DataSet
from keras_saliency.data.doctor import map_files
from keras_saliency.data.doctor.faults import FAULTS, Fault
from keras_saliency.data.doctor.finding import Examined, Finding
from keras_saliency.data.refusals import UnusableError
from keras_saliency.data.settings import settings_in


@dataclasses.dataclass(frozen=True)
class Diagnosis:
    """What the doctor says.

    Attributes:
        looked_at: What has been looked at, in a sentence.
        findings: What is wrong.
    """

    looked_at: str
    findings: list[Finding]


def examine(
    name: str,
    read: Callable[[], DataSet],
    directory: Path | None = None,
    options: Mapping[str, Any] | None = None,
) -> Diagnosis:
    """Looks for all of `FAULTS`.

    Args:
        name: The name of the data set.
        read: Reads it; what it raises is a finding.
        directory: Its folder, if it has one.
        options: What the reader is told.
    """
    data, error, told = None, None, dict(options or {})
    try:
        told = {**(settings_in(directory, name) if directory else {}), **told}
        data = read()
    except (ImportError, OSError, ValueError) as problem:
        error = problem
    looked = map_files.look(directory, told) if directory and name == "folder" else map_files.MapFiles()
    refused = error.splits if isinstance(error, UnusableError) else {}
    examined = Examined(name, data, data.splits if data else refused, directory, error, looked)
    findings: dict[str, Finding] = {}
    for fault, (find, counted, remedy, unless) in FAULTS.items():
        found = None if findings.keys() & set(unless) else find(examined)
        if found:
            told_of = (tuple(found.examples), remedy.format(**found.words), tuple(found.samples), tuple(found.places))
            findings[fault] = Finding(fault, found.count, found.of, counted, *told_of)
    return Diagnosis(_looked_at(examined), list(findings.values()))


def _looked_at(examined):
    if examined.data is None:
        maps = f", {len(examined.files.maps)} maps" if examined.files.maps else ""
        return f"{examined.name} could not be read{maps}; {len(FAULTS)} faults looked for."
    fixations, maps = examined.fixations, len(examined.files.maps)
    parts = [
        f"{len(examined.samples)} images",
        f"{len(fixations)} fixations of {fixations['observer'].nunique()} observers",
        *([f"{maps} maps"] if maps else []),
    ]
    return f"{examined.name}: {', '.join(parts)}; {len(FAULTS)} faults looked for."


__all__ = ["FAULTS", "Diagnosis", "Fault", "Finding", "examine"]
