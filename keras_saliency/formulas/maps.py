"""The algebra of maps: shapes, densities, standardisation, blur, and the packing of targets."""

import functools
from collections.abc import Callable, Hashable
from typing import Any, Literal, NamedTuple, Self, TypeVar

import keras
import numpy as np
from keras import backend

from keras_saliency.formulas.arrays import ops
from keras_saliency.formulas.mirrored import gaussian_matrix
from keras_saliency.formulas.types import Maps, Plane, Targets, Tensor, Values

SPATIAL = (1, 2)
# Added to a probability before its logarithm where a map, unlike a log-density, can hold exact zeros.
LOG_GUARD = 1e-12

_T = TypeVar("_T")


class Target(NamedTuple):
    """The ground truth of a batch, as measures take it; a part that it does not have is None."""

    density: "Maps | Map"  # a `Map` from `unpack_pair` on
    fixations: Maps | None = None
    valid: Maps | None = None
    negatives: Maps | None = None
    baseline: "Map | None" = None


def as_maps(maps: Maps, name: str = "map") -> Maps:
    """Checks that `maps` is `(batch, height, width, 1)` and casts it to float32; float64 and NumPy arrays are kept.

    Raises:
        ValueError: If the shape is another; the message names the map.
    """
    maps = ops.convert_to_tensor(maps)
    if len(maps.shape) != 4 or maps.shape[-1] != 1:
        raise ValueError(
            f"{name} must have the shape (batch, height, width, 1). Received: {name}.shape={tuple(maps.shape)}."
        )
    return maps if backend.standardize_dtype(maps.dtype) == "float64" else ops.cast(maps, "float32")


def total(maps: Maps, valid: Maps | None = None) -> Tensor:
    """Sums each map over its valid pixels, with shape `(batch, 1, 1, 1)`."""
    return ops.sum(maps if valid is None else maps * valid, SPATIAL, keepdims=True)


def _extremes(maps, valid):
    """The smallest and the largest valid value of each map; under XLA they pass over NaN."""
    low = high = maps
    if valid is not None:
        huge = ops.stop_gradient(ops.max(ops.abs(maps), SPATIAL, keepdims=True))
        low, high = ops.where(valid > 0, low, huge), ops.where(valid > 0, high, -huge)
    return ops.min(low, SPATIAL, keepdims=True), ops.max(high, SPATIAL, keepdims=True)


def to_density(maps: Maps, valid: Maps | None = None, extremes: tuple[Tensor, Tensor] | None = None) -> Maps:
    """Scales each map to sum to one over its valid pixels.

    Args:
        maps: `(batch, height, width, 1)`, of any scale. A map with negative values is shifted to a minimum of
            zero first (the convention of pysaliency).
        valid: The validity mask of the same shape, one inside the image and zero in padding; None if all is image.
        extremes: The smallest and largest valid value of each map, if they are known.

    Returns:
        The densities, zero in padding. A map that is zero everywhere becomes uniform.
    """
    low, high = extremes or _extremes(maps, valid)
    shift = ops.where(low >= 0, 0.0, low)
    # Scaled to a peak of one before the sum, so that neither 1e30 nor 1e-30 leaves the range of float32. A factor
    # changes nothing, so it has no gradient. A map of zeros is raised to ones. All that is done to whole maps are one
    # difference and two products: what is left are numbers, one for each map.
    peak = ops.stop_gradient(high - shift)
    shift = ops.where(peak == 0, shift - ops.maximum(ops.abs(shift), 1.0), shift)
    scale = 1.0 / ops.where(peak == 0, ops.maximum(ops.abs(shift), 1.0), peak)
    scaled = (maps - shift) * scale
    if valid is not None:
        scaled = ops.where(valid > 0, scaled, 0.0)
    mass = total(scaled)
    return scaled * (1.0 / ops.where(mass == 0, 1.0, mass))


def log_softmax(logits: Maps, valid: Maps | None = None) -> Maps:
    """Normalises an unnormalised log-density over its valid pixels; padding becomes zero, to be masked."""
    return Map(logits, valid, from_logits=True).log_density


