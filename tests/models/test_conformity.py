"""Every architecture against the code that its authors released, number by number.

`released/NAME.json` says which tensors the release has and what it makes of them (`scripts/release_golden.py`). Ours
gets the same tensors through the importer, by the names in `OURS`, and must give the same maps at every depth.
"""

import json
import re
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import pytest
from drawn import digest, draw, image
from legacy_files import save_zip

import keras_saliency as ks
from keras_saliency.legacy import import_weights
from keras_saliency.legacy.model_layers import find_layers

RELEASED = Path(__file__).parent / "released"


class Ours(NamedTuple):
    """Patterns from our layer's name to their prefix, the first that fits; and their maps by the name of our layer."""

    names: dict[str, str]
    maps: dict[str, str]
    options: dict = {}


VGG = {r"block(\d)_conv(\d)": r"conv\1_\2"}
STAGES = {f"layer{i}": f"layer{i}" for i in range(1, 5)}
OURS = {
    "salnet": Ours(
        {r"score": "deconv1", r"(.*)": r"\1"},
        {**{name: name for name in "conv1 norm1 pool1 conv3 conv6 conv8 conv9".split()}, "score": "deconv1"},
    ),
    "dva": Ours(
        {
            **VGG,
            r"score": "final_attention_pred",
            **{f"side{i}_deconv(.)": rf"deconv{i + 2}_\1" for i in (1, 2, 3)},
            **{f"side{i}_score": f"attention{4 - i}_pred" for i in (1, 2, 3)},
        },
        {
            **{f"block{i}_conv3": f"conv{i}_3" for i in (3, 4, 5)},
            **{f"side{i}": f"attention{4 - i}_predc" for i in (1, 2, 3)},
            "score": "final_attention_pred",
            "output": "final_attentionmap",
        },
    ),
    "eml-net": Ours(
        {r"(.*)": lambda match: match[1].replace("-", ".")},
        {**STAGES, **{f"output{i}-2": f"output{i}" for i in range(5)}, "combined-1": "combined", "output": "output"},
    ),
    "simplenet": Ours(
        {
            r"decode(\d)": r"deconv_layer\1.0",
            r"score": "deconv_layer5.2",
            r"(.*)": lambda match: f"resnet.{match[1].replace('-', '.')}",
        },
        {
            "relu": "conv_layer1",
            **{f"layer{i}": f"conv_layer{i + 1}" for i in range(1, 5)},
            **{f"decode{i}": f"deconv{i}" for i in (0, 2, 4)},
            "score": "score",
            "output": "output",
        },
    ),
}


def theirs(name, patterns):
    """Their name of one of our layers."""
    for pattern, replacement in patterns.items():
        match = re.fullmatch(pattern, name)
        if match:
            return replacement(match) if callable(replacement) else match.expand(replacement)
    raise AssertionError(f"no pattern for {name}")


def state_of(golden):
    """The tensors of a release; those that it turns over before it convolves are turned."""
    state = {}
    for name, shape in golden["tensors"].items():
        value = draw(name, [side for side in shape if side != "flipped"])
        state[name] = np.ascontiguousarray(value[..., ::-1, ::-1]) if "flipped" in shape else value
    return state


def maps_of(model, images, names):
    """The outputs of layers, inside the network of the backbone or in the decoder, and the model's own."""
    backbone, decoder = model.get_layer("backbone"), model.get_layer("decoder")
    network = backbone.layers[-1]
    seen = keras.Model(backbone.input, backbone.operations[-2].output)(images)
    maps = {"output": model(images)}
    for part, inputs in ((network, seen), (decoder, network(seen))):
        inside = [name for name in names if name in {layer.name for layer in part.layers}]
        if inside:
            outputs = keras.Model(part.inputs, [part.get_layer(name).output for name in inside])(inputs)
            maps |= zip(inside, keras.tree.flatten(outputs), strict=True)
    return maps


@pytest.mark.parametrize("name", OURS)
def test_an_architecture_gives_what_its_release_gives(name, tmp_path):
    golden, ours = json.loads((RELEASED / f"{name}.json").read_text()), OURS[name]
    model = ks.create_model(name, weights=None, input_size=golden["size"], **ours.options)
    save_zip(tmp_path / "weights.pth", state_of(golden))
    names = {path: theirs(layer.name, ours.names) for path, layer in find_layers(model).items() if layer.weights}
    report = import_weights(model, tmp_path / "weights.pth", names)
    assert report.missing == []
    assert [tensor for tensor, _ in report.left_over if ".fc." not in tensor] == []  # of a classifier that nobody asks
    maps = maps_of(model, image(golden["size"]), ours.maps)
    for layer, their_name in ours.maps.items():
        expected, received = golden["maps"][their_name], digest(keras.ops.convert_to_numpy(maps[layer])[0])
        assert received["shape"] == expected["shape"], layer
        for key in ("mean", "deviation", "values"):
            np.testing.assert_allclose(
                received[key], expected[key], rtol=1e-4, atol=2e-4 * expected["deviation"], err_msg=f"{layer} {key}"
            )
