"""The table of releases: how each is run from a clone of its repository, and which of its maps are kept."""

import functools
import importlib
import inspect
import os
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import numpy as np
import torch

from releases import caffe, keras1, lasagne, pytorch, tensorflow1

MEAN = (103.939, 116.779, 123.68)  # of ImageNet, BGR


def planes(maps):
    """From `(1, height, width, channels)` to a tensor `(1, channels, height, width)`."""
    return torch.from_numpy(np.ascontiguousarray(maps.transpose(0, 3, 1, 2), "float32"))


def load(clone, folder, module):
    """Imports a file of the clone from its own folder."""
    os.chdir(clone / folder)
    sys.path.insert(0, str(clone / folder))
    return importlib.import_module(module)


def salnet(clone, photo):
    sys.modules["cv2"] = MagicMock()
    authors = load(clone, ".", "deep").SalNet
    numbers = {name: item.default for name, item in inspect.signature(authors.__init__).parameters.items()}
    seen = authors.preprocess_input(SimpleNamespace(**numbers, scale_input=lambda photo: photo), photo[0])
    return caffe.run(clone / "deep/deep_net_deploy.prototxt", torch.from_numpy(seen))


def dva(clone, photo):
    return caffe.run(clone / "models/attention_test.prototxt", planes(photo[..., ::-1] - np.float32(MEAN)))


def eml_net(clone, photo):
    model = load(clone, ".", "resnet").resnet50(None)
    names = {f"output{i}": f"output{i}" for i in range(5)} | {f"layer{i}": f"layer{i}" for i in range(1, 5)}
    return pytorch.run(model, planes(photo) / 255, {**names, "combined": "combined.1"})


def simplenet(clone, photo):
    model = load(clone, "SimpleNet", "model").ResNetModel(load_weight=0)
    names = {f"conv_layer{i}": f"conv_layer{i}" for i in range(1, 6)} | {
        f"deconv{i}": f"deconv_layer{i}.1" for i in range(6)
    }
    maps = pytorch.run(model, (planes(photo) / 255 - 0.5) / 0.5, {**names, "score": "deconv_layer5.2"})
    return {**maps, "output": maps["output"][:, None]}


def msi_net(clone, photo):
    tensorflow1.install()
    # It takes the means of ImageNet from RGB in the order of BGR; given BGR it sees what the weights of VGG16 know.
    output = load(clone, ".", "model").MSINET().forward(torch.from_numpy(photo[..., ::-1].copy()))
    return {**tensorflow1.FOUND, "output": output.permute(0, 3, 1, 2)}


def mlnet(clone, photo):
    keras1.install()
    model = load(clone, ".", "model")
    model.Input = lambda shape: planes(photo[..., ::-1] - np.float32(MEAN))
    return {**keras1.FOUND, "output": model.ml_net_model(*photo.shape[1:3]).output, **keras1.FOUND}


def sam(clone, photo, build):
    keras1.install()
    config = load(clone, ".", "config")
    config.shape_r_gt, config.shape_c_gt = (side // 8 for side in photo.shape[1:3])
    priors = torch.zeros(1, config.nb_gaussian, config.shape_r_gt, config.shape_c_gt)
    seen = planes(photo[..., ::-1] - np.float32(MEAN))
    return {"output": getattr(load(clone, ".", "models"), build)([seen, priors])[0], **keras1.FOUND}


def salgan(clone, photo, discriminate=False):
    with tempfile.TemporaryDirectory() as folder:
        lasagne.install(clone, Path(folder))
        photo, size = np.ascontiguousarray(photo.transpose(0, 3, 1, 2)), photo.shape[1:3]
        if discriminate:
            shown = np.concatenate([photo[:, :1] / 255, photo], 1)  # the red of the photograph is taken for the map
            output = load(Path(folder), ".", "discriminator").build(*size, shown)["prob"].output()[..., None, None]
        else:
            generator = load(Path(folder), ".", "generator")
            generator.set_pretrained_weights = lambda net: None
            output = generator.build(*size, photo.copy())["output"].output()
        return {**lasagne.FOUND, "output": output}


# name: the repository, the size of the image, what runs it, the maps that are kept.
RELEASES = {
    "salnet": ("imatge-upc/saliency-2016-cvpr", (64, 96), salnet, "conv1 norm1 pool1 conv3 conv6 conv8 conv9 deconv1"),
    "dva": (
        "wenguanwang/deepattention",
        (64, 96),
        dva,
        "conv3_3 conv4_3 conv5_3 attention1_predc attention2_predc attention3_predc "
        "final_attention_pred final_attentionmap",
    ),
    "eml-net": (
        "SenJia/EML-NET-Saliency",
        (64, 96),
        eml_net,
        "layer1 layer2 layer3 layer4 output0 output1 output2 output3 output4 combined output",
    ),
    "simplenet": (
        "samyak0210/saliency",
        (256, 256),
        simplenet,
        "conv_layer1 conv_layer2 conv_layer3 conv_layer4 conv_layer5 deconv0 deconv2 deconv4 score output",
    ),
    "msi-net": (
        "alexanderkroner/saliency",
        (64, 96),
        msi_net,
        "conv3/conv3_3 conv4/conv4_3 conv5/conv5_3 aspp/conv1_4 aspp/conv1_5 aspp/conv2 decoder/conv1 decoder/conv3 "
        "decoder/conv4 output",
    ),
    "mlnet": (
        "marcellacornia/mlnet",
        (480, 640),
        mlnet,
        "maxpooling2d_1 maxpooling2d_3 maxpooling2d_4 convolution2d_13 convolution2d_14 output",
    ),
    "sam-vgg": (
        "marcellacornia/sam",
        (64, 96),
        functools.partial(sam, build="sam_vgg"),
        "block3_pool block4_pool block5_conv3 attentiveconvlstm_1 convolution2d_1 convolution2d_2 "
        "convolution2d_3 output",
    ),
    "sam-resnet": (
        "marcellacornia/sam",
        (64, 96),
        functools.partial(sam, build="sam_resnet"),
        "convolution2d_1 attentiveconvlstm_1 convolution2d_2 convolution2d_4 output",
    ),
    "salgan": (
        "imatge-upc/salgan",
        (64, 96),
        salgan,
        "conv2d_7 conv2d_13 conv2d_16 conv2d_19 conv2d_22 conv2d_26 output",
    ),
    "discriminator": (
        "imatge-upc/salgan",
        (64, 96),
        functools.partial(salgan, discriminate=True),
        "conv2d_1 conv2d_2 conv2d_4 pool2d_3 output",
    ),
}
