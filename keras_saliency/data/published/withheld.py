"""Images whose fixations are withheld: predictions for them are submitted, and scored by who has them."""

import dataclasses
from collections.abc import Collection, Mapping
from pathlib import Path

from keras_saliency.data.fixations import Fixations
from keras_saliency.data.image_files import in_threads
from keras_saliency.data.samples import Sample, Samples


def withheld_samples(
    name: str,
    files: Mapping[str, Path],
    sigma: float,
    pixels_per_degree: float | None = None,
    as_stored: Collection[str] = (),
) -> Samples:
    """Images whose fixations are withheld, as samples without fixations, in their order.

    Args:
        name: The name of the data set.
        files: The file of each, by its name.
        sigma: The blur that their fixations are scored with.
        pixels_per_degree: As in `Samples`.
        as_stored: Of which images, by their names, the EXIF data are wrong: as in `Sample`.

    Raises:
        FileNotFoundError: If files are missing.
        ImageError: If one cannot be decoded.
    """
    missing = [file for file in files.values() if not file.is_file()]
    if missing:
        raise FileNotFoundError(
            f"{name}: {len(missing)} of {len(files)} images are missing, the first is {missing[0]}. Give the folder "
            "that holds the complete data set."
        )
    none = Fixations.from_rows([])
    samples = [
        Sample(image, file, None, none, sigma, as_stored=image in as_stored)  # type: ignore[arg-type]
        for image, file in files.items()
    ]
    sizes = in_threads(lambda sample: sample.read().shape[:2], samples)
    sized = [dataclasses.replace(sample, size=size) for sample, size in zip(samples, sizes, strict=True)]
    return Samples(sized, pixels_per_degree)