def standardize(maps: Maps, valid: Maps | None = None, extremes: tuple[Tensor, Tensor] | None = None) -> Maps:
    """Scales each map to zero mean and unit variance over its valid pixels; a constant map becomes zero."""
    low, high = map(ops.stop_gradient, extremes or _extremes(maps, valid))
    spread = high - low
    # From zero to one first: no square then over- or underflows, and a constant map is exactly zero, whatever its
    # value. The result does not depend on it.
    scaled = (maps - low) * (1.0 / ops.where(spread == 0, 1.0, spread))
    if valid is None:
        centred = scaled - ops.mean(scaled, SPATIAL, keepdims=True)
        variance = ops.mean(ops.square(centred), SPATIAL, keepdims=True)
    else:
        count = ops.maximum(total(ops.cast(valid, maps.dtype)), 1.0)
        centred = ops.where(valid > 0, scaled - total(scaled, valid) / count, 0.0)
        variance = total(ops.square(centred)) / count
    # Guarded before the root: its slope is infinite at zero.
    return centred * (1.0 / ops.sqrt(ops.where(variance == 0, 1.0, variance)))


def blur(maps: Maps, sigma: float | Tensor) -> Maps:
    """Blurs maps by a Gaussian of `sigma` pixels between mirrored borders, so that mass is kept, whatever sigma is.

    Two matrix products: exact (the kernel is not truncated, and reflected as often as it must be) and differentiable,
    `sigma` included.

    Args:
        maps: `(batch, height, width, 1)`.
        sigma: The standard deviation in pixels, a number or a scalar tensor; zero leaves the maps as they are.
    """
    maps = as_maps(maps)
    size = maps.shape[1:3]
    vertical, horizontal = (
        gaussian_matrix(side, sigma, maps.dtype) for side in (keras.ops.shape(maps)[1:3] if None in size else size)
    )
    # Not by `einsum`, nor by indices, which LiteRT cannot have where the size or the batch is not known.
    rows = ops.matmul(ops.squeeze(maps, -1), ops.expand_dims(ops.transpose(horizontal), 0))
    return ops.expand_dims(ops.matmul(ops.expand_dims(vertical, 0), rows), -1)


def pack_targets(density: Maps, fixations: Maps | None = None, valid: Maps | None = None) -> Targets:
    """Packs what a saliency loss can ask of the ground truth into one tensor.

    Args:
        density: The fixation density `(batch, height, width, 1)`, of any non-negative scale.
        fixations: The number of fixations at each pixel, same shape. Needed by NSS, NLL, AUC and IG.
        valid: One inside the image and zero in padding, same shape. Padding is left out of every measure.

    Returns:
        A tensor `(batch, height, width, channels)` with one, two or three channels.

    Raises:
        ValueError: If a shape is not that of the density, `valid` comes without `fixations`, or an array has NaN or
            infinite values.
    """
    if valid is not None and fixations is None:
        raise ValueError("pack_targets needs fixations when valid is given; pass a map of zeros if there are none.")
    parts = {"density": density, "fixations": fixations, "valid": valid}
    for name, part in parts.items():
        # Arrays can be looked into; a tensor of a graph cannot.
        if isinstance(part, np.ndarray) and not np.isfinite(part).all():
            raise ValueError(
                f"{name} has NaN or infinite values, first at {np.argwhere(~np.isfinite(part))[0].tolist()}."
            )
    parts = {name: keras.ops.convert_to_tensor(as_maps(part, name)) for name, part in parts.items() if part is not None}
    for name, part in parts.items():
        if tuple(part.shape) != tuple(parts["density"].shape):
            raise ValueError(
                f"{name} must have the shape of density, {tuple(parts['density'].shape)}. "
                f"Received: {name}.shape={tuple(part.shape)}."
            )
    return ops.concatenate(list(parts.values()), axis=-1)


def unpack_targets(y_true: Targets, needs_fixations: str | Literal[False] | None = None) -> Target:
    """Reads a packed target.

    Args:
        y_true: What `pack_targets` returned.
        needs_fixations: The name of the measure that cannot do without fixation counts, None if they may be absent.

    Returns:
        A named tuple `(density, fixations, valid)` of maps `(batch, height, width, 1)`; a part that the target
        does not have is None.

    Raises:
        ValueError: If the target has not one to three channels, or lacks needed fixations.
    """
    y_true = keras.ops.convert_to_tensor(y_true)
    shape = tuple(y_true.shape)
    if len(shape) != 4 or shape[-1] not in (1, 2, 3):
        raise ValueError(
            "A saliency target must have the shape (batch, height, width, channels) with one to three channels "
            f"(density, fixations, valid); build it with pack_targets. Received: y_true.shape={shape}."
        )
    if needs_fixations and shape[-1] == 1:
        raise ValueError(
            f"{needs_fixations} needs fixation counts in channel 1 of y_true; build it with "
            f"pack_targets(density, fixations). Received: y_true.shape={shape}."
        )
    parts = [as_maps(y_true[..., i : i + 1], "y_true") for i in range(shape[-1])]
    return Target(*parts)


