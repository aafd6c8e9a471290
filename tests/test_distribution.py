"""Several devices give what one gives, each setting in processes of their own."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent

# On JAX, in one of several processes that share each batch.
JAX = """
import sys
import keras

process, processes = int(sys.argv[1]), int(sys.argv[2])
if processes > 1:
    keras.distribution.initialize(sys.argv[3], processes, process)
    keras.distribution.set_distribution(keras.distribution.DataParallel())

import json
import keras_saliency as ks
from keras_saliency.data import synthetic

data = synthetic.read(splits={"train": 8, "validation": 4, "test": 1})
keras.utils.set_random_seed(0)
images = keras.Input((48, 64, 3))
maps = keras.layers.Conv2D(1, 3, padding="same")(keras.layers.Rescaling(1 / 255)(images))
model = ks.models.SaliencyModel(images, maps)
loss = ks.combo(kld=1, nss=1, cc=2, from_logits=True)
model.compile(keras.optimizers.SGD(0.05), loss, metrics=[ks.metrics.AUC(from_logits=True)])
train, validation = (part.pipeline((48, 64), 4) for part in (data.train, data.validation))
history = model.fit(train, validation_data=validation, epochs=2, verbose=0).history
weights = [float(keras.ops.max(weight)) for weight in model.weights]
print(json.dumps({**history, "weights": weights}))
"""


def test_two_devices_give_what_one_gives():
    output = subprocess.run([sys.executable, TESTS / "distributed.py"], capture_output=True, text=True)
    assert output.returncode == 0, output.stderr
    rows = (line.split("\t") for line in output.stdout.splitlines() if "\t" in line)
    differences = {name: float(value) for name, value in rows}
    assert len(differences) > 30
    assert {name: value for name, value in differences.items() if not value < 1e-3} == {}


@pytest.mark.slow
def test_two_processes_on_jax_give_what_one_gives():
    pytest.importorskip("jax")
    with socket.socket() as free:
        free.bind(("localhost", 0))
        address = f"localhost:{free.getsockname()[1]}"
    environment = {**os.environ, "KERAS_BACKEND": "jax"}

    def start(*arguments):
        return subprocess.Popen([sys.executable, "-c", JAX, *arguments], stdout=subprocess.PIPE, env=environment)

    started = [start("0", "2", address), start("1", "2", address), start("0", "1")]
    first, second, alone = (json.loads(process.communicate(timeout=600)[0].splitlines()[-1]) for process in started)
    assert first == pytest.approx(second)
    for name, values in alone.items():
        assert first[name] == pytest.approx(values, rel=1e-5, abs=1e-6), name
