"""iSEEL (Tavakoli et al., 2017): a small network for each training image; those of the most alike ones vote."""

import itertools
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import cv2
import keras
import numpy as np
from keras import ops
from scipy.ndimage import gaussian_filter
from scipy.special import expit

from keras_saliency.backbones.factory import create_backbone
from keras_saliency.baselines.centre_bias import CentreBias, relative_counts
from keras_saliency.baselines.features import check_image, gabor_bank, gabor_energy, pyramid, resample, to_saliency
from keras_saliency.formulas.types import Photograph, Plane, Size

if TYPE_CHECKING:
    from keras_saliency.data.samples import Sample

PLACES, STRIDE = 18 * 24, 16  # of what the backbone sees: 288x384 pixels of an image of 4:3, and of half of it
BATCH = 8
SIDE, BLOCKS, LEVELS = 256, 4, 4  # of the gist: pixels, blocks along each side, scales
GABORS = gabor_bank(np.arange(8) * np.pi / 8)


class Member(NamedTuple):
    """An extreme learning machine: random `inputs` and `offsets` of its hidden units, and what each is worth."""

    inputs: np.ndarray
    offsets: np.ndarray
    outputs: np.ndarray

    def values(self, features: np.ndarray) -> Plane:
        """Its value at each place of `(height, width, channels)`."""
        return _hidden(features, self.inputs, self.offsets) @ self.outputs


def fit_member(features: np.ndarray, target: Plane, hidden: int, ridge: float, seed: Sequence[int]) -> Member:
    """Draws the hidden units and finds by ridge regression what each is worth."""
    generator = np.random.default_rng(seed)
    inputs, offsets = (generator.normal(size=size).astype("float32") for size in ((features.shape[-1], hidden), hidden))
    units = _hidden(features, inputs, offsets).reshape(-1, hidden).astype("float64")
    outputs = np.linalg.solve(units.T @ units + ridge * np.eye(hidden), units.T @ target.ravel())
    return Member(inputs, offsets, outputs)


def _hidden(features, inputs, offsets):
    return expit(features @ inputs + offsets)


