"""Models of videos: a state that goes in and out, training, saving, serving, and what is refused."""

import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import REPOSITORY, channels_first, slowly

import keras_saliency as ks
from keras_saliency.layers import ConvGRU, ConvLSTM, LogSoftmax
from keras_saliency.models import SaliencyModel, VideoModel, as_video, smoothed

SIZE, TIME = (12, 16), 10
KINDS = ("gru", "lstm", "smoothed", "alone")


def image_model(name="image"):
    """A model of images of two layers that gives a log-density."""
    images = keras.Input((*SIZE, 3))
    x = keras.layers.Rescaling(1 / 255)(images)
    return SaliencyModel(images, LogSoftmax()(keras.layers.Conv2D(1, 3, padding="same", name="score")(x)), name=name)


def video_model(kind):
    """A model of few weights of each kind."""
    keras.utils.set_random_seed(3)
    if kind in ("smoothed", "alone"):
        return smoothed(image_model(kind), 0.7) if kind == "smoothed" else as_video(image_model(kind))
    images = keras.Input((*SIZE, 3))
    x = keras.layers.Rescaling(1 / 255)(images)
    fine = keras.layers.Conv2D(4, 3, padding="same")(x)
    x = keras.layers.Conv2D(6, 3, strides=2, padding="same")(fine)
    encoder = SaliencyModel(images, [x, fine], name="encoder")
    inputs = [keras.Input((None, None, channels)) for channels in (5, 4)]
    y = keras.layers.Concatenate()([keras.layers.UpSampling2D()(inputs[0]), inputs[1]])
    decoder = SaliencyModel(inputs, LogSoftmax()(keras.layers.Conv2D(1, 1)(y)), name="decoder")
    recurrent = ConvGRU(5, recurrent_dropout=0.2) if kind == "gru" else ConvLSTM(5, dropout=0.4)
    return VideoModel(encoder, recurrent, decoder, name=kind)


def videos(rng, count=2, time=TIME):
    """Frames and packed targets, each frame with a fixation."""
    shape = (count, time, *SIZE, 1)
    density, fixations = rng.random(shape), rng.poisson(0.05, shape)
    fixations[:, :, 3, 4] += 1
    frames = rng.uniform(0, 255, (*shape[:-1], 3)).astype("float32")
    return frames, np.concatenate([density, fixations], -1).astype("float32")


def arrays(outputs):
    return keras.tree.map_structure(keras.ops.convert_to_numpy, outputs)


@pytest.fixture(params=KINDS)
def model(request):
    return video_model(request.param)


def test_frames_give_the_same_however_they_are_divided(model, rng):
    frames, _ = videos(rng)
    maps, last = arrays(model(frames))
    assert maps.shape == (2, TIME, *SIZE, 1)
    np.testing.assert_allclose(np.exp(maps).sum((2, 3, 4)), 1, rtol=1e-5)
    for parts in ([5, 5], [1] * 10, [7, 2, 1]):
        state, found = None, []
        for part in np.split(frames, np.cumsum(parts)[:-1], axis=1):
            each, state = model(part, state)
            found.append(each)
        np.testing.assert_allclose(np.concatenate(found, 1), maps, rtol=1e-5, atol=1e-5)
        assert set(state) == set(last)
        for name, value in arrays(state).items():
            assert value.dtype == "float32" and value.shape[0] == 2
            np.testing.assert_allclose(value, last[name], rtol=1e-5, atol=1e-5)
    predicted, state = model.predict(frames, batch_size=1, verbose=0)  # by a graph, one video after the other
    np.testing.assert_allclose(predicted, maps, rtol=1e-5, atol=1e-5)
    assert {name: value.shape for name, value in state.items()} == {name: value.shape for name, value in last.items()}


def test_nothing_is_kept_between_videos(model, rng):
    frames, _ = videos(rng)
    maps, state = arrays(model(frames))
    np.testing.assert_array_equal(model(frames)[0], maps)
    np.testing.assert_allclose(model(frames[1:])[0], maps[1:], atol=1e-5)
    zeros = keras.tree.map_structure(np.zeros_like, state)
    np.testing.assert_array_equal(model(frames, zeros)[0], maps)
    np.testing.assert_array_equal(model(frames.astype("uint8"))[0], model(np.floor(frames))[0])
    if model.recurrent:
        assert np.abs(model(frames, state)[0] - maps).max() > 1e-3


