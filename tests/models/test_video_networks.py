"""The networks for videos: what they are made of, and what their authors say of them."""

import os
import re
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import REPOSITORY, slowly

import keras_saliency as ks
from keras_saliency.data import with_flow
from keras_saliency.models import VIDEO_ARCHITECTURES, with_recurrence

SIZE = (64, 96)
# All weights that training changes. Published, or derived from published layers, but for that of unisal-video, ours.
UNISAL, GRU = 2_653_427, (3 * 9 * 256 + 256 * (3 + 2 + 1) * 256 + 3 * 256) + (256 * 256 + 2 * 256)
COUNTS = {
    "aclnet": 14_714_688 + 188_929 + 7_078_912 + 257,
    "ssnet": 25_806_209,
    "tsnet": 25_806_209,
    "stsmaxnet": 40_723_457,
    "stsconvnet": 41_248_257,
    "unisal-video": UNISAL + GRU,
}
MOTION = ("tsnet", "stsmaxnet", "stsconvnet")


def small(name, **options):
    keras.utils.set_random_seed(2)
    return ks.create_video_model(name, **{"weights": None, "input_size": SIZE, "width": 1 / 16, **options})


def frames_for(model, rng, time=4, size=SIZE, count=1):
    frames = rng.integers(0, 256, (count, time, *size, 3)).astype("float32")
    return with_flow(frames) if model.frame_shape[-1] == 6 else frames


def count(weights):
    return sum(int(np.prod(weight.shape)) for weight in weights)


def open_the_path(model):
    """Lets the recurrent path of `unisal-video` say something, as training would."""
    rng, gamma = np.random.default_rng(5), model.decoder.get_layer("residual_bn").gamma
    for weight in model.recurrent.trainable_weights:
        weight.assign(rng.normal(0, 0.5, weight.shape))
    gamma.assign(keras.ops.ones_like(gamma))


@pytest.mark.parametrize("name", COUNTS)
def test_a_network_for_videos_has_its_parameters(name):
    model = ks.create_video_model(name, weights=None)
    assert count(model.trainable_weights) == COUNTS[name]
    if name == "aclnet":
        assert count(model.weights) == 21_982_786
        layers = [model.encoder.get_layer(layer) for layer in ("attention1_narrow", "attention2_conv", "attention")]
        assert [layer.filters for layer in layers] == [64, 128, 1]


def test_every_video_model_is_counted():
    assert set(COUNTS) == set(VIDEO_ARCHITECTURES) and ks.list_video_models() == sorted(COUNTS)
    page = (REPOSITORY / "docs" / "models.md").read_text()
    rows = dict(re.findall(r"^\| `([\w-]+)` \| ([\d,]+)", page[page.index("## Videos") :], re.MULTILINE))
    assert {name: rows.get(name) for name in COUNTS} == {name: f"{number:,}" for name, number in COUNTS.items()}
    with pytest.raises(ValueError, match="Unknown video model 'vinet'. Known video models: aclnet, ssnet"):
        ks.create_video_model("vinet")
    with pytest.raises(ValueError, match="Unknown head 'mean' of ssnet. Known heads: log-density, density, published"):
        ks.create_video_model("ssnet", weights=None, head="mean")
    with pytest.raises(ValueError, match="ssnet has no sides: leave sides out"):
        ks.create_video_model("ssnet", weights=None, sides=True)
    with pytest.raises(ValueError, match=r"input_size must be \(height, width\)"):
        ks.create_video_model("ssnet", weights=None, input_size=(240, 0))


