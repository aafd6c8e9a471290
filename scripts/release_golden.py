"""Writes tests/models/released/NAME.json: what the released network NAME makes of fixed random weights and an image.

`PYTHONPATH=tests python scripts/release_golden.py NAME CLONE`, with PyTorch, SciPy and a clone of the repository that
`releases/table.py` names. Weights and image are those of `tests/drawn.py`; kept are numbers alone, a few of each map.
What is written for other frameworks than PyTorch is run by `scripts/releases`: prototxt files of Caffe are read, and
the modules that files of Python import from TensorFlow 1, Keras 1 with Theano and Lasagne are stood in for.
"""

import argparse
import json
import subprocess
from pathlib import Path

import torch
from drawn import digest, image
from releases.table import RELEASES
from releases.tensors import ASKED

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("name", choices=RELEASES)
parser.add_argument("clone", type=Path)
arguments = parser.parse_args()
repository, size, run, kept = RELEASES[arguments.name]
clone = arguments.clone.resolve()
target = Path(__file__).resolve().parents[1] / "tests" / "models" / "released" / f"{arguments.name}.json"
commit = subprocess.run(["git", "-C", clone, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
with torch.no_grad():
    maps = run(clone, image(size))
golden = {
    "repository": repository,
    "commit": commit.stdout.strip(),
    "size": size,
    "tensors": {name: [*shape, "flipped"] if flipped else shape for name, (shape, flipped) in ASKED.items()},
    "maps": {name: digest(maps[name][0].permute(1, 2, 0)) for name in kept.split()},
}
target.parent.mkdir(exist_ok=True)
target.write_text(json.dumps(golden).replace('}, "', '},\n"').replace('"maps"', '\n"maps"') + "\n")
print(f"{target}: {len(ASKED)} tensors, {len(golden['maps'])} maps, {target.stat().st_size} bytes")