def test_training_lowers_the_loss_and_reports_its_terms(model, rng, tmp_path):
    frames, targets = videos(rng)
    model.compile(keras.optimizers.Adam(0.03), "kld + cc", metrics=[ks.metrics.NSS(from_logits=True)])
    history = model.fit(frames, targets, epochs=6, batch_size=2, verbose=0).history
    assert {"loss", "kld_loss", "cc_loss", "nss"} <= set(history)
    assert history["loss"][-1] < history["loss"][0]
    np.testing.assert_allclose(history["loss"][0], history["kld_loss"][0] + history["cc_loss"][0], rtol=1e-5)
    model.save(tmp_path / "compiled.keras")
    again = keras.models.load_model(tmp_path / "compiled.keras")
    before, after = (each.evaluate(frames, targets, verbose=0, return_dict=True) for each in (model, again))
    assert before == pytest.approx(after, rel=1e-5)


def test_the_loss_is_that_of_the_frames_as_images(rng, eager):
    frames, targets = videos(rng)
    image, video = image_model(), as_video(image_model())
    video.set_weights(image.get_weights())
    for each in (image, video):
        each.compile("sgd", "kld + nss", metrics=[ks.metrics.CC(from_logits=True)])
    expected = image.evaluate(
        *(each.reshape(-1, *each.shape[2:]) for each in (frames, targets)), 20, 0, return_dict=True
    )
    assert video.evaluate(frames, targets, 2, 0, return_dict=True) == pytest.approx(expected, rel=1e-5)
    weights = np.array([1.0, 3.0])
    of_videos = video.evaluate(frames, targets, 2, 0, weights)[0]
    of_frames = video.evaluate(frames, targets, 2, 0, np.tile(weights[:, None], (1, TIME)))[0]
    each = [video.evaluate(frames[i : i + 1], targets[i : i + 1], 1, 0)[0] for i in (0, 1)]
    assert of_videos == pytest.approx(of_frames) == pytest.approx(weights @ each / 2, rel=1e-5)


def test_a_frame_without_a_target_does_not_count(rng, eager):
    frames, targets = videos(rng)
    model = video_model("gru")
    model.compile("sgd", "kld")
    targets[:, 5:] = 0
    expected = model.evaluate(frames[:, :5], targets[:, :5], verbose=0)
    assert model.evaluate(frames, targets, verbose=0) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("decay", [0.0, 0.7])
def test_a_moving_average_is_the_weighted_mean_of_log_densities(decay, rng):
    image, (frames, _) = image_model(), videos(rng)
    alone, averaged = (arrays(each(frames)[0]) for each in (as_video(image), smoothed(image, decay)))
    weights = float(decay) ** np.arange(TIME)
    for i in range(TIME):
        mean = np.tensordot(weights[: i + 1][::-1], alone[:, : i + 1], (0, 1)) / weights[: i + 1].sum()
        expected = mean - np.log(np.exp(mean).sum((1, 2, 3), keepdims=True))
        np.testing.assert_allclose(averaged[:, i], expected, rtol=1e-4, atol=1e-4)


def test_the_lstm_is_that_of_keras_with_other_gates(rng):
    inputs = rng.normal(size=(2, 4, 6, 7, 3)).astype("float32")
    ours = ConvLSTM(5)
    ours.build(inputs.shape)
    for weight in ours.trainable_weights:
        weight.assign(rng.normal(0, 0.3, weight.shape))
    kernel, bias, recurrent = (keras.ops.convert_to_numpy(weight) for weight in ours.trainable_weights)
    gate = lambda x: keras.ops.clip(x / 5 + 0.5, 0, 1)  # noqa: E731
    theirs = keras.layers.ConvLSTM2D(
        5, 3, padding="same", recurrent_activation=gate, return_sequences=True, return_state=True
    )
    theirs.build(inputs.shape)
    theirs.set_weights([kernel, recurrent, bias])
    expected, hidden, cell = theirs(inputs)
    outputs, state = ours(inputs)
    for received, value in ((outputs, expected), (state["hidden"], hidden), (state["cell"], cell)):
        np.testing.assert_allclose(received, value, rtol=1e-4, atol=1e-5)


