"""Strides, dilation, and the networks and layers that are written here, against independent forms of the same."""

import unittest.mock

import keras
import numpy as np
import pytest
import scipy.ndimage
from conftest import slowly

from keras_saliency.backbones import create_backbone
from keras_saliency.backbones.intensity_contrast import LUMINANCE, SIGMAS
from keras_saliency.backbones.resnet import build_resnet50
from keras_saliency.layers.local_response_normalization import LocalResponseNormalization


def seeded(name, *args, **kwargs):
    """A backbone whose random weights are those of any other of this name, strides or not."""
    keras.utils.set_random_seed(0)
    return create_backbone(name, None, *args, **kwargs)


# Every k-th value of a dilated backbone, from a phase on, is a value of the original. A convolution or pool that looks
# at pixel 2i and its neighbours, as those padded by (1, 1), those of 1x1 and pools of 2x2 do, keeps the phase; one that
# looks at 2i + 1, as "same" padding of an even side makes it do, adds the distance of the values before it: 1, then 2.
# The sides are multiples of 32, so that each is even where a stride has been, and what the original pads lies between
# the same values: the two are equal up to the border.
@pytest.mark.parametrize(
    ("name", "taps"),
    [
        ("vgg16", {"block4_conv3": (1, 0), "block5_conv3": (2, 0)}),
        pytest.param(
            "resnet50",
            {"conv3_block4_out": (1, 0), "conv4_block6_out": (2, 0), "conv5_block3_out": (4, 0)},
            marks=pytest.mark.slow,
        ),
        pytest.param("resnet50-torch", {"layer2": (1, 0), "layer3": (2, 0), "layer4": (4, 0)}, marks=pytest.mark.slow),
        ("efficientnet-lite0", {"stage3_out": (1, 0), "stage5_out": (2, 1), "stage7_out": (4, 3)}),
        pytest.param(
            "mobilenetv2",
            {"block_5_add": (1, 0), "block_12_add": (2, 1), "out_relu": (4, 3)},
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_dilated_backbone_holds_the_values_of_the_original(name, taps, rng):
    images = rng.uniform(0, 255, (1, 64, 96, 3)).astype("float32")
    original, dilated = (seeded(name, (64, 96), tuple(taps), stride=stride)(images) for stride in (None, 8))
    for values, expected, (step, phase) in zip(dilated, original, taps.values(), strict=True):
        assert values.shape[1:3] == (8, 12)
        values = values[:, phase::step, phase::step]
        np.testing.assert_allclose(values, expected, rtol=1e-3, atol=1e-4 * np.max(np.abs(expected)))


def layers_of(name, stride, **kwargs):
    return seeded(name, (64, 96), stride=stride, **kwargs).get_layer(name).get_layer


def test_vgg16_loses_the_stride_of_its_last_pools():
    layer = layers_of("vgg16", 8, taps=("block5_pool",))
    assert [layer(f"block{i}_pool").strides for i in range(1, 6)] == [(2, 2)] * 3 + [(1, 1)] * 2
    assert {layer(f"block{i}_pool").padding for i in range(1, 6)} == {"same"}
    assert [layer(f"block{i}_conv1").dilation_rate for i in range(1, 6)] == [(1, 1)] * 4 + [(2, 2)]
    assert layers_of("vgg16", 16, taps=("block5_pool",))("block4_pool").strides == (2, 2)


@pytest.mark.slow
def test_resnet50_is_dilated_as_deeplab_dilates():
    layer = layers_of("resnet50", 8)
    for stage, dilation in [(3, 1), (4, 2), (5, 4)]:
        for block in (1, 2):
            assert layer(f"conv{stage}_block{block}_2_conv").dilation_rate == (dilation, dilation)
            assert layer(f"conv{stage}_block{block}_1_conv").dilation_rate == (1, 1)
    assert [layer(f"conv{stage}_block1_{i}_conv").strides[0] for stage in (3, 4, 5) for i in (0, 1)] == [
        2,
        2,
        1,
        1,
        1,
        1,
    ]
    layer = layers_of("resnet50-torch", 8)
    dilations = [[layer(f"layer{stage}-{block}-conv2").dilation_rate[0] for block in (0, 1)] for stage in (2, 3, 4)]
    # The stride is on the 3x3 convolution, which its own loss does not dilate.
    assert dilations == [[1, 1], [1, 2], [2, 4]]


def test_strides_may_go_without_dilation():
    layer = layers_of("vgg16", 8, dilated=False)
    assert (layer("block4_pool").strides, layer("block5_conv1").dilation_rate) == ((1, 1), (1, 1))
    images = np.random.default_rng(0).uniform(0, 255, (1, 64, 96, 3)).astype("float32")
    plain, dilated = (seeded("efficientnet-lite0", (64, 96), stride=8, dilated=flag)(images) for flag in (False, True))
    np.testing.assert_array_equal(plain[0], dilated[0])
    assert plain[-1].shape == dilated[-1].shape
    assert np.max(np.abs(plain[-1] - dilated[-1])) > 0.01 * np.max(np.abs(dilated[-1]))


def test_linear_taps_are_those_before_the_activation(rng):
    images = rng.uniform(0, 255, (1, 64, 96, 3)).astype("float32")
    taps = ("block5_conv1:linear", "block5_conv1", "block5_conv3:linear")
    linear, rectified, last = seeded("vgg19", (64, 96), taps, stride=8)(images)
    assert np.min(linear) < 0
    np.testing.assert_array_equal(np.maximum(linear, 0), rectified)
    expected, expected_last = seeded("vgg19", (64, 96), ("block5_conv1", "block5_conv3"), stride=8)(images)
    np.testing.assert_allclose(rectified, expected, atol=1e-5 * np.max(expected))
    np.testing.assert_allclose(np.maximum(last, 0), expected_last, atol=1e-5 * np.max(expected_last))


@pytest.mark.slow
def test_changes_are_merged_into_the_settings_of_layers():
    # As SAM pads its ResNet-50.
    changes = {"pool1_pad": {"padding": 0}, "pool1_pool": {"padding": "same"}}
    layer = layers_of("resnet50", None, changes=changes, taps=("conv2_block1_out",))
    assert (layer("pool1_pad").padding, layer("pool1_pool").padding) == (((0, 0), (0, 0)), "same")
    assert layer("pool1_pool").strides == (2, 2)
    changes = {"convnext_tiny_stem_conv": {"padding": "same"}, "convnext_tiny_downsampling_conv_2": {"strides": 1}}
    backbone = seeded("convnext-tiny", (64, 96), changes=changes)
    assert [tap.shape[1:3] for tap in backbone.outputs] == [(8, 12), (4, 6), (3, 5)]


def test_a_network_that_stays_as_it_is_is_not_copied(monkeypatch):
    copy = unittest.mock.Mock(side_effect=AssertionError)
    monkeypatch.setattr(keras.models, "clone_model", copy)
    for name in ("efficientnet-lite0", "resnet50-torch", "vgg-cnn-m", "intensity-contrast"):
        create_backbone(name, None, (64, 96))
    create_backbone("intensity-contrast", stride=8)
    copy.assert_not_called()


def torch_resnet50(torch):
    """The trunk of torchvision's ResNet-50, written in `torch.nn`."""
    nn = torch.nn

    class Bottleneck(nn.Module):
        def __init__(self, inputs, channels, stride):
            super().__init__()
            self.conv1, self.bn1 = nn.Conv2d(inputs, channels, 1, bias=False), nn.BatchNorm2d(channels)
            self.conv2 = nn.Conv2d(channels, channels, 3, stride, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(channels)
            self.conv3, self.bn3 = nn.Conv2d(channels, 4 * channels, 1, bias=False), nn.BatchNorm2d(4 * channels)
            self.downsample = nn.Identity()
            if inputs != 4 * channels:
                convolution = nn.Conv2d(inputs, 4 * channels, 1, stride, bias=False)
                self.downsample = nn.Sequential(convolution, nn.BatchNorm2d(4 * channels))

        def forward(self, x):
            y = torch.relu(self.bn1(self.conv1(x)))
            y = self.bn3(self.conv3(torch.relu(self.bn2(self.conv2(y)))))
            return torch.relu(y + self.downsample(x))

    class ResNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1, self.bn1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64)
            inputs = 64
            for i, (blocks, channels) in enumerate([(3, 64), (4, 128), (6, 256), (3, 512)], 1):
                stage = []
                for j in range(blocks):
                    stage.append(Bottleneck(inputs, channels, 2 if i > 1 and j == 0 else 1))
                    inputs = 4 * channels
                setattr(self, f"layer{i}", nn.Sequential(*stage))

        def forward(self, x):
            outputs = [torch.relu(self.bn1(self.conv1(x)))]
            x = nn.functional.max_pool2d(outputs[0], 3, 2, 1)
            for i in range(1, 5):
                x = getattr(self, f"layer{i}")(x)
                outputs.append(x)
            return outputs

    return ResNet().eval()


def test_resnet50_torch_is_that_of_torchvision(rng, tmp_path):
    network = build_resnet50(keras.Input((None, None, 3)))
    assert sum(int(np.prod(weight.shape)) for weight in network.trainable_weights) == 23_508_032
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    reference = torch_resnet50(torch)
    for module in reference.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            for tensor in (module.weight, module.running_var):
                torch.nn.init.uniform_(tensor, 0.5, 1)
            for tensor in (module.bias, module.running_mean):
                torch.nn.init.normal_(tensor, 0, 0.1)
    torch.save(reference.state_dict(), tmp_path / "resnet50.pth")
    network = build_resnet50(keras.Input((None, None, 3)), tmp_path / "resnet50.pth")
    taps = keras.Model(
        network.input,
        [network.get_layer(f"{name}").output for name in ("relu", "layer1", "layer2", "layer3", "layer4")],
    )
    for size in [(64, 96), (75, 101)]:
        images = rng.normal(0, 1, (1, *size, 3)).astype("float32")
        with torch.no_grad():
            expected = reference(torch.tensor(images.transpose(0, 3, 1, 2)))
        for one, other in zip(taps(images), expected, strict=True):
            other = other.numpy().transpose(0, 2, 3, 1)
            np.testing.assert_allclose(one, other, atol=1e-4 * other.max())


@pytest.mark.parametrize("name", slowly(["resnet50-torch", "efficientnetv2", "convnext-tiny"], ["efficientnetv2"]))
def test_images_are_standardised_as_those_of_imagenet(name, rng):
    images = rng.uniform(0, 255, (1, 32, 32, 3)).astype("float32")
    expected = (images / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    np.testing.assert_allclose(seeded(name).get_layer("normalise")(images), expected, atol=1e-5)


def test_local_response_normalization_against_loops(rng):
    x = rng.normal(0, 30, (2, 3, 4, 7))
    expected = np.empty_like(x)
    for c in range(7):
        total = sum(x[..., i] ** 2 for i in range(max(0, c - 2), min(7, c + 3)))
        expected[..., c] = x[..., c] / (2 + 5e-4 / 5 * total) ** 0.75
    layer = LocalResponseNormalization()
    np.testing.assert_allclose(layer(x.astype("float32")), expected, rtol=1e-5)
    config = LocalResponseNormalization(3, 1e-4, 0.5, 1.0, dtype="mixed_float16").get_config()
    again = LocalResponseNormalization.from_config(config)
    assert again.get_config() == config
    # The squares of 300 leave float16, what is divided by their root does not.
    assert np.isfinite(again(np.full((1, 1, 1, 4), 300.0))).all()
    with pytest.raises(ValueError, match="must be odd and positive. Received: 4"):
        LocalResponseNormalization(4)


def test_vgg_cnn_m_has_the_layers_of_salnet():
    taps = ("conv1", "norm1", "pool1", "conv2", "pool2", "conv3")
    backbone = create_backbone("vgg-cnn-m", None, (64, 96), taps)
    sizes = [(64, 96, 96), (64, 96, 96), (32, 48, 96), (32, 48, 256), (16, 24, 256), (16, 24, 512)]
    assert [tap.shape[1:] for tap in backbone.outputs] == sizes
    kernels = [(7, 7, 3, 96), (5, 5, 96, 256), (3, 3, 256, 512)]
    assert [weight.shape for weight in backbone.weights if len(weight.shape) == 4] == kernels


@pytest.mark.parametrize("size", [(320, 328), (120, 160)])
def test_intensity_and_contrast_against_scipy(size, rng):
    images = rng.uniform(0, 255, (1, *size, 3)).astype("float32")
    images[:, :100, :80] *= 0.2
    luma = (images[0].astype("float64") / 255) @ LUMINANCE
    features = np.asarray(create_backbone("intensity-contrast")(images))[0]
    assert features.shape == (*size, 10)
    for i, sigma in enumerate(SIGMAS):
        mean = scipy.ndimage.gaussian_filter(luma, sigma, mode="reflect")
        variance = scipy.ndimage.gaussian_filter(luma**2, sigma, mode="reflect") - mean**2
        np.testing.assert_allclose(features[..., i], mean, atol=2e-4)
        np.testing.assert_allclose(features[..., 5 + i], variance, atol=2e-4)