class ISEEL:
    """Saliency as the vote of small networks, each of which knows one training image.

    At each place the features of a backbone, of the image and of the image at half its size, are joined and divided by
    their length. For each training image an extreme learning machine, a hidden layer of random weights under a
    regression, learns its blurred fixations. Of a new image those of the most alike training images are asked; their
    values, each through a hyperbolic tangent, are summed, raised to a power, multiplied by a centre bias and blurred.
    Images are alike whose gist and mean features are near.

    Args:
        samples: The training images, with their fixations or maps; some 500 will do. Their weights take 256 kB each.
        bias: The centre bias; None for none.
        backbone: A name of `create_backbone`, or a network of it.
        hidden: The hidden units of each machine; 100.
        ridge: The penalty of the regression; 10.
        share: Of the training images that are asked; 0.3.
        power: Of the sum; 6.
        blur: The standard deviation of the last Gaussian in pixels of the image; 13.
        seed: Of the hidden units.

    Attributes:
        members: The machines, one for each training image.
        descriptors: The gist and the mean features of each, of length one both.

    Raises:
        ValueError: If there is no sample, or one has neither fixations nor a map; or the share is not in (0, 1].

    Source:
        Tavakoli, Borji, Laaksonen & Rahtu, "Exploiting inter-image similarity and ensemble of extreme learners for
        fixation prediction using deep features", Neurocomputing 244, 2017. Our own implementation, after the released
        demonstration: the power, the last blur and the order of the steps are of it. What is ours: the backbone, where
        it has the last pool of VGG16, and its mean features, where it has the classes of that; two sizes; the gist of
        Gabor filters; that gist and features count alike; the centre bias, where it has a matrix; and, chosen on images
        of OSIE's validation split, the hidden units, the ridge and the share, which is 0.7 there.
    """

    def __init__(
        self,
        samples: "Sequence[Sample]",
        bias: CentreBias | None = None,
        backbone: str | keras.Model = "efficientnet-lite0",
        hidden: int = 100,
        ridge: float = 10.0,
        share: float = 0.3,
        power: float = 6,
        blur: float = 13.0,
        seed: int = 0,
    ) -> None:
        if not 0 < share <= 1:
            raise ValueError(f"share is of the training images, in (0, 1]. Received: {share}.")
        if not len(samples):
            raise ValueError("There is no image to learn from. Pass some 500.")
        self.bias, self.share, self.power, self.blur = bias, share, power, blur
        if isinstance(backbone, str):
            backbone = create_backbone(backbone, input_size=(None, None), stride=STRIDE)
        self.backbone = backbone
        self.members, descriptors = [], []
        described = self.describe(sample.read() for sample in samples)
        for sample, (features, descriptor) in zip(samples, described, strict=True):
            wanted = target(sample, features.shape[:2])
            self.members.append(fit_member(features, wanted, hidden, ridge, (seed, zlib.crc32(sample.name.encode()))))
            descriptors.append(descriptor)
        self.descriptors = np.array(descriptors)

    def __call__(self, image: Photograph) -> Plane:
        """The saliency map of an image.

        Args:
            image: `(height, width, 3)`, RGB, uint8.

        Returns:
            `(height, width)`, float64, non-negative, with a peak of one. A constant image has one, too: what is seen at
            its borders, and the centre bias.

        Raises:
            ValueError: If the image has another shape or type.
        """
        size = check_image(image).shape[:2]
        ((features, descriptor),) = self.describe([image])
        votes = sum(np.tanh(self.members[i].values(features)) for i in self.alike(descriptor))
        votes = np.maximum(votes, 0)
        values = (votes / (votes.max() or 1)) ** self.power
        if self.bias is not None:
            values = values * np.exp(self.bias.log_density(values.shape))
        blurred = cv2.GaussianBlur(resample(values, size), (0, 0), self.blur, borderType=cv2.BORDER_REPLICATE)
        return to_saliency(blurred, size)

    def alike(self, descriptor: np.ndarray) -> np.ndarray:
        """The numbers of the training images that are asked, the most alike first."""
        distances = np.linalg.norm(self.descriptors - descriptor, axis=1)
        return np.argsort(distances, kind="stable")[: max(1, round(self.share * len(distances)))]

    def describe(self, images: Iterable[Photograph]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yields for each image its features, `(height, width, channels)`, and where it lies among images."""
        for size, same in itertools.groupby(images, lambda image: _places(image.shape[:2])):
            while batch := list(itertools.islice(same, BATCH)):
                joined, means = self._features(batch, size)
                for image, features, mean in zip(batch, joined, means, strict=True):
                    yield features, np.concatenate([_unit(gist(image)), _unit(mean)])

    def _features(self, images, size):
        found = []
        for part in (1, 2):
            seen = tuple(STRIDE * side // part for side in size)
            batch = np.stack([resample(np.asarray(image, "float32"), seen) for image in images])
            features = self.backbone(batch, training=False)
            features = features[-1] if isinstance(features, list | tuple) else features
            found.append(ops.convert_to_numpy(ops.image.resize(features, size, data_format="channels_last")))
        joined = np.concatenate(found, -1)
        return joined / np.maximum(np.linalg.norm(joined, axis=-1, keepdims=True), 1e-9), found[0].mean((1, 2))


def gist(image: Photograph) -> np.ndarray:
    """The mean energy of Gabor filters of 8 orientations at 4 scales in each of 4x4 blocks: 512 numbers."""
    grey = cv2.resize(image.mean(2) / 255, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    maps = (energy for level in pyramid(grey, LEVELS) for energy in gabor_energy(level, GABORS))
    return np.concatenate([resample(each, (BLOCKS, BLOCKS)).ravel() for each in maps])


def target(sample: "Sample", size: Size) -> Plane:
    """The blurred fixations of an image at so many places, with a peak of one.

    Raises:
        ValueError: If it has neither fixations nor a map.
    """
    if not sample.is_usable:
        raise ValueError(f"{sample.name} has neither fixations nor a map. Leave it out.")
    fine = 8 * size[0], 8 * size[1]
    counts = relative_counts(sample, fine)
    sigmas = [sample.sigma * side / whole for side, whole in zip(fine, sample.size, strict=True)]
    small = resample(gaussian_filter(counts, sigmas), size)
    return small / small.max()


def _unit(vector):
    return vector / (np.linalg.norm(vector) or 1)


def _places(size):
    """The rows and columns of an image at the backbone's stride: as near to `PLACES` as its shape lets them."""
    scale = np.sqrt(PLACES / (size[0] * size[1]))
    return tuple(max(2, round(side * scale)) for side in size)
