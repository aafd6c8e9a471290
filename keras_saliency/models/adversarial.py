"""SalGAN's second stage: a generator trained against a discriminator."""

import keras
import numpy as np
from keras import ops

from keras_saliency.formulas.types import Images, Targets
from keras_saliency.losses.distribution import BCE
from keras_saliency.models.salgan import create_discriminator
from keras_saliency.models.saliency_model import SaliencyModel
from keras_saliency.models.sizes import require_size

POOL = 4  # both maps are averaged over as many pixels before the content loss


class AdversarialTraining:
    """Trains a discriminator and a generator on alternate batches, as SalGAN's release does (Pan et al. 2017).

    The discriminator learns to tell, for an image, the density of what people looked at from the generator's map; the
    generator learns to be taken for that density, and, by a small weight, to be close to it: cross-entropy of both
    maps averaged over blocks of 4x4 pixels.

    Args:
        generator: A `SaliencyModel` that gives maps in [0, 1], such as `create_model("salgan", input_size=(192, 256))`,
            trained by its content loss alone before. Its images have sides that are multiples of 16.
        discriminator: A model from image and map to a probability; by default `create_discriminator` of that size.
        content_weight: Of the cross-entropy beside the adversarial loss.
        learning_rate: Of Adagrad, for both.

    Attributes:
        steps: How many batches there were: the first and every other one trains the discriminator.
    """

    def __init__(
        self,
        generator: SaliencyModel,
        discriminator: keras.Model | None = None,
        content_weight: float = 0.05,
        learning_rate: float = 3e-4,
    ) -> None:
        self.generator = generator
        self.discriminator = discriminator or create_discriminator(require_size(generator))
        self.discriminator.compile(_adagrad(learning_rate), loss="binary_crossentropy")
        maps = generator(generator.inputs[0])
        verdict = self.discriminator([generator.inputs[0], maps])
        self.judged = _Judged(generator.inputs, [maps, verdict], name="judged")
        self.judged.generator = generator
        self.judged.compile(
            _adagrad(learning_rate),
            loss=[BCE(pool=POOL), "binary_crossentropy"],
            loss_weights=[content_weight, 1.0],
        )
        self.steps = 0

    def step(self, images: Images, targets: Targets) -> dict[str, float]:
        """Trains one of both on a batch: the discriminator on densities and maps together, or the generator.

        Args:
            images: `(batch, height, width, 3)` in [0, 255].
            targets: Packed targets; the density has a peak of one, as a pipeline gives it.

        Returns:
            A dictionary of floats, the losses of the one that was trained: `discriminator`, or `content` and
            `adversarial`.
        """
        images, targets = ops.convert_to_numpy(images), ops.convert_to_numpy(targets)
        self.steps += 1
        ones = np.ones((len(images), 1), "float32")
        if self.steps % 2:
            maps = ops.convert_to_numpy(self.generator(images, training=False))
            shown = [np.concatenate(pair) for pair in ((images, images), (targets[..., :1], maps))]
            self.discriminator.reset_metrics()
            loss = self.discriminator.train_on_batch(shown, np.concatenate([ones, 0 * ones]))
            return {"discriminator": float(loss)}
        self.judged.reset_metrics()
        _, content, adversarial = self.judged.train_on_batch(images, [targets, ones])
        return {"content": float(content), "adversarial": float(adversarial)}


def _adagrad(learning_rate):
    """Adagrad with the numbers of Lasagne."""
    return keras.optimizers.Adagrad(learning_rate, initial_accumulator_value=0.0, epsilon=1e-6)


class _Judged(SaliencyModel):
    """The generator with the discriminator behind it, of which only the generator is trained."""

    @property
    def trainable_variables(self):
        return self.generator.trainable_variables

    @property
    def trainable_weights(self):
        return self.generator.trainable_variables