@pytest.mark.parametrize("name", slowly(VIDEO_ARCHITECTURES, {"tsnet", "stsmaxnet", "stsconvnet"}))
def test_frames_of_any_size_have_maps_of_their_size(name, rng, tmp_path):
    model = small(name)
    if name == "unisal-video":
        open_the_path(model)
    assert model.frame_shape == (*SIZE, 6 if name in MOTION else 3)
    assert model.gives_log_density == (name == "unisal-video")
    model.save(tmp_path / "video.keras")
    again = keras.models.load_model(tmp_path / "video.keras")
    for size in (SIZE, (75, 101)):
        frames = frames_for(model, rng, size=size)
        maps, _ = model(frames)
        assert maps.shape == (1, 4, *size, 1) and maps.dtype == "float32"
        if model.gives_log_density:
            np.testing.assert_allclose(np.exp(maps).sum((2, 3)), 1, rtol=1e-4)
        else:
            assert np.min(maps) >= 0
        first, state = model(frames[:, :2])
        np.testing.assert_allclose(np.concatenate([first, model(frames[:, 2:], state)[0]], 1), maps, atol=1e-5)
        np.testing.assert_allclose(again(frames)[0], maps, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", slowly(VIDEO_ARCHITECTURES, {*VIDEO_ARCHITECTURES} - {"stsconvnet", "aclnet"}))
def test_training_reaches_every_weight(name, rng, eager):
    model = small(name, head="log-density", width=1 / 4 if name == "aclnet" else 1 / 16)
    frames, shape = frames_for(model, rng, time=2), (1, 2, *SIZE, 1)
    targets = np.concatenate([rng.random(shape), rng.poisson(0.1, shape)], -1).astype("float32")
    model.compile(keras.optimizers.Adam(1e-3), "kld + cc")
    before = [weight.numpy() for weight in model.trainable_weights]
    assert np.isfinite(model.fit(frames, targets, epochs=2, verbose=0).history["loss"]).all()
    still = [w.path for w, old in zip(model.trainable_weights, before, strict=True) if np.array_equal(w.numpy(), old)]
    assert not still


def test_aclnet_sees_stride_8_and_gives_what_was_published(rng):
    model = ks.create_video_model("aclnet", weights=None, scale=0.5, sides=True, width=1 / 16)
    assert [output.shape[1:] for output in model.encoder.outputs] == [(32, 40, 512), (32, 40, 1)]
    (maps, attention), state = model(frames_for(model, rng, 2, (256, 320)))
    assert maps.shape == (1, 2, 128, 160, 1) and attention.shape == (1, 2, 64, 80, 1)
    assert {name: tuple(value.shape) for name, value in state.items()} == dict.fromkeys(state, (1, 32, 40, 16))
    # Both are made larger by repeating pixels, four times, and four times two.
    np.testing.assert_array_equal(maps, np.asarray(maps)[:, :, ::4, ::4].repeat(4, 2).repeat(4, 3))
    np.testing.assert_array_equal(attention, np.asarray(attention)[:, :, ::8, ::8].repeat(8, 2).repeat(8, 3))


def test_the_attention_of_aclnet_multiplies_its_features(rng):
    model = small("aclnet", sides=True)
    images = frames_for(model, rng)[0]
    features = keras.tree.flatten(model.encoder.get_layer("backbone")(images))[0]
    attended, attention = model.encoder(images)
    assert np.min(attention) > 0 and np.max(attention) < 1
    np.testing.assert_allclose(attended, features * (1 + attention), rtol=1e-5)
    # What people look at in a picture does not depend on the frames around it.
    (_, of_video), _ = model(images[None])
    (_, of_images), _ = model(images[:, None])
    np.testing.assert_allclose(of_video[0], of_images[:, 0], atol=1e-6)
    # Without attention it is a ConvLSTM on the features.
    model.encoder.get_layer("attention").bias.assign([-1e4])
    np.testing.assert_array_equal(model.encoder(images)[0], features)


def test_aclnet_is_trained_by_clips_and_by_pictures_in_turn(rng, eager):
    model = small("aclnet", scale=0.5, sides=True)
    model.compile("adam", [ks.combo("10 kld + 2 cc + nss", convention="sam") for _ in range(2)])
    sizes = {"clips": (1, 3), "pictures": (4, 1)}
    truth = {}
    for kind, shape in sizes.items():
        maps = [rng.random((*shape, *(side // n for side in SIZE), 2)).round(1).astype("float32") for n in (2, 4)]
        maps[kind == "clips"][:] = 0
        truth[kind] = maps
    for kind, shape in sizes.items():
        frames = rng.uniform(0, 255, (*shape, *SIZE, 3)).astype("float32")
        found = model.evaluate(frames, truth[kind], verbose=0, return_dict=True)
        first, second = model.output_names
        used, unused = (first, second) if kind == "clips" else (second, first)
        terms = [found[f"{used}_{term}_loss"] for term in ("kld", "cc", "nss")]
        assert found["loss"] == pytest.approx(np.dot([10, 2, 1], terms), rel=1e-4)
        assert found["loss"] == pytest.approx(found[f"{used}_loss"], rel=1e-5)
        assert found[f"{unused}_loss"] == 0
        assert np.isfinite(model.train_on_batch(frames, truth[kind])).any()
    with pytest.raises(ValueError, match="a list of losses, for"):
        model.compile("adam", "kld")


def test_equal_streams_are_one(rng):
    one, two = small("ssnet"), small("stsmaxnet")
    weights = one.get_weights()
    encoder = len(two.encoder.get_layer("frames").weights)
    two.set_weights([*weights[:encoder], *weights])
    frames = frames_for(one, rng)
    np.testing.assert_allclose(two(np.concatenate([frames, frames], -1))[0], one(frames)[0], rtol=1e-5, atol=1e-6)


def test_ssnet_and_tsnet_are_salnet_on_frames_and_on_motion(rng):
    salnet, frames = (
        ks.create_model("salnet", weights=None, input_size=SIZE, width=1 / 16),
        rng.random((1, 2, *SIZE, 6)),
    )
    for name, seen in (("ssnet", slice(0, 3)), ("tsnet", slice(3, 6))):
        model = small(name)
        model.set_weights(salnet.get_weights())
        taken = 255 * (frames[..., seen] if name == "ssnet" else frames).astype("float32")
        expected = salnet(255 * frames[0, ..., seen].astype("float32"))
        np.testing.assert_allclose(model(taken)[0][0], expected, atol=1e-6)


@pytest.mark.parametrize("name", MOTION)
def test_frames_without_motion_give_finite_maps(name, rng):
    model = small(name)
    still = np.repeat(rng.uniform(0, 255, (1, 1, *SIZE, 3)), 2, 1)
    assert np.isfinite(model(with_flow(still))[0]).all()
    with pytest.raises(ValueError, match=r"takes frames \(batch, time, height, width, 6\)[\s\S]*stack it by with_flow"):
        model(still.astype("float32"))


def test_the_recurrent_path_of_unisal_begins_at_the_network_for_images(rng, eager):
    static = ks.create_model("unisal", weights=None, input_size=SIZE, width=1 / 16)
    video, alone = with_recurrence(static, 16), small("unisal-video", recurrent=False)
    alone.set_weights(static.get_weights())
    frames = frames_for(video, rng)
    expected = np.stack([static(frame[None])[0] for frame in frames[0]])
    for model in (video, alone):
        np.testing.assert_allclose(model(frames)[0][0], expected, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(model(frames[:, :1])[0][:, 0], static(frames[:, 0]), rtol=1e-5, atol=1e-5)
    assert alone.recurrent is None and count(alone.trainable_weights) == count(static.trainable_weights)
    open_the_path(video)
    assert np.abs(video(frames)[0][0] - expected).max() > 1e-3
    # The frames before count.
    assert np.abs(video(frames)[0][:, 1:] - video(frames[:, 1:])[0]).max() > 1e-4
    with pytest.raises(ValueError, match=r'Expected a model of create_model\("unisal"\)'):
        with_recurrence(ks.create_model("icf", weights=None, input_size=SIZE))


def test_a_view_and_a_scale_stay(rng):
    static = ks.create_model("unisal", weights=None, area=64 * 96, width=1 / 16)
    video = with_recurrence(static, 16)
    assert video.view == static.view is not None
    assert ks.models.as_video(static).view == static.view
    half = small("unisal-video", scale=0.5)
    assert half(frames_for(half, rng))[0].shape == (1, 4, 32, 48, 1)


PROGRAM = """
import sys
from pathlib import Path
import quick_start
import keras, keras_saliency, numpy as np
folder, found = Path(sys.argv[1]), {}
for path in sorted(folder.glob("*.keras")):
    model, frames = keras.models.load_model(path), np.load(path.with_suffix(".npy"))
    first, state = model.predict(frames[:, :5], verbose=0)
    second = model(frames[:, 5:], state)[0]
    found[path.stem] = np.concatenate([first, keras.ops.convert_to_numpy(second)], 1)
np.savez(sys.argv[2], **found)
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", pytest.param("torch", marks=pytest.mark.torch)])
def test_networks_give_the_same_on_other_backends(backend, rng, tmp_path):
    pytest.importorskip(backend)
    expected = {}
    for name in ("aclnet", "stsconvnet", "unisal-video"):
        model = small(name)
        if name == "unisal-video":
            open_the_path(model)
        frames = frames_for(model, rng, time=10)
        model.save(tmp_path / f"{name}.keras")
        np.save(tmp_path / f"{name}.npy", frames)
        expected[name] = model(frames)[0]
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'tests'}"}
    command = [sys.executable, "-c", PROGRAM, tmp_path, tmp_path / "found.npz"]
    subprocess.run(command, env=environment, check=True)
    found = np.load(tmp_path / "found.npz")
    for name, maps in expected.items():
        np.testing.assert_allclose(found[name], maps, rtol=1e-4, atol=1e-4, err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["aclnet", "unisal-video", "stsconvnet"])
def test_a_network_is_trained_by_its_graph_and_served(name, rng, tmp_path):
    model = small(name, head="log-density")
    frames, shape = frames_for(model, rng, time=4), (1, 4, *SIZE, 1)
    targets = np.concatenate([rng.random(shape), rng.poisson(0.1, shape)], -1).astype("float32")
    model.compile(keras.optimizers.Adam(1e-4), "kld + cc")
    losses = model.fit(frames, targets, epochs=4, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    ks.export_video(model, tmp_path / "1")
    served = tf.saved_model.load(str(tmp_path / "1")).signatures["serving_default"](frames=tf.constant(frames))
    np.testing.assert_allclose(served["maps"], model(frames)[0], rtol=1e-4, atol=1e-4)
