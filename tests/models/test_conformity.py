"""Every architecture against the code that its authors released, number by number.

`released/NAME.json` says which tensors the release has and what it makes of them (`scripts/release_golden.py`). Ours
gets the same tensors through the importer, by the names in `OURS`, and must give the same maps at every depth.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import keras
import numpy as np
import pytest
from conftest import slowly
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
    options: Mapping = MappingProxyType({})


VGG = {r"block(\d)_conv(\d)": r"conv\1_\2"}
SAM = {
    "attentive_conv_lstm": "attentiveconvlstm_1",
    **{f"gaussian_priors{i}": f"learningprior_{i}" for i in (1, 2)},
}
ASPP = [f"aspp/conv1_{i}" for i in range(1, 6)]
DEPTHS = (2, 2, 3, 3, 3)  # convolutions of the blocks of VGG16
RESNET = {
    "conv1_conv": "conv1",
    "conv1_bn": "bn_conv1",
    **{
        rf"conv(\d)_block(\d)_{part}_{ours}": lambda match, part=part, theirs=theirs: (
            f"{theirs}{match[1]}{'abcdef'[int(match[2]) - 1]}_branch{('1', '2a', '2b', '2c')[part]}"
        )
        for part in range(4)
        for ours, theirs in (("conv", "res"), ("bn", "bn"))
    },
}
STAGES = {f"layer{i}": f"layer{i}" for i in range(1, 5)}
OURS = {
    "salnet": Ours(
        {r"score": "deconv1", r"(.*)": r"\1"},
        {name: name for name in ("conv1", "norm1", "pool1", "conv3", "conv6", "conv8", "conv9")} | {"score": "deconv1"},
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
    "msi-net": Ours(
        {
            r"block(\d)_conv(\d)": r"conv\1/conv\1_\2",
            **dict(
                zip(("aspp1", "aspp_dilated4", "aspp_dilated8", "aspp_dilated12", "aspp_average"), ASPP, strict=True)
            ),
            "aspp_mix": "aspp/conv2",
            r"decode(\d)": r"decoder/conv\1",
            "score": "decoder/conv4",
        },
        {
            **{f"block{i}_conv3": f"conv{i}/conv{i}_3" for i in (3, 4, 5)},
            "aspp_dilated12": "aspp/conv1_4",
            "aspp_average": "aspp/conv1_5",
            "aspp_mix": "aspp/conv2",
            **{f"decode{i}": f"decoder/conv{i}" for i in (1, 3)},
            "score": "decoder/conv4",
            "output": "output",
        },
    ),
    "mlnet": Ours(
        {
            **{f"block{i + 1}_conv{j}": f"convolution2d_{sum(DEPTHS[:i]) + j}" for i in range(5) for j in (1, 2, 3)},
            "encode": "convolution2d_14",
            "score": "convolution2d_15",
            "learned_prior": "eltwiseproduct_1",
        },
        {"block1_pool": "maxpooling2d_1", "block3_pool": "maxpooling2d_3", "block4_pool": "maxpooling2d_4"}
        | {"block5_conv3": "convolution2d_13", "encode": "convolution2d_14", "output": "output"},
        {"scale": 1 / 8},
    ),
    "salgan": Ours(
        {
            **{f"block{i + 1}_conv{j}": f"conv2d_{sum(DEPTHS[:i]) + j}" for i in range(5) for j in (1, 2, 3)},
            **{f"decode{6 - i}_conv{j}": f"conv2d_{26 - sum(DEPTHS[:i]) + j}" for i in range(1, 6) for j in (1, 2, 3)},
            "score": "conv2d_27",
        },
        {"block3_conv3": "conv2d_7", "block5_conv3": "conv2d_13", "decode1_conv3": "conv2d_16"}
        | {
            "decode2_conv3": "conv2d_19",
            "decode3_conv3": "conv2d_22",
            "decode5_conv2": "conv2d_26",
            "output": "output",
        },
    ),
    "sam-vgg": Ours(
        {
            **SAM,
            "mix1": "convolution2d_1",
            "mix2": "convolution2d_2",
            "score": "convolution2d_3",
            "(block.*)": r"\1",
        },
        {name: name for name in ("block3_pool", "block4_pool", "block5_conv3")}
        | {"attentive_conv_lstm": "attentiveconvlstm_1", "mix1": "convolution2d_1", "mix2": "convolution2d_2"}
        | {"finish": "convolution2d_3", "output": "output"},
        {"scale": 2},
    ),
    "sam-resnet": Ours(
        {
            **SAM,
            **RESNET,
            "narrow": "convolution2d_1",
            "mix1": "convolution2d_2",
            "mix2": "convolution2d_3",
            "score": "convolution2d_4",
        },
        {"narrow": "convolution2d_1", "attentive_conv_lstm": "attentiveconvlstm_1", "mix1": "convolution2d_2"}
        | {"finish": "convolution2d_4", "output": "output"},
        {"scale": 2},
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
        state[name] = value[..., ::-1, ::-1].copy() if "flipped" in shape else value
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


@pytest.mark.parametrize("name", slowly(OURS, ("mlnet", "sam-resnet", "simplenet", "sam-vgg", "salgan")))
def test_an_architecture_gives_what_its_release_gives(name, tmp_path):
    golden, ours = json.loads((RELEASED / f"{name}.json").read_text()), OURS[name]
    model = ks.create_model(name, weights=None, input_size=golden["size"], **ours.options)
    save_zip(tmp_path / "weights.pth", state_of(golden))
    names = {path: theirs(layer.name, ours.names) for path, layer in find_layers(model).items() if layer.weights}
    report = import_weights(model, tmp_path / "weights.pth", names)
    assert report.missing == []
    assert [tensor for tensor, _ in report.left_over if ".fc." not in tensor] == []  # of a classifier that nobody asks
    compare(maps_of(model, image(golden["size"]), ours.maps), ours.maps, golden)


def compare(maps, names, golden):
    for layer, their_name in names.items():
        expected, received = golden["maps"][their_name], digest(keras.ops.convert_to_numpy(maps[layer])[0])
        assert received["shape"] == expected["shape"], layer
        for key in ("mean", "deviation", "values"):
            np.testing.assert_allclose(
                received[key], expected[key], rtol=1e-4, atol=2e-4 * expected["deviation"], err_msg=f"{layer} {key}"
            )


def test_the_discriminator_gives_what_that_of_salgan_gives():
    golden = json.loads((RELEASED / "discriminator.json").read_text())
    model, state = ks.models.create_discriminator(golden["size"]), state_of(golden)
    state |= {f"conv2d_{i + 4}.bias": state[f"weightnorm_{i}.bias"] for i in (1, 2)}
    rows, columns, channels = model.get_layer("pool3").output.shape[1:]
    units = state["dense_1.weight"].reshape(-1, channels, rows, columns)  # flattened with the channels first
    state["dense_1.weight"] = units.transpose(0, 2, 3, 1).reshape(len(units), -1)
    for kind, name in ((keras.layers.Conv2D, "conv2d"), (keras.layers.Dense, "dense")):
        for i, layer in enumerate((layer for layer in model.layers if isinstance(layer, kind)), 1):
            layer.set_weights(
                [state[f"{name}_{i}.weight"].T, state[f"{name}_{i}.bias"]]
                if name == "dense"
                else [state[f"{name}_{i}.weight"].transpose(2, 3, 1, 0), state[f"{name}_{i}.bias"]]
            )
    names = {
        "mix": "conv2d_1",
        "conv1": "conv2d_2",
        "conv2_2": "conv2d_4",
        "pool3": "pool2d_3",
        "probability": "output",
    }
    images = image(golden["size"])
    outputs = keras.Model(model.inputs, [model.get_layer(name).output for name in names])(
        [images, images[..., :1] / 255]
    )
    maps = dict(zip(names, outputs, strict=True))
    maps["probability"] = maps["probability"][:, None, None]
    compare(maps, names, golden)
