import dataclasses

import keras
import numpy as np
import pytest
from conftest import run_command
from scipy.ndimage import gaussian_filter

import keras_saliency as ks
from keras_saliency import layers, models
from keras_saliency.baselines.centre_bias import CentreBias
from keras_saliency.data import DataSet, synthetic
from keras_saliency.data.fixations import Fixations
from keras_saliency.data.samples import Samples
from keras_saliency.formulas.recording import recorded
from keras_saliency.models import SaliencyModel, View
from keras_saliency.models.recording import recording_head_of, with_recording_head
from keras_saliency.training import recording_fit
from keras_saliency.training.calibrating import best, calibrate, parts
from keras_saliency.training.recording_fit import Blurred, Part, as_head, fit, loss_and_slope

TRUTH = {"gain": 0.6, "blur": 0.05, "centre_weight": 0.7, "uniform_share": 0.1}
EACH = 300  # fixations of an image


def off_centre(height, width):
    y, x = np.mgrid[:height, :width]
    return np.exp(-(((y / height - 0.55) / 0.2) ** 2 + ((x / width - 0.45) / 0.25) ** 2) / 2) + 1e-3


@pytest.fixture(scope="module")
def network():
    """A model that gives blobs of a few pixels."""
    keras.utils.set_random_seed(0)
    images = keras.Input((96, 128, 3))
    noise = keras.initializers.RandomNormal(0, 0.04)
    x = layers.LearnedBlur(2.0)(keras.layers.Conv2D(1, 5, padding="same", kernel_initializer=noise)(images))
    model = SaliencyModel(images, layers.LogSoftmax()(x), name="network")
    model.view = View(96 * 128, 16)
    return model


def watched(model, samples, rng):
    """The samples with fixations drawn from what a model predicts."""
    for sample in samples:
        density = np.exp(ks.predict(model, sample.read()).astype("float64"))
        drawn = rng.choice(density.size, EACH, p=density.ravel() / density.sum())
        y, x = (axis + rng.random(EACH) for axis in np.divmod(drawn, density.shape[1]))
        yield dataclasses.replace(sample, fixations=Fixations(x, y, np.arange(EACH) % 3, np.arange(EACH) * 1.0))


@pytest.fixture(scope="module")
def recording(network):
    """Samples whose fixations were drawn from the network's maps and the head `TRUTH`."""
    model = with_recording_head(network)
    recording_head_of(model).set(TRUTH, off_centre(120, 160))
    train = synthetic.read(splits={"train": 16, "validation": 3, "test": 3}).train
    return Samples(watched(model, train, np.random.default_rng(0)), train.pixels_per_degree)


@pytest.fixture(scope="module")
def adaptation(network, recording):
    return ks.adapt(network, recording, off_centre(240, 320), verbose=False)


def test_the_bias_of_a_recording_is_found(adaptation):
    assert adaptation.changed and adaptation.gain["low"] > 0, adaptation.said
    assert adaptation.numbers["blur"] == pytest.approx(TRUTH["blur"], rel=0.1)
    assert adaptation.numbers["centre_weight"] == pytest.approx(TRUTH["centre_weight"], rel=0.15)
    assert adaptation.numbers["gain"] == pytest.approx(TRUTH["gain"], rel=0.15)
    assert adaptation.numbers["uniform_share"] == pytest.approx(TRUTH["uniform_share"], abs=0.05)
    head = recording_head_of(adaptation.model)
    assert head.numbers == pytest.approx(adaptation.numbers, rel=1e-6)


def test_the_model_that_is_given_stays_as_it_is(network, adaptation, recording, tmp_path):
    image = recording[0].read()
    assert recording_head_of(network) is None
    adaptation.model.save(tmp_path / "adapted.keras")
    again = ks.load(tmp_path / "adapted.keras")
    found = ks.predict(again, image)
    np.testing.assert_allclose(found, ks.predict(adaptation.model, image), atol=1e-5)
    np.testing.assert_allclose(np.exp(found.astype("float64")).sum(), 1.0, rtol=1e-5)
    assert np.abs(found - ks.predict(network, image)).max() > 0.1
    # Its own head gives way to a new one, and there is nothing left to gain.
    once_more = ks.adapt(again, recording, off_centre(240, 320), verbose=False)
    assert not once_more.changed and once_more.model is again.model and "not surely better" in once_more.said
    assert once_more.numbers == pytest.approx(adaptation.numbers, rel=1e-3)


