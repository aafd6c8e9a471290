"""Several devices give what one gives, each setting in processes of their own."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent

# On JAX, in one of several processes that share each batch: a recipe, and what users compile and fit themselves.
JAX = """
import json, sys
import keras
import keras_saliency as ks
from keras_saliency.data import synthetic
from keras_saliency.training.recipe import Model

folder, processes = sys.argv[1], int(sys.argv[2])
data = synthetic.read(splits={"train": 6, "validation": 4, "test": 2})
options = {"size": (48, 64), "batch": 4, "epochs": 2, "optimizer": "sgd"}
recipe = ks.Recipe("small", "synthetic", Model("icf", None), {"nll": 1, "kld": 1}, **options)
run = ks.train(recipe, data, folder, verbose=False, devices=processes)
found = {name: [score["mean"]] for name, score in run.scores.items()}
found["saved model"] = [float((run.paths["saved_model"] / "saved_model.pb").is_file())]
if processes > 1:
    keras.distribution.set_distribution(keras.distribution.DataParallel())
keras.utils.set_random_seed(0)
images = keras.Input((48, 64, 3))
maps = keras.layers.Conv2D(1, 3, padding="same")(keras.layers.Rescaling(1 / 255)(images))
model = ks.models.SaliencyModel(images, maps)
loss = ks.combo(kld=1, nss=1, cc=2, from_logits=True)
model.compile(keras.optimizers.SGD(0.05), loss, metrics=[ks.metrics.AUC(from_logits=True)])
train, validation = (part.pipeline((48, 64), 2) for part in (data.train, data.validation))
history = model.fit(train, validation_data=validation, epochs=2, verbose=0).history
found["weights"] = [float(keras.ops.max(weight)) for weight in [*run.model.weights, *model.weights]]
print(json.dumps({**found, **history}))
"""


@pytest.mark.parametrize("cases", ["few", pytest.param("all", marks=pytest.mark.slow)])
def test_two_devices_give_what_one_gives(cases):
    output = subprocess.run([sys.executable, TESTS / "distributed.py", cases], capture_output=True, text=True)
    assert output.returncode == 0, output.stderr
    rows = (line.split("\t") for line in output.stdout.splitlines() if "\t" in line)
    differences = {name: float(value) for name, value in rows}
    assert len(differences) > 30
    assert {name: value for name, value in differences.items() if not value < 1e-3} == {}


@pytest.mark.slow
def test_two_processes_on_jax_give_what_one_gives(tmp_path):
    pytest.importorskip("jax")
    with socket.socket() as free:
        free.bind(("localhost", 0))
        address = f"localhost:{free.getsockname()[1]}"
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    shared = {"KERAS_DISTRIBUTION_JOB_ADDRESSES": address, "KERAS_DISTRIBUTION_NUM_PROCESSES": "2"}

    def start(name, processes, **variables):
        command = [sys.executable, "-c", JAX, tmp_path / name, processes]
        return subprocess.Popen(command, stdout=subprocess.PIPE, env={**environment, **variables})

    started = [start(i, "2", **shared, KERAS_DISTRIBUTION_PROCESS_ID=i) for i in ("0", "1")] + [start("alone", "1")]
    first, second, alone = (json.loads(process.communicate(timeout=600)[0].splitlines()[-1]) for process in started)
    assert set(first) == set(second) == set(alone)
    assert first["saved model"] == [1.0]
    for name, values in alone.items():
        assert first[name] == pytest.approx(second[name], rel=1e-6), name
        assert first[name] == pytest.approx(values, rel=1e-4, abs=1e-5), name