def test_the_gru_does_what_its_formula_says(rng):
    layer, x, h = ConvGRU(2, kernel_size=1), rng.normal(size=(1, 1, 3, 4, 5)), rng.normal(size=(1, 3, 4, 2))
    layer.build(x.shape)
    for weight in layer.trainable_weights:
        weight.assign(rng.normal(size=weight.shape))
    depth, point, bias, *state = (np.asarray(weight).squeeze() for weight in layer.trainable_weights)
    r, z, n = np.split((x[:, 0] * depth) @ point + bias, 3, axis=-1)
    of_r, of_z = np.split((h * state[0]) @ state[1], 2, axis=-1)
    r, z = (1 / (1 + np.exp(-each)) for each in (r + of_r, z + of_z))
    expected = z * h + (1 - z) * np.tanh(n + (r * h * state[2]) @ state[3])
    outputs, after = layer(x.astype("float32"), {"hidden": h.astype("float32")})
    np.testing.assert_allclose(outputs[:, 0], expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(after["hidden"], outputs[:, 0])


@pytest.mark.parametrize("layer", [ConvGRU(5, recurrent_dropout=0.5), ConvLSTM(5, dropout=0.5)])
def test_dropout_is_for_training_alone(layer, rng):
    inputs = rng.normal(size=(2, 4, 6, 7, 3)).astype("float32")
    np.testing.assert_array_equal(layer(inputs)[0], layer(inputs, training=False)[0])
    assert np.abs(layer(inputs, training=True)[0] - layer(inputs)[0]).max() > 1e-3


def test_mixed_precision_keeps_maps_and_state_in_float32(rng, eager):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model, (frames, targets) = video_model("gru"), videos(rng, time=4)
        model.compile("adam", "kld")
        assert np.isfinite(model.train_on_batch(frames, targets)).all()
        maps, state = model(frames)
        again = model(frames[:, 2:], model(frames[:, :2])[1])[0]
    finally:
        keras.config.set_dtype_policy("float32")
    assert maps.dtype == state["hidden"].dtype == "float32"
    np.testing.assert_allclose(again, maps[:, 2:], atol=1e-5)


def test_videos_are_channels_last_however_keras_is_configured(model, rng):
    frames, _ = videos(rng, time=3)
    expected = model(frames)[0]
    with channels_first():
        np.testing.assert_array_equal(model(frames)[0], expected)


PROGRAM = """
import sys
from pathlib import Path
import quick_start
import keras, keras_saliency, numpy as np
folder, found = Path(sys.argv[1]), {}
data = np.load(folder / "videos.npz")
for path in sorted(folder.glob("*.keras")):
    model = keras.models.load_model(path)
    maps, _ = model(data["frames"])
    first, state = model(data["frames"][:, :5])
    second, _ = model(data["frames"][:, 5:], state)
    maps, first, second = map(keras.ops.convert_to_numpy, (maps, first, second))
    found[path.stem] = maps
    found[path.stem + "_halves"] = np.concatenate([first, second], 1)
    eagerly = keras.backend.backend() == "tensorflow"  # whose graph takes longer to make
    model.compile(keras.optimizers.Adam(0.03), "kld", run_eagerly=eagerly)
    fitted = model.fit(data["frames"][:, :5], data["targets"][:, :5], epochs=3, verbose=0)
    found[path.stem + "_loss"] = fitted.history["loss"]
np.savez(sys.argv[2], **found)
"""


@pytest.mark.parametrize(
    ("backend", "kinds"),
    [
        ("jax", ["gru"]),
        pytest.param("jax", KINDS, marks=pytest.mark.slow),
        pytest.param("tensorflow", KINDS, marks=pytest.mark.slow),
        pytest.param("torch", KINDS, marks=pytest.mark.torch),
    ],
)
def test_models_load_and_train_in_a_fresh_process(backend, kinds, rng, tmp_path):
    pytest.importorskip(backend)
    frames, targets = videos(rng)
    np.savez(tmp_path / "videos.npz", frames=frames, targets=targets)
    expected = {}
    for kind in kinds:
        model = video_model(kind)
        model.save(tmp_path / f"{kind}.keras")
        expected[kind] = arrays(model(frames)[0])
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'tests'}"}
    command = [sys.executable, "-c", PROGRAM, tmp_path, tmp_path / "found.npz"]
    subprocess.run(command, env=environment, check=True)
    found = np.load(tmp_path / "found.npz")
    for kind, maps in expected.items():
        np.testing.assert_allclose(found[kind], maps, rtol=1e-5, atol=1e-5, err_msg=kind)
        np.testing.assert_allclose(found[f"{kind}_halves"], maps, rtol=1e-5, atol=1e-5, err_msg=kind)
        losses = found[f"{kind}_loss"]
        assert losses[-1] < losses[0], kind


SERVED = """
import json, sys
import numpy as np, tensorflow as tf
frames, loaded = np.load(sys.argv[1]), tf.saved_model.load(sys.argv[2])
first = loaded.signatures["serving_default"](frames=tf.constant(frames[:, :5]))
state = {name: value for name, value in first.items() if name.startswith("state_")}
second = loaded.signatures["next"](frames=tf.constant(frames[:, 5:]), **state) if state else None
assert "keras_saliency" not in sys.modules
np.save(sys.argv[3], np.concatenate([first["maps"], second["maps"]], 1) if state else first["maps"])
print(json.dumps(sorted(state)))
"""


