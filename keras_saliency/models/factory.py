"""One factory for saliency models."""

import collections

import keras
from keras import layers, ops

from keras_saliency.backbones import create_backbone
from keras_saliency.layers import CentreBias, LearnedBlur, LearnedPrior, LogSoftmax
from keras_saliency.losses import Combination, combo
from keras_saliency.losses.balance import first_batches
from keras_saliency.models.decoders import multilevel

# decode(features) -> score map; the backbone is the default.
Architecture = collections.namedtuple("Architecture", ["decode", "backbone"])

ARCHITECTURES = {"multilevel": Architecture(multilevel, "efficientnet-lite0")}
HEADS = ("log-density", "density")


@keras.saving.register_keras_serializable(package="keras_saliency")
class SaliencyModel(keras.Model):
    """A functional model that knows its head, reports each term of a combined loss, and balances it if it asks."""

    @property
    def metrics(self):
        """The metrics of the model, a combined loss among them."""
        loss = getattr(self, "loss", None)
        return super().metrics + ([loss] if isinstance(loss, keras.metrics.Metric) else [])

    # A loss that learns its weights learns them with the model.
    @property
    def trainable_variables(self):
        """The variables that training changes, those of a combined loss that learns its weights among them."""
        return super().trainable_variables + self._variables_of_loss()

    @property
    def trainable_weights(self):
        """The same as `trainable_variables`."""
        return super().trainable_weights + self._variables_of_loss()

    def _variables_of_loss(self):
        loss = getattr(self, "loss", None)
        return loss.trainable_variables if isinstance(loss, Combination) else []

    def fit(self, x=None, y=None, batch_size=None, **kwargs):
        """Trains as `keras.Model.fit` does, after balancing a loss with `balance="gradient"` on the first batches."""
        if isinstance(self.loss, Combination) and self.loss.balance == "gradient":
            batches, x = first_batches(x, y, batch_size)
            self.loss.equalise(self, batches)
        return super().fit(x, y, batch_size=batch_size, **kwargs)

    def compile(self, optimizer="rmsprop", loss=None, metrics=None, **kwargs):
        """Compiles the model as `keras.Model.compile` does.

        Args:
            optimizer: As in Keras.
            loss: A loss, or what `combo` takes as text: `"10 kld + 2 cc + nss"`, `"sam"`.
            metrics: As in Keras.
            **kwargs: As in Keras.

        Raises:
            ValueError: If a loss or metric expects a log-density and the head gives a density, or the reverse.
        """
        from_logits = _gives_log_density(self)
        if isinstance(loss, str):
            loss = combo(loss, from_logits=bool(from_logits))
        for item in keras.tree.flatten([loss, metrics]):
            if from_logits is not None and getattr(item, "from_logits", from_logits) != from_logits:
                head = "log-density" if from_logits else "density"
                raise ValueError(
                    f"{item.name} has from_logits={item.from_logits}, and the head of {self.name} gives a {head}: "
                    f"make it with from_logits={from_logits}."
                )
        if isinstance(loss, Combination):
            loss.adopted = True
        super().compile(optimizer=optimizer, loss=loss, metrics=metrics, **kwargs)

    def compile_from_config(self, config):
        """Compiles a loaded model as it was compiled when it was saved."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.optimizer.build(self.trainable_variables)


def _gives_log_density(model):
    """True or False for a model with one of the `HEADS`, None for another."""
    last = model.layers[-1]
    while isinstance(last, keras.Model):
        last = last.layers[-1]
    return {"log_density": True, "density": False}.get(last.name)


def list_models():
    """The names that `create_model` knows."""
    return sorted(ARCHITECTURES)


def create_model(
    name="multilevel", *, backbone=None, weights="imagenet", input_size=(240, 320), head="log-density", centre_bias=None
):
    """Builds a saliency model: backbone, decoder, and a head that gives a density over the image.

    The decoder's score map is multiplied by a learned prior, blurred by a learned Gaussian, added to a learned weight
    times the log centre bias, interpolated to the size of the input and normalised.

    Args:
        name: One of `list_models()`. `"multilevel"` merges backbone features of several strides by 1x1 and 3x3
            convolutions, in the manner of ML-Net.
        backbone: One of `keras_saliency.backbones.BACKBONES`; by default that of the architecture.
        weights: Of the backbone: `"imagenet"`, None or a path; see `create_backbone`.
        input_size: `(height, width)` of the images and of the output.
        head: What the model gives for each pixel: `"log-density"`, whose exponential sums to one (compile losses and
            metrics with `from_logits=True`), or `"density"`.
        centre_bias: A positive density `(height, width)` of any scale and size, by custom that of the training
            fixations; by default a central Gaussian.

    Returns:
        A `SaliencyModel` from RGB images `(batch, height, width, 3)` in [0, 255] to maps `(batch, height, width, 1)`
        in float32, with the submodels `"backbone"` and `"decoder"`. Set
        `trainable = False` on the backbone to train the decoder alone; its batch statistics are frozen with it.

    Raises:
        ValueError: If a name is unknown; lists the known ones.
        ImportError, ConnectionError, FileNotFoundError: If the weights cannot be had; see `create_backbone`.
    """
    if name not in ARCHITECTURES:
        raise ValueError(f"Unknown model {name!r}. Known models: {', '.join(list_models())}.")
    if head not in HEADS:
        raise ValueError(f"Unknown head {head!r}. Known heads: {', '.join(HEADS)}.")
    row = ARCHITECTURES[name]
    encoder = create_backbone(backbone or row.backbone, weights, input_size)
    decoder = _decoder(row, encoder, input_size, head)
    if centre_bias is not None:
        decoder.get_layer("centre_bias").set_density(centre_bias)
    images = keras.Input((*input_size, 3), name="images")
    return SaliencyModel(images, decoder(encoder(images)), name=name)


def _decoder(row, encoder, input_size, head):
    features = [keras.Input(tap.shape[1:]) for tap in encoder.outputs]
    x = row.decode(features)
    x = LearnedPrior(name="learned_prior")(x)
    # A quarter of the input is fine enough: the blur that follows leaves nothing that it could not carry.
    x = layers.Resizing(*(-(-side // 4) for side in input_size), dtype="float32", name="quarter")(x)
    x = LearnedBlur(name="learned_blur")(x)
    x = CentreBias(name="centre_bias")(x)
    x = layers.Resizing(*input_size, dtype="float32", name="upsample")(x)
    x = LogSoftmax(name="log_density")(x)
    if head == "density":
        x = layers.Activation("exponential", dtype="float32", name="density")(x)
    return SaliencyModel(features, x, name="decoder")


def require_log_density(model):
    """Checks on a grey image that a model gives what `head="log-density"` does.

    Raises:
        ValueError: If its output is no map of one channel whose exponential sums to one.
    """
    shape = model.output_shape
    if not isinstance(shape, tuple) or len(shape) != 4 or shape[-1] != 1:
        raise ValueError(f"{model.name} does not give saliency maps. Received: a model with output {shape}.")
    mass = float(ops.sum(ops.exp(model(ops.full((1, *model.input_shape[1:]), 126.0), training=False))))
    if not abs(mass - 1.0) < 1e-2:
        raise ValueError(
            f"{model.name} does not give a log-density: its exponential sums to {mass:g}, not 1. "
            'Expected a model made by create_model(..., head="log-density").'
        )
