"""Runs a network that stands in a prototxt of Caffe."""

import re

import torch
import torch.nn.functional as F

from releases.tensors import tensor


def parse(text):
    """A message as a list of `(key, value)`, whose values are texts or again such lists."""
    words = iter(re.findall(r'"[^"]*"|\'[^\']*\'|[{}]|[^\s{}"\':]+', re.sub(r"#.*", "", text)))

    def message():
        items, key = [], None
        for word in words:
            if word == "}":
                break
            if word == "{":
                items.append((key, message()))
                key = None
            elif key is None:
                key = word
            else:
                items.append((key, word.strip("\"'")))
                key = None
        return items

    return message()


def run(prototxt, image):
    """All maps of a network of one input, by name.

    Args:
        prototxt: Its path.
        image: `(1, 3, height, width)`, whatever size the file says.
    """
    net = parse(prototxt.read_text())
    (data,) = [value for key, value in net if key == "input"]
    # The maps, and for each how many pixels of the image its step is, and where its first pixel lies.
    blobs, places = {data: image}, {data: (1.0, 0.0)}
    for layer in (value for key, value in net if key == "layer"):
        name, kind, top = (dict(layer)[key] for key in ("name", "type", "top"))
        bottoms = [value for key, value in layer if key == "bottom"]
        options = {key: value for part, items in layer if part.endswith("_param") for key, value in items}
        x, (step, first) = blobs[bottoms[0]], places[bottoms[0]]
        kernel, stride, pad = (int(options.get(key, default)) for key, default in SIZES)
        if kind in ("Convolution", "Deconvolution"):
            x = convolve(name, kind, x, int(options["num_output"]), kernel, stride, pad, options.get("bias_term"))
        else:
            x = LAYERS[kind]([blobs[bottom] for bottom in bottoms], options, first)
        if kind == "Deconvolution":
            step, first = step / stride, first - step / stride * ((kernel - 1) / 2 - pad)
        elif kind in ("Convolution", "Pooling"):
            step, first = step * stride, first + step * ((kernel - 1) / 2 - pad)
        elif kind == "Crop":
            first = places[bottoms[1]][1]
        blobs[top], places[top] = x, (step, first)
    return blobs


SIZES = (("kernel_size", 1), ("stride", 1), ("pad", 0))


def convolve(name, kind, x, channels, kernel, stride, pad, bias):
    pair = (channels, x.shape[1]) if kind == "Convolution" else (x.shape[1], channels)
    weight = tensor(f"{name}.weight", (*pair, kernel, kernel))
    bias = None if bias == "false" else tensor(f"{name}.bias", (channels,))
    return (F.conv2d if kind == "Convolution" else F.conv_transpose2d)(x, weight, bias, stride, pad)


def pool(bottoms, options, first):
    # Rounded up; Caffe leaves out a last window that would begin in the padding.
    return F.max_pool2d(bottoms[0], int(options["kernel_size"]), int(options["stride"]), ceil_mode=True)


def normalise(bottoms, options, first):
    size, alpha, beta, k = (float(options.get(key, value)) for key, value in LRN)
    squares = F.pad(bottoms[0][:, None] ** 2, (0, 0, 0, 0, int(size) // 2, int(size) // 2))
    total = size * F.avg_pool3d(squares, (int(size), 1, 1), stride=1)[:, 0]
    return bottoms[0] / (k + alpha / size * total) ** beta


LRN = (("local_size", 5), ("alpha", 1.0), ("beta", 0.75), ("k", 1.0))


def crop(bottoms, options, first):
    """Cuts so that both lie on the same pixels of the image, as the layer of fully convolutional networks does."""
    height, width = bottoms[1].shape[2:]
    offset = round(-first)
    assert offset == -first >= 0
    return bottoms[0][:, :, offset : offset + height, offset : offset + width]


LAYERS = {
    "ReLU": lambda bottoms, options, first: bottoms[0].relu(),
    "Sigmoid": lambda bottoms, options, first: bottoms[0].sigmoid(),
    "Concat": lambda bottoms, options, first: torch.cat(bottoms, 1),
    "Pooling": pool,
    "LRN": normalise,
    "Crop": crop,
}
