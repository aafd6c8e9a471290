"""Prints the table of docs/video.md, what motion tells of where people look, and draws its figure.

A small network learns on the training videos of `synthetic-video` three times: on single frames, on frames with their
optical flow, and with a state that it keeps from frame to frame. Scores are those of the test split.

Run: python docs/video.py runs/video
"""

import sys
from pathlib import Path

import keras
import numpy as np
from keras import layers
from matplotlib.figure import Figure

import keras_saliency as ks
from keras_saliency.data import clips, with_flow
from keras_saliency.data.synthetic_video import LENGTH, SIZE, frame, scene
from keras_saliency.evaluation.map_files import Prediction
from keras_saliency.evaluation.sources import VideoSource
from keras_saliency.reporting.plotting import COLOURS
from keras_saliency.reporting.tables import TITLES

# The name of a file -> title, channels that the network sees, and whether it keeps a state.
NETWORKS = {
    "still": ("network: single frames", 3, False),
    "flow": ("network: frames and optical flow", 6, False),
    "state": ("network: frames and a state", 3, True),
}
EPOCHS, RATE, BATCH = 20, 2e-3, 2  # a batch is of whole videos
METRICS = {"ig": 2, "nss": 2, "auc": 3}
SHOWN = (3, 6, 8, 11, 14)  # frames in the figure


class BestStill:
    """The density by which who sees a frame alone predicts best."""

    name = "best of single frames"

    def predictions(self, samples):
        """Yields a `Prediction` for each sample."""
        for sample in samples:
            seen = scene(int(sample.group.rpartition("-")[2]))
            yield Prediction(np.log(frame(seen, sample.frame - 1).still), True, False)


def network(channels, recurrent, filters=32):
    """Two convolutions at half the size of the frames, perhaps a ConvGRU over frames, and three more."""
    images = keras.Input((*SIZE, channels), name="images")
    x = layers.Rescaling(1 / 127.5, -1)(images)
    x = layers.Conv2D(16, 5, strides=2, padding="same", activation="relu")(x)
    x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
    encoder = ks.models.SaliencyModel(images, x, name="encoder")
    hidden = keras.Input(x.shape[1:], name="hidden")
    y = layers.Conv2D(filters, 5, padding="same", activation="relu")(hidden)
    y = layers.Conv2D(filters, 5, padding="same", activation="relu")(y)
    y = ks.layers.Zoom((2, 2))(layers.Conv2D(1, 1)(y))
    y = ks.layers.LogSoftmax()(ks.layers.CentreBias()(y))
    decoder = ks.models.SaliencyModel(hidden, y, name="decoder")
    return ks.models.VideoModel(encoder, ks.layers.ConvGRU(filters) if recurrent else None, decoder, name="small")


def trained(file, data, channels, recurrent):
    """The network in a file; if that is not there yet, it is trained and saved."""
    if not file.exists():
        keras.utils.set_random_seed(0)
        model = network(channels, recurrent)
        (frames, targets), *_ = clips(data.train, LENGTH, size=SIZE, batch=len(data.train))
        frames, targets = frames.numpy(), targets.numpy()
        steps = EPOCHS * len(frames) // BATCH
        model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(RATE, steps)), "nll")
        model.fit(with_flow(frames) if channels > 3 else frames, targets, BATCH, EPOCHS, verbose=2)
        model.save(file)
    return keras.models.load_model(file)


def draw(samples, sources, path):
    """Draws frames of a video in a row, below them the true density and what each source predicts."""
    chosen = [samples[i] for i in SHOWN]
    rows = {"true density": [sample.density for sample in chosen]}
    for source in sources:
        maps = [np.exp(found.values) for found in source.predictions(samples)]
        rows[source.name] = [maps[i] for i in SHOWN]
    figure = Figure(figsize=(12, 0.4 + 1.7 * (1 + len(rows))), layout="constrained")
    grid = figure.subplots(1 + len(rows), len(chosen), squeeze=False)
    for axis in grid.flat:
        axis.set(xticks=[], yticks=[])
    for axis, sample in zip(grid[0], chosen, strict=True):
        axis.imshow(sample.read())
        axis.scatter(sample.fixations.x - 0.5, sample.fixations.y - 0.5, s=12, c="crimson", edgecolors="white", lw=0.4)
        axis.set_title(f"frame {sample.frame}", fontsize=10)
    grid[0, 0].set_ylabel("fixations", fontsize=10)
    for axes, (name, maps) in zip(grid[1:], rows.items(), strict=True):
        axes[0].set_ylabel(name.replace(": ", "\n").replace(" and ", "\nand "), fontsize=10)
        for axis, map_ in zip(axes, maps, strict=True):
            axis.imshow(map_, cmap=COLOURS)
    figure.savefig(path, dpi=100)


def main(folder):
    """Trains what is not there, scores, prints, draws."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    data = ks.data.load("synthetic-video")
    networks = [
        VideoSource(trained(folder / f"{name}.keras", data, *row), title) for name, (title, *row) in NETWORKS.items()
    ]
    scored = ks.evaluate(["general", "lemeur-video", *networks, BestStill()], data)
    print(f"| | {' | '.join(METRICS)} |\n|{'---|' * (len(METRICS) + 1)}")
    for name, values in sorted(scored.summary.items(), key=lambda row: row[1]["ig"]["mean"]):
        cells = []
        for metric, digits in METRICS.items():
            low, mean, high = (f"{values[metric][end] + 0.0:.{digits}f}" for end in ("low", "mean", "high"))
            cells.append(f"{mean} [{low}, {high}]")
        print(f"| {TITLES.get(name, name)} | {' | '.join(cells)} |")
    draw(data.test[:LENGTH], networks, Path(__file__).with_suffix(".png"))


if __name__ == "__main__":
    main(sys.argv[1])