def present(target: Target, needs_fixations: bool = False) -> Values:
    """One for each image of a `Target` with ground truth (density, or fixations if needed), zero for the others.

    Returns:
        `(batch,)`, of the dtype of the target.
    """
    truth: Maps = target.fixations if needs_fixations else Map.of(target.density).raw
    # Not "> 0": a truth of NaN is to be seen in the loss.
    return ops.cast(ops.logical_not(total(truth, target.valid)[:, 0, 0, 0] <= 0), truth.dtype)


def image_weights(sample_weight: Tensor, values: Values) -> Tensor:
    """Sample weights beside the values of images: one number for each image, or one for all.

    Args:
        sample_weight: `(batch,)`, or `(1,)` for all, with axes of one after it or without; or a scalar.
        values: `(batch,)`.

    Raises:
        ValueError: If there is a weight for each pixel: a measure has one value for the image, and none for a pixel.
    """
    weights = ops.cast(keras.ops.convert_to_tensor(sample_weight), values.dtype)
    if any(side not in (1, None) for side in weights.shape[1:]):
        raise ValueError(
            "sample_weight holds one number for each image, (batch,). To leave pixels out, give them zero in the "
            "validity mask: pack_targets(density, fixations, valid). "
            f"Received: sample_weight.shape={tuple(weights.shape)}."
        )
    # One for all is spread; any other number of weights than that of the images is an error.
    return ops.reshape(weights, (-1,) if tuple(weights.shape[:1]) in ((), (1,)) else ops.shape(values))


class Map:
    """A batch of maps in the forms that measures ask for, each computed once.

    Args:
        maps: `(batch, height, width, 1)`.
        valid: The validity mask, or None.
        from_logits: Whether `maps` is an unnormalised log-density; otherwise it is a non-negative map.
        name: What errors call it.
    """

    def __init__(self, maps: Maps, valid: Maps | None = None, from_logits: bool = False, name: str = "map") -> None:
        self.raw = as_maps(maps, name)
        self.valid = valid
        self.from_logits = from_logits
        self._results: dict[Hashable, Any] = {}

    def once(self, key: Hashable, compute: Callable[[], _T]) -> _T:
        """What `compute()` gives for this map, computed once for each key."""
        if key not in self._results:
            self._results[key] = compute()
        return self._results[key]

    @classmethod
    def of(cls, maps: "Maps | Map", valid: Maps | None = None) -> Self:
        """A `Map` as it is, or one made of a tensor."""
        return maps if isinstance(maps, cls) else cls(maps, valid)

    @functools.cached_property
    def count(self) -> Tensor:
        """The number of valid pixels: one number, or `(batch,)` if there is a mask; at least one."""
        if self.valid is None:
            return ops.cast(ops.prod(ops.shape(self.raw)[1:3]), self.raw.dtype)
        return ops.maximum(ops.sum(ops.cast(self.valid, self.raw.dtype), (1, 2, 3)), 1.0)

    @functools.cached_property
    def extremes(self) -> tuple[Tensor, Tensor]:
        """The smallest and the largest valid value, each `(batch, 1, 1, 1)`."""
        return _extremes(self.raw, self.valid)

    @functools.cached_property
    def _exponential(self):
        """Of a log-density: below its peak, zero in padding; the exponential of that; the sum of the exponential."""
        shifted = self.raw - ops.stop_gradient(self.extremes[1])
        if self.valid is not None:
            shifted = ops.where(self.valid > 0, shifted, 0.0)
        exponential = _exp(shifted, self.valid)
        mass = total(exponential)
        return shifted, exponential, ops.where(mass == 0, 1.0, mass)

    @functools.cached_property
    def log_density(self) -> Maps:
        """The natural logarithm of the probability at each pixel."""
        if not self.from_logits:
            return ops.log(self.density + LOG_GUARD)
        shifted, _, mass = self._exponential
        log_density = shifted - ops.log(mass)
        return log_density if self.valid is None else ops.where(self.valid > 0, log_density, 0.0)

    @functools.cached_property
    def density(self) -> Maps:
        """The probability at each pixel: it sums to one over the image."""
        if not self.from_logits:
            return to_density(self.raw, self.valid, self.extremes)
        _, exponential, mass = self._exponential
        return exponential * (1.0 / mass)

    @functools.cached_property
    def softmax(self) -> Maps:
        """The density of the map read as an unnormalised log-density."""
        return self.density if self.from_logits else _exp(log_softmax(self.raw, self.valid), self.valid)

    @functools.cached_property
    def standardized(self) -> Maps:
        """The map, of a log-density the density, with zero mean and unit variance."""
        if self.from_logits:
            return standardize(self.density, self.valid)
        return standardize(self.raw, self.valid, self.extremes)

    @functools.cached_property
    def positive(self) -> Maps:
        """The map, shifted to a minimum of zero if it has negative values; of a log-density the density by its peak."""
        if self.from_logits:
            return self.peaked
        low = self.extremes[0]
        positive = self.raw - ops.where(low >= 0, 0.0, low)
        return positive if self.valid is None else ops.where(self.valid > 0, positive, 0.0)

    @functools.cached_property
    def stretched(self) -> Maps:
        """The density of the map, of a log-density of its density, minus its smallest value; uniform if constant."""
        values = self.density if self.from_logits else self.raw
        low, high = _extremes(values, self.valid) if self.from_logits else self.extremes
        above = values - low
        # Where a compiler computes a value twice, it may come out below the smallest.
        return to_density(ops.where(above < 0, 0.0, above), self.valid, (low - low, high - low))

    @functools.cached_property
    def peaked(self) -> Maps:
        """The map divided by its peak, shifted first if it has negative values; a map of zeros stays as it is."""
        if self.from_logits:
            below = self.raw - self.extremes[1]
            return _exp(below if self.valid is None else ops.where(self.valid > 0, below, 0.0), self.valid)
        peak = ops.max(self.positive, SPATIAL, keepdims=True)
        # By a constant first, so that no gradient leaves the range of float32; then by the peak, which is one by now.
        scale = ops.stop_gradient(ops.where(peak == 0, 1.0, peak))
        peak = ops.where(peak == 0, 1.0, peak / scale)
        return self.positive / scale / peak

    @functools.cached_property
    def bounded(self) -> Maps:
        """The map divided by its peak if that is above one: what a cross-entropy takes for [0, 1]."""
        if self.from_logits:
            return self.peaked
        return self.positive / ops.where(self.extremes[1] > 1, self.extremes[1], 1.0)