def test_of_fixations_on_other_pictures_nothing_is_learned(network, recording):
    moved = [*recording[1:], recording[0]]
    shuffled = [dataclasses.replace(a, fixations=b.fixations) for a, b in zip(recording, moved, strict=True)]
    found = ks.adapt(network, Samples(shuffled), verbose=False)
    assert not found.changed and found.model is network
    assert "Do the fixations belong to these pictures?" in found.said


def few(recording, count=6, **changes):
    return Samples([dataclasses.replace(sample, **changes) for sample in recording[:count]])


def test_what_nothing_can_be_learned_from_is_said(network, recording):
    with pytest.raises(ValueError, match="5 images with fixations at least. Received: 1"):
        ks.adapt(network, few(recording, 1))
    nobody = Fixations.from_rows(np.empty((0, 4)))
    with pytest.raises(ValueError, match="Received: 0"):
        ks.adapt(network, few(recording, fixations=nobody))
    own = recording[0].fixations
    with pytest.raises(ValueError, match="one observer"):
        ks.adapt(network, few(recording, fixations=own[own.observer == 0]))
    shares = dataclasses.replace(own, x=own.x / 1000, y=own.y / 1000)
    with pytest.raises(ValueError, match="between 0% and .* Are their coordinates pixels"):
        ks.adapt(network, few(recording, fixations=shares))
    with pytest.raises(ValueError, match="finite, positive density"):
        ks.adapt(network, few(recording), np.zeros((3, 4)), verbose=False)
    framed = SaliencyModel(network.inputs[0], network.outputs[0])
    with pytest.raises(ValueError, match="with padding"):
        ks.adapt(framed, few(recording, size=(200, 200)))
    maps = keras.Model(network.inputs, keras.layers.ReLU()(network.output))
    with pytest.raises(ValueError, match="does not give a log-density"):
        ks.adapt(maps, recording)


@pytest.mark.parametrize(("at", "biases"), [((0.5, 0.8, 0.2), 1), ((0.2, 0.4, 0.8, 0.2), 1), ((0.5, 0.8, 0.3, 0.2), 2)])
def test_the_slope_is_that_of_the_loss(rng, at, biases):
    score, bias = rng.normal(size=(4, 9, 12, len(at) - 1 - biases)), rng.normal(size=(1, 9, 12, biases))
    counts = rng.poisson(0.3, (4, 9, 12, 1)) + np.eye(9, 12)[None, ..., None]
    parts = [Blurred(s, bias, c / c.sum((1, 2, 3), keepdims=True)) for s, c in [(score, counts), (-score, counts)]]
    at = np.array(at)
    for i, step in enumerate(1e-6 * np.eye(len(at))):
        numeric = (loss_and_slope(at + step, parts)[0] - loss_and_slope(at - step, parts)[0]) / 2e-6
        assert loss_and_slope(at, parts)[1][i] == pytest.approx(numeric, rel=1e-6)


def test_the_fit_is_as_likely_as_the_truth(rng):
    score = np.stack([gaussian_filter(rng.normal(size=(24, 32)), 1.5) for _ in range(6)])[..., None]
    score, bias = score * 1.5 / score.std(), np.log(off_centre(24, 32))[None, ..., None]
    truth = np.array([0.6, 0.7, 0.1, 0.06])
    blurred = recording_fit._blurred(score, truth[3])
    density = np.exp(recorded(blurred, bias, *truth[:3]))[..., 0]
    share = np.stack([rng.multinomial(2000, each.ravel() / each.sum()).reshape(24, 32) / 2000 for each in density])
    part = Part(0, score, score, share[..., None])
    found = fit([part], lambda folds, size: bias)
    true_loss, _ = loss_and_slope(truth[:3], [Blurred(blurred, bias, part.share)])
    assert -recording_fit.likelihoods(part, bias, found).mean() <= true_loss
    np.testing.assert_allclose(found, truth, atol=0.05)


def test_centre_biases_become_one(rng):
    first, second = rng.random((2, 4, 5)) + 0.1
    for weights, total in (([0.6, 0.2], 0.8), ([-0.2, 0.9], 0.7), ([0.5, -0.48], 0.98), ([0.0, 0.0], 0.1)):
        numbers, density = as_head(np.array([0.7, *weights, 0.1, 0.02]), [first, second])
        assert numbers == pytest.approx({"gain": 0.7, "centre_weight": total, "uniform_share": 0.1, "blur": 0.02})
        product = first ** weights[0] * second ** weights[1]
        one = density**total
        np.testing.assert_allclose(one / one.sum(), product / product.sum())


