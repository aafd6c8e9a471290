"""Tiny networks of every family of KerasHub, with random weights."""

import functools

TRANSFORMER = {"num_layers": 2, "hidden_dim": 8, "num_heads": 2, "intermediate_dim": 16}


def dinov2(models, side=56):
    shape = {"image_shape": (side, side, 3), "position_embedding_shape": (56, 56, 3)}
    return models.DINOV2Backbone(patch_size=14, num_register_tokens=2, **shape, **TRANSFORMER)


def dinov3(models):
    return models.DINOV3Backbone(patch_size=16, image_shape=(64, 96, 3), **TRANSFORMER)


def clip(models):
    network = models.CLIPVisionEncoder(patch_size=16, image_shape=(64, 64, 3), **TRANSFORMER)
    # Presets bring these numbers; without, every place has the first embedding.
    network.embedding.position_ids.assign([range(17)])
    return network


def siglip(models):
    return models.SigLIPVisionEncoder(patch_size=16, image_shape=(64, 64, 3), **TRANSFORMER)


def mit(models):
    return models.MiTBackbone(
        layerwise_depths=[1, 1, 1, 1],
        num_layers=4,
        layerwise_num_heads=[1, 1, 2, 2],
        layerwise_sr_ratios=[8, 4, 2, 1],
        max_drop_path_rate=0.1,
        layerwise_patch_sizes=[7, 3, 3, 3],
        layerwise_strides=[4, 2, 2, 2],
        hidden_dims=[4, 4, 8, 8],
        image_shape=(64, 64, 3),
    )


def resnet(models):
    return models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[7],
        stackwise_num_filters=[64, 8, 8, 8],
        stackwise_num_blocks=[1, 1, 1, 1],
        stackwise_num_strides=[1, 2, 2, 2],
        block_type="basic_block",
    )


def retinanet(models):
    return models.RetinaNetBackbone(resnet(models), min_level=3, max_level=5, use_p5=False)


def densenet(models):
    return models.DenseNetBackbone(stackwise_num_repeats=[1, 1, 1, 1], growth_rate=4)


def cspnet(models):
    return models.CSPNetBackbone(
        stem_filters=8,
        stem_kernel_size=3,
        stem_strides=2,
        stackwise_depth=[1, 1, 1, 1],
        stackwise_strides=[2, 2, 2, 2],
        stackwise_num_filters=[8, 8, 16, 16],
        block_type="dark_block",
        stage_type="dark",
        bottle_ratio=[0.5],
    )


def efficientnet(models):
    return models.EfficientNetBackbone(
        stackwise_width_coefficients=[0.25] * 4,
        stackwise_depth_coefficients=[1.0] * 4,
        stackwise_kernel_sizes=[3] * 4,
        stackwise_num_repeats=[1] * 4,
        stackwise_input_filters=[32, 16, 24, 40],
        stackwise_output_filters=[16, 24, 40, 80],
        stackwise_expansion_ratios=[1, 2, 2, 2],
        stackwise_squeeze_and_excite_ratios=[0.25] * 4,
        stackwise_strides=[2] * 4,
        stackwise_block_types=["v1", "v1", "unfused", "fused"],
    )


def hgnetv2(models):
    return models.HGNetV2Backbone(
        depths=[1] * 4,
        embedding_size=8,
        hidden_sizes=[8] * 4,
        stem_channels=[3, 4, 8],
        hidden_act="relu",
        use_learnable_affine_block=False,
        stackwise_stage_filters=[[8, 4, 8, 1, 1, 3], [8, 4, 16, 1, 1, 3], [16, 4, 16, 1, 1, 5], [16, 4, 16, 1, 1, 5]],
        apply_downsample=[False, True, True, True],
        use_lightweight_conv_block=[False, False, True, True],
    )


def mobilenet(models):
    return models.MobileNetBackbone(
        stackwise_expansion=[[16], [16], [16]],
        stackwise_num_blocks=[1, 1, 1],
        stackwise_num_filters=[[8], [16], [16]],
        stackwise_kernel_size=[[3], [3], [5]],
        stackwise_num_strides=[[2], [2], [2]],
        stackwise_se_ratio=[[None], [0.25], [0.25]],
        stackwise_activation=[["relu"], ["relu"], ["hard_swish"]],
        stackwise_padding=[[1], [1], [2]],
        output_num_filters=32,
        depthwise_filters=8,
        depthwise_stride=2,
        depthwise_residual=False,
        last_layer_filter=32,
    )


# How to make one, and the strides of its taps.
NETWORKS = {
    "DINOV2Backbone": (dinov2, [14] * 2),
    "DINOV3Backbone": (dinov3, [16] * 2),
    "CLIPVisionEncoder": (clip, [16] * 2),
    "SigLIPVisionEncoder": (siglip, [16] * 2),
    "MiTBackbone": (mit, [8, 16, 32]),
    "ResNetBackbone": (resnet, [8, 16, 32]),
    "RetinaNetBackbone": (retinanet, [8, 16, 32]),
    "DenseNetBackbone": (densenet, [8, 16, 32]),
    "CSPNetBackbone": (cspnet, [8, 16, 32]),
    "EfficientNetBackbone": (efficientnet, [8, 16, 32]),
    "HGNetV2Backbone": (hgnetv2, [8, 16, 32]),
    "MobileNetBackbone": (mobilenet, [8, 16, 32]),
}


@functools.cache
def make(name):
    """The network of a name, made once."""
    import keras
    from keras_hub import models

    keras.utils.set_random_seed(0)
    return NETWORKS[name][0](models)