def _exp(log_density, valid):
    density = ops.exp(log_density)
    return density if valid is None else density * valid


def unpack_pair(
    y_true: Targets, y_pred: Maps, from_logits: bool = False, needs_fixations: str | Literal[False] | None = None
) -> tuple[Target, Map]:
    """Reads a packed target and the prediction that is compared with it.

    Args:
        y_true: What `pack_targets` returned.
        y_pred: The prediction, `(batch, height, width, 1)`.
        from_logits: As in `Map`.
        needs_fixations: As in `unpack_targets`.

    Returns:
        A `Target`, whose density is a `Map`, and the prediction as a `Map`, of the dtype of the prediction: float32, or
        float64 if that is what it has.

    Raises:
        ValueError: If a shape is wrong, or the two differ in height or width.
    """
    target, prediction = unpack_targets(y_true, needs_fixations), as_maps(keras.ops.convert_to_tensor(y_pred), "y_pred")
    for expected, received in zip(target.density.shape[1:3], prediction.shape[1:3], strict=True):  # type: ignore[union-attr]
        if None not in (expected, received) and expected != received:
            raise ValueError(
                "y_true and y_pred must have the same height and width; make the pipeline with the size that the model "
                f"gives. Received: y_true.shape={tuple(y_true.shape)}, y_pred.shape={tuple(prediction.shape)}."
            )
    target = Target(*(part if part is None else ops.cast(part, prediction.dtype) for part in target))
    target = target._replace(density=Map(target.density, target.valid))
    return target, Map(prediction, target.valid, from_logits)


def as_baseline(density: Plane | None) -> Plane | None:
    """Checks the baseline of an information gain, `(height, width)` of any scale; None, the uniform density, is kept.

    Raises:
        ValueError: If it has another number of axes, or negative or non-finite values.
    """
    if density is None:
        return None
    density = np.asarray(density, "float32")
    if density.ndim != 2 or not np.isfinite(density).all() or density.min() < 0:
        raise ValueError(
            "The baseline of IG must be a finite, non-negative density of shape (height, width). "
            f"Received: shape {density.shape}."
        )
    return density


def stretch_baseline(density: Plane | None, prediction: Map) -> Map:
    """A baseline `(height, width)`, None for uniform, stretched over a `Map`: a `Map`."""
    whole = ops.ones_like(prediction.raw)
    if density is not None:
        resized = ops.image.resize(density[None, ..., None], ops.shape(whole)[1:3], data_format="channels_last")
        whole = ops.cast(resized, prediction.raw.dtype) * whole
    return Map(whole, prediction.valid)
