"""How the features of each family of KerasHub's backbones become feature maps, for images of any size."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from keras_saliency.backbones.hub_layers import MixBlock, PatchTokens, RotaryPlaces, TokenGrid, WholePatches
from keras_saliency.backbones.pixels import CLIP, HALVES, IMAGENET, Colours
from keras_saliency.formulas.types import Features, Tensor

# An image, and feature maps by name.
Named = tuple[Tensor, Mapping[str, Features]]


class Family(NamedTuple):
    """A row of the table.

    Attributes:
        read: From a backbone to a symbolic image and its feature maps by name.
        taps: Those that a decoder gets by default, or what finds them in a backbone.
        standard: What images are standardised by where a preset does not say.
    """

    read: Callable[[keras.Model], Named]
    taps: Sequence[str] | Callable[[keras.Model], Sequence[str]] = ("P3", "P4", "P5")
    standard: Colours = IMAGENET


def _pyramid(network):
    return network.inputs[0], network.pyramid_outputs


def _feature_pyramid(network):
    """RetinaNet, which doubles coarse levels and adds them to finer ones: sides must be multiples of 32."""
    images = keras.Input((None, None, 3))
    levels = keras.Model(network.inputs, network.pyramid_outputs, name="levels")
    return images, levels(WholePatches(32, name="whole_strides")(images))


def _outputs(network):
    return network.inputs[0], network.output


def _blocks(network):
    maps = {layer.name: layer.output for layer in network.layers[1:]}
    return network.inputs[0], {name: tensor for name, tensor in maps.items() if len(tensor.shape) == 4}


def _last_of_each_stride(network):
    """The names of the last layers of MobileNet at the strides 8, 16 and 32; `input_conv` has the first stride."""
    stride, last = 2, {}
    for layer in network.layers:
        stride *= getattr(layer, "stride", 1)
        last[stride] = layer.name
    return [name for stride, name in last.items() if stride >= 8]


def _mix_transformer(network):
    """MiT, whose blocks find the sides of a grid by a root: read grid by grid, and so at any size."""
    images = x = keras.Input((None, None, 3))
    levels = iter(range(1, network.num_layers + 1))
    maps = {}
    for layer in network.layers:
        kind = type(layer).__name__
        if kind == "OverlappingPatchingAndEmbedding":
            x = layer.norm(layer.proj(layer.padding(x)))
        elif kind == "HierarchicalTransformerEncoder":
            x = MixBlock(layer, name=f"{layer.name}_grid")(x)
        elif isinstance(layer, keras.layers.LayerNormalization):
            x = maps[f"P{next(levels)}"] = layer(x)
    return images, maps


class Transformer(NamedTuple):
    """The layers of a vision transformer, and what it adds to the tokens of patches.

    Attributes:
        patches: The convolution that makes a token of a patch.
        blocks: From tokens to tokens.
        norm: The last normalisation.
        first: The tokens that come before those of patches, `(count, channels)`.
        places: The embeddings of places, `(places, channels)`, of a square grid.
        before: A normalisation before the first block.
        rotary: The channels of a head and the base of the periods, where places are told by rotations.
    """

    patches: keras.layers.Layer
    blocks: Sequence[keras.layers.Layer]
    norm: keras.layers.Layer
    first: Any = None
    places: Any = None
    before: keras.layers.Layer | None = None
    rotary: tuple[int, float] | None = None


def _dinov2(network):
    embeddings = network.embeddings
    # Of the two that it has, the one for its own size is trained.
    learned, used = embeddings.position_embeddings, embeddings.interpolated_position_embeddings
    places = ops.convert_to_numpy(used if used.shape == learned.shape else learned)[0]
    first = [ops.convert_to_numpy(embeddings.cls_token)[0] + places[:1]]
    if network.num_register_tokens:
        first.append(ops.convert_to_numpy(embeddings.register_tokens)[0])
    projection = embeddings.patch_embeddings.projection
    return Transformer(projection, network.encoder.layers, network.layernorm, np.concatenate(first), places[1:])


def _dinov3(network):
    embeddings = network.embeddings
    first = [ops.convert_to_numpy(embeddings.cls_token)[0]]
    if network.num_register_tokens:
        first.append(ops.convert_to_numpy(embeddings.register_tokens)[0])
    projection = embeddings.patch_embeddings.projection
    rotary = network.hidden_dim // network.num_heads, network.rope_theta
    return Transformer(projection, network.encoder.layers, network.layernorm, np.concatenate(first), rotary=rotary)


def _clip(network):
    embedding = network.embedding
    places = ops.convert_to_numpy(embedding.position_embedding.embeddings)
    first = ops.convert_to_numpy(embedding.class_embedding)[None] + places[:1]
    blocks, before = network.encoder_layers, network.pre_layer_norm
    return Transformer(embedding.patch_embedding, blocks, network.layer_norm, first, places[1:], before)


def _siglip(network):
    embedding = network.embedding
    places = ops.convert_to_numpy(embedding.position_embedding.embeddings)
    return Transformer(embedding.patch_embedding, network.encoder_layers, network.post_layer_norm, places=places)


def _tokens(parts):
    """Makes the reader of a family of transformers of what finds their layers.

    The maps are `stage1`, `stage2`, ..., the tokens of patches after each block, and `stage1:norm`, ..., the same after
    the last normalisation, as DINOv2 gives its intermediate layers to dense tasks.
    """

    def read(network):
        transformer = parts(network)
        policy = network.dtype_policy
        images = keras.Input((None, None, 3))
        whole = WholePatches(network.patch_size, dtype=policy, name="whole_patches")(images)
        patches = transformer.patches(whole)
        x = _sequence(transformer, patches, policy)
        options = {}
        if transformer.rotary:
            places = RotaryPlaces(*transformer.rotary, dtype=policy, name="rotary_places")(patches)
            options = {"position_embeddings": places, "num_prefix_tokens": len(transformer.first)}
        if transformer.before:
            x = transformer.before(x)
        maps = {}
        for i, block in enumerate(transformer.blocks, 1):
            x = block(x, **options)
            for name, tokens in ((f"stage{i}", x), (f"stage{i}:norm", transformer.norm(x))):
                maps[name] = TokenGrid(dtype=policy, name=name.replace(":", "_"))([tokens, patches])
        return images, maps

    return read


def _sequence(transformer, patches, policy):
    """The tokens that the first block sees, their places told by what the backbone has learned."""
    first, places = transformer.first, transformer.places
    side = None if places is None else round(len(places) ** 0.5)
    layer = PatchTokens(0 if first is None else len(first), side and (side, side), dtype=policy, name="patch_tokens")
    tokens = layer(patches)
    if first is not None:
        layer.tokens.assign(first[None])
    if side:
        layer.positions.assign(np.reshape(places, (1, side, side, -1)))
    return tokens


def _quarters(network):
    """Four depths of a transformer, the last one among them."""
    depth = network.num_layers
    return list(dict.fromkeys(f"stage{-(-depth * i // 4)}:norm" for i in (1, 2, 3, 4)))


# By the name of the class in `keras_hub.models`.
FAMILIES: dict[str, Family] = {
    "CSPNetBackbone": Family(_pyramid),
    "DenseNetBackbone": Family(_pyramid),
    "EfficientNetBackbone": Family(_pyramid),
    "ResNetBackbone": Family(_pyramid),
    "RetinaNetBackbone": Family(_feature_pyramid),
    "HGNetV2Backbone": Family(_outputs, ("stage2", "stage3", "stage4")),
    "MobileNetBackbone": Family(_blocks, _last_of_each_stride),
    "MiTBackbone": Family(_mix_transformer, ("P2", "P3", "P4")),
    "DINOV2Backbone": Family(_tokens(_dinov2), _quarters),
    "DINOV3Backbone": Family(_tokens(_dinov3), _quarters),
    "CLIPVisionEncoder": Family(_tokens(_clip), _quarters, CLIP),
    "SigLIPVisionEncoder": Family(_tokens(_siglip), _quarters, HALVES),
}