def test_of_few_images_a_centre_bias_that_is_known_helps(network, recording):
    seen, unseen = Samples(recording[:6]), Samples(recording[6:])
    headed = with_recording_head(network)
    recording_head_of(headed).set({**TRUTH, "gain": 1.0, "centre_weight": 1.0}, off_centre(120, 160))
    knowing = ks.adapt(headed, seen, verbose=False).model
    own = with_recording_head(network)
    recording_head_of(own).set(recording_head_of(knowing).numbers, CentreBias(seen, seen).density)
    assert likelihood(knowing, unseen) > max(likelihood(model, unseen) for model in (headed, own)) + 0.01


def test_maps_get_the_weights_that_they_deserve(rng):
    maps = np.stack([gaussian_filter(rng.normal(size=(6, 24, 32)), (0, 1.5, 1.5)) for _ in range(3)], -1)
    maps, bias = maps / maps.std(), np.zeros((1, 24, 32, 1))
    density = np.exp(recorded(maps @ np.array([[0.9], [0.3], [0.0]]), bias))[..., 0]
    share = np.stack([rng.multinomial(4000, each.ravel() / each.sum()).reshape(24, 32) / 4000 for each in density])
    found = recording_fit.shares_of_maps([Part(0, maps, maps, share[..., None])], lambda folds, size: bias)
    np.testing.assert_allclose(found, [0.75, 0.25, 0.0], atol=0.04)


def test_the_command(network, recording, adaptation, tmp_path, monkeypatch, capsys):
    network.save(tmp_path / "network.keras")
    monkeypatch.chdir(tmp_path)
    arguments = ("adapt", "network.keras", "--data", "synthetic", "--images", 15)
    code, text = run_command(monkeypatch, capsys, *arguments, "--out", "adapted.h5")
    assert code and "--out names a new .keras file" in text
    code, text = run_command(monkeypatch, capsys, *arguments, "--out", "network.keras")
    assert code and "network.keras exists" in text
    monkeypatch.setattr(
        "keras_saliency.data.open_data", lambda *_: dataclasses.replace(synthetic.read(), train=recording)
    )
    given = []
    monkeypatch.setattr(ks, "adapt", lambda model, data: given.append((str(model), len(data.train))) or adaptation)
    code, text = run_command(monkeypatch, capsys, *arguments, "--out", "deep/adapted.keras")
    assert not code and "Adapted to 16 images" in text and "gain 0." in text and given == [("network.keras", 15)]
    assert recording_head_of(ks.load("deep/adapted.keras").model)
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["adapted.keras"]


def likelihood(model, samples):
    """The mean log-likelihood of the fixations, in nat."""
    maps = [ks.predict(model, sample.read()) for sample in samples]
    rows = [(m, s.fixations.y.astype(int), s.fixations.x.astype(int)) for m, s in zip(maps, samples, strict=True)]
    return np.mean([log_density[y, x].mean() for log_density, y, x in rows])


def even_gaze(size):
    y, x = np.add(np.divmod(np.random.default_rng(0).choice(size[0] * size[1], EACH), size[1]), 0.5)
    return Fixations(x, y, np.arange(EACH) % 3, np.arange(EACH) * 1.0)


def test_heads_are_calibrated_on_what_was_not_seen(network, recording):
    model = with_recording_head(network, ["lab", "field"])
    head = recording_head_of(model)
    head.set(head.numbers, off_centre(120, 160))
    given = parts(model, recording)
    found, shares = best(given, [off_centre(120, 160)])
    assert shares == [1.0]
    named, _ = as_head(found, [off_centre(120, 160)])
    for name, close in (("blur", 0.1), ("gain", 0.2), ("centre_weight", 0.2)):
        assert named[name] == pytest.approx(TRUTH[name], rel=close)
    # Another recording, of an even gaze, has a say.
    even = Samples([dataclasses.replace(sample, fixations=even_gaze(sample.size)) for sample in recording[:8]])
    assert best([*given, *parts(model, even)], [off_centre(120, 160)])[0][-2] > found[-2] + 0.05
    unseen = Samples(recording[5:])
    data = DataSet("lab", Samples(recording[:5]), unseen, unseen)
    before = likelihood(model, unseen)
    numbers = calibrate(model, {"lab": data, "field": data}, given)
    assert numbers == {name: head.numbers_of(name) for name in ("lab", "field", None)}
    assert likelihood(models.for_recording(model, "lab"), unseen) > before + 0.05
    kept = calibrate(model, {"lab": data, "field": data}, [])
    assert kept[None] == numbers[None]
    # Of a mixture of several, all networks weigh alike.
    pair = models.mix([model, model])
    calibrate(pair, {}, given)
    assert recording_head_of(pair).shares_of(None) == pytest.approx([0.5, 0.5])
    assert recording_head_of(pair).numbers_of(None) == pytest.approx(numbers[None])