@pytest.mark.parametrize("kind", slowly(KINDS, ("lstm", "smoothed")))
def test_a_saved_model_carries_the_state(kind, rng, tmp_path):
    model, (frames, _) = video_model(kind), videos(rng)
    ks.export_video(model, tmp_path / "served" / "1")
    np.save(tmp_path / "frames.npy", frames)
    arguments = [tmp_path / "frames.npy", tmp_path / "served" / "1", tmp_path / "maps.npy"]
    done = subprocess.run([sys.executable, "-c", SERVED, *arguments], check=True, capture_output=True, text=True)
    maps, state = arrays(model(frames))
    assert json.loads(done.stdout.splitlines()[-1]) == sorted(f"state_{name}" for name in state)
    np.testing.assert_allclose(np.load(tmp_path / "maps.npy"), maps if state else maps[:, :5], rtol=1e-5, atol=1e-5)
    assert ("next" in tf.saved_model.load(str(tmp_path / "served" / "1")).signatures) == bool(state)
    with pytest.raises(FileExistsError):
        ks.export_video(model, tmp_path / "served" / "1")


def test_frames_of_another_form_are_refused(model, rng):
    frames, _ = videos(rng, time=1)
    assert model(frames)[0].shape == (2, 1, *SIZE, 1)
    for wrong in (frames[0], frames[..., :1], frames[:, :0], frames[:, :, 0]):
        with pytest.raises(
            ValueError, match=r"takes frames \(batch, time, height, width, 3\)[\s\S]*One video is frames"
        ):
            model(wrong)


@pytest.mark.parametrize("kind", ["gru", "lstm", "smoothed"])
def test_a_state_of_other_videos_is_refused(kind, rng):
    model, (frames, _) = video_model(kind), videos(rng, time=2)
    _, state = model(frames)
    name = sorted(state)[0]
    for wrong in (model(frames[:1])[1], model(frames[:, :, ::2])[1], {**state, name: state[name][0]}):
        with pytest.raises(ValueError, match=r"The state '\w+' must be[\s\S]*Pass state=None at the start of a video"):
            model(frames, wrong)
    for wrong in ({}, {"other": state[name]}, {**state, "other": state[name]}, state[name]):
        with pytest.raises(ValueError, match=r"must be a dictionary of[\s\S]*Pass state=None at the start of a video"):
            model(frames, wrong)


def test_a_model_without_a_state_refuses_one(rng):
    frames, _ = videos(rng, time=2)
    model = video_model("alone")
    assert model(frames, {})[1] == {}
    with pytest.raises(ValueError, match="has no state[\\s\\S]*pass state=None"):
        model(frames, video_model("gru")(frames)[1])


def test_what_does_not_go_together_is_refused(tmp_path):
    model = video_model("gru")
    with pytest.raises(ValueError, match="from_logits=False, and the head of gru gives a log-density"):
        model.compile("sgd", ks.combo("kld"))
    with pytest.raises(ValueError, match="leave balance out"):
        model.compile("sgd", ks.combo("kld + cc", from_logits=True, balance="gradient"))
    with pytest.raises(ValueError, match="takes one loss"):
        model.compile("sgd", ["kld", "cc"])
    with pytest.raises(ValueError, match="does not give saliency maps"):
        as_video(model)
    images = keras.Input((*SIZE, 3))
    with pytest.raises(ValueError, match="does not give a log-density"):
        smoothed(SaliencyModel(images, keras.layers.Conv2D(1, 1, activation="relu")(images)))
    for decay in (-0.1, 1.0):
        with pytest.raises(ValueError, match="decay must be in"):
            smoothed(image_model(), decay)
    for make in (lambda: ConvGRU(recurrent_dropout=1.0), lambda: ConvLSTM(dropout=-0.1)):
        with pytest.raises(ValueError, match=r"dropout must be in \[0, 1\)"):
            make()
    model.save(tmp_path / "video.keras")
    with pytest.raises(ValueError, match=r"is a model of videos[\s\S]*keras.models.load_model"):
        ks.load(tmp_path / "video.keras")


def test_a_model_and_its_layers_round_trip(model):
    again = VideoModel.from_config(model.get_config())
    again.set_weights(model.get_weights())
    assert (again.name, again.frame_shape, again.view) == (model.name, (*SIZE, 3), None)
    assert again.gives_log_density and again.dtype_policy == model.dtype_policy
    if model.recurrent:
        assert again.recurrent.get_config() == model.recurrent.get_config()
