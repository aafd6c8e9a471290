"""The importers on the architectures themselves, through files in the formats of their authors."""

import numpy as np
import pytest
from keras import ops
from legacy_files import write_keras1

import keras_saliency as ks
from keras_saliency.layers.gaussian_priors import BOUNDS
from keras_saliency.legacy import import_weights
from keras_saliency.legacy.model_layers import find_layers


def test_the_networks_of_cornia_are_filled_from_files_of_keras_1(tmp_path, rng):
    sam = ks.create_model("sam", weights=None, input_size=(64, 96), width=1 / 64)
    mlnet = ks.create_model("mlnet", weights=None, input_size=(64, 96), width=1 / 8)
    for model in (sam, mlnet):
        stored, expected = {}, {}
        for layer in find_layers(model).values():
            values = [rng.normal(0, 0.02, w.shape).astype("float32") for w in layer.weights]
            expected[layer.name] = values
            if isinstance(layer, ks.layers.AttentiveConvLSTM):
                state, state_bias, inputs, inputs_bias, score, w, w_bias, u, u_bias = values
                gates = [
                    part
                    for four in zip(*(np.split(v, 4, -1) for v in (w, w_bias, u, u_bias)), strict=True)
                    for part in four
                ]
                arrays = [state, state_bias, inputs, inputs_bias, score, *gates]
                arrays = [a[::-1, ::-1].transpose(3, 2, 0, 1) if a.ndim == 4 else a for a in arrays]
                stored[layer.name] = {f"array_{i:02}": array for i, array in enumerate(arrays)}
            elif isinstance(layer, ks.layers.GaussianPriors):
                stored[layer.name] = {"W": values[0].T.ravel()}
            elif isinstance(layer, ks.layers.LearnedPrior):
                stored[layer.name] = {"W": values[0].reshape(1, 1, 6, 8)}
            else:
                kernel = values[0][::-1, ::-1].transpose(3, 2, 0, 1)
                stored[layer.name] = {"W": kernel, "b": values[1]}
        write_keras1(tmp_path / "authors.h5", stored)
        report = import_weights(model, tmp_path / "authors.h5")
        assert (report.missing, report.left_over) == ([], [])
        for layer in find_layers(model).values():
            for weight, value in zip(layer.get_weights(), expected[layer.name], strict=True):
                if isinstance(layer, ks.layers.GaussianPriors):  # given as bounded values
                    low, high = BOUNDS.T
                    weight, value = ops.convert_to_numpy(layer.bounded()), np.clip(value, low, high)
                np.testing.assert_allclose(weight, value, atol=2e-4)


def test_eml_net_is_filled_by_the_names_of_its_authors(tmp_path, rng):
    safetensors = pytest.importorskip("safetensors.numpy")
    model = ks.create_model("eml-net", weights=None, input_size=(64, 96))
    kinds = {"kernel": "weight", "gamma": "weight", "beta": "bias", "moving_mean": "running_mean"}
    state = {}
    for layer in find_layers(model).values():
        for weight in layer.weights:
            value = rng.uniform(0.1, 0.2, weight.shape).astype("float32")
            value = value.transpose(3, 2, 0, 1) if value.ndim == 4 else value
            suffix = kinds.get(weight.name, weight.name.replace("moving_variance", "running_var"))
            state[f"{layer.name.replace('-', '.')}.{suffix}"] = np.ascontiguousarray(value)
    assert {"conv1.weight", "layer4.2.bn3.running_var", "output4.0.bias", "combined.1.weight"} < set(state)
    safetensors.save_file(state, tmp_path / "eml.safetensors")
    report = import_weights(model, tmp_path / "eml.safetensors")
    assert (report.missing, report.left_over) == ([], [])
    kernel = find_layers(model)["backbone/resnet50-torch/conv1"].get_weights()[0]
    np.testing.assert_array_equal(kernel, state["conv1.weight"].transpose(2, 3, 1, 0))
