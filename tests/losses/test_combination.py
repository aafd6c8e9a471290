import inspect

import keras
import numpy as np
import pytest
from conftest import make_truth

import keras_saliency as ks
from keras_saliency import losses
from keras_saliency.losses import CC, KLD, LOSSES, MSE, NSS, PRESETS, combo

SHAPE = (2, 12, 16, 1)


def test_each_term_is_averaged_over_its_own_images(rng):
    density, fixations = make_truth(rng, SHAPE)
    fixations[1] = 0
    y_true, y_pred = ks.pack_targets(density, fixations), rng.random(SHAPE).astype("float32")
    expected = losses.KLD()(y_true, y_pred) + losses.NSS()(y_true, y_pred)
    np.testing.assert_allclose(combo(kld=1, nss=1)(y_true, y_pred), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("loss", "text"),
    [
        (combo(kld=10, cc=0.5, nss=1), "10 * KLD() + 0.5 * CC() + NSS()"),
        (combo("eml-net", from_logits=True), None),
        (combo(kld=1), "combo(KLD())"),
        (combo(wmse=2, bce=1, convention="mlnet"), "2 * WMSE(convention='mlnet') + BCE()"),
        (combo(losses.BCE(pool=4, name="content"), focal=1e-3), "BCE(name='content', pool=4) + 0.001 * Focal()"),
        (
            combo(KLD(reduction="sum"), cc=1, balance="gradient"),
            "combo(KLD(reduction='sum') + CC(), balance='gradient')",
        ),
        (losses.NSS(relative=True, from_logits=True), "NSS(from_logits=True, relative=True)"),
    ],
)
def test_what_a_loss_shows_makes_it_again(loss, text):
    assert text is None or repr(loss) == text
    assert eval(repr(loss), vars(losses)).get_config() == loss.get_config()


def test_every_way_to_write_a_combination_is_the_same(rng):
    y_true, y_pred = ks.pack_targets(*make_truth(rng, SHAPE)), rng.random(SHAPE).astype("float32")
    expected = 10 * float(KLD()(y_true, y_pred)) + 2 * float(CC()(y_true, y_pred)) + float(NSS()(y_true, y_pred))
    ways = {
        "keywords": combo(kld=10, cc=2, nss=1),
        "formula": combo("10 kld + 2*cc + nss"),
        "dictionary": combo({"kld": 10, "cc": 2, "nss": 1}),
        "preset": combo("sam"),
        "algebra": 10 * KLD() + 2 * CC() + NSS(),
        "right algebra": KLD() * 10 + (CC() * 2 + NSS()),
        "sum": sum([10 * KLD(), 2 * CC(), NSS()]),
        "instances": combo(10 * KLD(), 2 * CC(), NSS()),
        "instances and keywords": combo(10 * KLD(), cc=2, nss=1),
        "nested": 2 * (5 * KLD() + combo(CC(), 0.5 * NSS())),
    }
    for way, loss in ways.items():
        assert loss.weights == {"kld": 10.0, "cc": 2.0, "nss": 1.0}, way
        np.testing.assert_allclose(loss(y_true, y_pred), expected, rtol=1e-6, err_msg=way)
        again = keras.losses.deserialize(keras.losses.serialize(loss))
        assert again.get_config() == loss.get_config()
        np.testing.assert_allclose(again(y_true, y_pred), expected, rtol=1e-6, err_msg=way)


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_presets_are_what_the_papers_and_the_study_say(preset, rng):
    y_true, y_pred = ks.pack_targets(*make_truth(rng, SHAPE)), rng.random(SHAPE).astype("float32")
    terms = {name: float(LOSSES[name]()(y_true, y_pred)) for name in set(LOSSES) - {"deep_features", "gram"}}
    kld, cc, sim, nss, mse = (terms[name] for name in ("kld", "cc", "sim", "nss", "mse"))
    own = float(NSS(relative=True)(y_true, y_pred))
    expected = {
        "sam": 10 * kld + 2 * cc + nss,
        "eml-net": kld + cc + own,
        "simplenet": kld + cc,
        "unisal": kld + 0.1 * cc + 0.1 * nss,
        "salfbnet": kld + 0.1 * cc + 0.025 * (terms["sfne"] + mse),
        "transalnet": 10 * kld + 2 * cc + sim + nss,
        "tempsal": kld + cc,
        "mds-vitnet": 10 * kld + 2 * cc + sim,
        "salnas": kld + cc + sim + terms["sigmoid_nss"],
        "sum": 10 * kld + 2 * cc + sim + nss + 5 * mse,
        "tavakoli": kld + cc + terms["exp_nss"],
        "quest": terms["nll"] + cc,
    }
    np.testing.assert_allclose(combo(preset)(y_true, y_pred), expected[preset], rtol=1e-6)


def test_a_convention_reaches_the_terms_that_have_it():
    terms = {loss.name: loss for loss in combo("eml-net", convention="eml-net").losses}
    assert {loss.convention for loss in terms.values()} == {"eml-net"}
    terms = {loss.name: loss for loss in combo(kld=1, mse=1, convention="sam").losses}
    assert terms["kld"].convention == "sam"
    assert terms["mse"].convention is None


def test_what_terms_share_is_computed_once(rng, monkeypatch):
    calls = []
    from keras_saliency.formulas import maps

    for name in ("to_density", "standardize", "_extremes"):
        whole = getattr(maps, name)
        monkeypatch.setattr(maps, name, lambda *args, name=name, whole=whole: calls.append(name) or whole(*args))
    y_true, y_pred = ks.pack_targets(*make_truth(rng, SHAPE)), rng.random(SHAPE).astype("float32")
    combo(dict.fromkeys(set(LOSSES) - {"ig", "softmax_l1", "softmax_l2", "deep_features", "gram"}, 1))(y_true, y_pred)
    # Once for the truth and once for the prediction.
    assert sorted(calls) == sorted(["to_density", "standardize", "_extremes"] * 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: combo(kdl=1), "Unknown loss 'kdl'. Known losses: mse, ae, .* Known presets: sam, eml-net"),
        (lambda: combo("salm"), "Unknown loss 'salm'.* Known presets: sam"),
        (lambda: combo(kld=1, nss=-1), "weight of nss must be positive"),
        (lambda: combo(kld=float("nan")), "weight of kld must be positive"),
        (lambda: combo(), "needs losses"),
        (lambda: combo("10 kld - cc"), "Cannot read the term '10 kld - cc'"),
        (lambda: combo("kld", cc=1), "one formula, or losses and weights by keyword"),
        (lambda: combo(KLD(), kld=1), "different names.*KLD\\(name='other'\\)"),
        (lambda: KLD() + CC(from_logits=True), "agree on from_logits"),
        (lambda: combo(KLD(), from_logits=True, cc=1), "agree on from_logits"),
        (lambda: combo(mse=1, kld=1, convention="mlnet"), "No term of .* has the convention 'mlnet'. They have"),
        (lambda: combo(kld=1, balance="equal"), "Unknown balance 'equal'. Known: None, 'gradient', 'uncertainty'"),
        (lambda: combo("sam", balance="uncertainty"), "nss can be: balance by 'gradient', or use NSS\\(relative=True"),
        (lambda: combo(kld=1, cc=1, balance="gradient") + MSE(), "Balance the outer combination"),
    ],
)
def test_a_wrong_combination_is_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_losses_are_multiplied_by_numbers_and_added_to_losses_only():
    for wrong in (lambda: KLD() * CC(), lambda: KLD() + 1, lambda: "2" * KLD()):
        with pytest.raises(TypeError):
            wrong()


def small_model():
    images = keras.Input((*SHAPE[1:3], 3))
    return ks.models.SaliencyModel(images, keras.layers.Conv2D(1, 3, padding="same", activation="softplus")(images))


def test_a_compiled_combination_reports_its_terms_and_survives_saving(rng, tmp_path):
    y_true, images = ks.pack_targets(*make_truth(rng, (5, *SHAPE[1:]))), rng.random((5, *SHAPE[1:3], 3))
    model = small_model()
    model.compile("adam", loss=combo(kld=10, cc=2, nss=1), metrics=[ks.metrics.NSS(), ks.metrics.KLD()])
    history = model.fit(images, y_true, batch_size=2, epochs=2, verbose=0, validation_data=(images, y_true)).history
    for name in ("loss", "kld_loss", "cc_loss", "nss_loss", "nss", "kld"):
        assert len(history[name]) == len(history[f"val_{name}"]) == 2
    last = {name: values[-1] for name, values in history.items()}
    np.testing.assert_allclose(last["val_nss_loss"], -last["val_nss"], rtol=1e-5)
    np.testing.assert_allclose(
        last["val_loss"], 10 * last["val_kld_loss"] + 2 * last["val_cc_loss"] + last["val_nss_loss"], rtol=1e-5
    )
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    expected = model.evaluate(images, y_true, verbose=0, return_dict=True)
    assert loaded.evaluate(images, y_true, verbose=0, return_dict=True) == pytest.approx(expected, rel=1e-6)
    assert "kld_loss" in expected


def test_recompiling_leaves_no_stale_terms(rng):
    y_true, images = ks.pack_targets(*make_truth(rng, SHAPE)), rng.random((2, *SHAPE[1:3], 3))
    model = small_model()
    for loss in (combo(kld=1), combo(cc=1)):
        model.compile("sgd", loss=loss)
        history = model.fit(images, y_true, verbose=0).history
    assert set(history) == {"loss", "cc_loss"}


def data(rng, images=8):
    return rng.random((images, *SHAPE[1:3], 3)), ks.pack_targets(*make_truth(rng, (images, *SHAPE[1:])))


def test_gradient_norms_are_those_of_the_gradient(rng):
    import tensorflow as tf

    from keras_saliency.losses.balance import gradient_norm

    y_true, y_pred = ks.pack_targets(*make_truth(rng, SHAPE)), rng.random(SHAPE).astype("float32")
    for loss in (KLD(), MSE(), NSS()):
        with tf.GradientTape() as tape:
            x = tf.convert_to_tensor(y_pred)
            tape.watch(x)
            value = loss(y_true, x)
        np.testing.assert_allclose(
            gradient_norm(loss, y_true, y_pred), np.linalg.norm(tape.gradient(value, x)), rtol=1e-5
        )


def test_balance_by_gradient_gives_each_term_its_share(rng, capsys):
    from keras_saliency.losses.balance import gradient_norm

    images, y_true = data(rng)
    model = small_model()
    loss = combo("3 kld + mse + nss", balance="gradient")
    model.compile(keras.optimizers.SGD(0.0), loss=loss)
    model.fit(images, y_true, batch_size=2, verbose=2)
    table = capsys.readouterr().out
    assert "Gradient of each term" in table
    assert all(f" {name} " in table for name in loss.weights)
    assert loss.balance is None
    pulls = {}
    for term, weight in zip(loss.losses, loss.weights.values(), strict=True):
        batches = [(model.predict_on_batch(images[i : i + 2]), y_true[i : i + 2]) for i in range(0, 8, 2)]
        pulls[term.name] = weight * np.mean([gradient_norm(term, truth, maps) for maps, truth in batches])
    np.testing.assert_allclose(pulls["kld"], 3 * pulls["mse"], rtol=1e-4)
    np.testing.assert_allclose(pulls["nss"], pulls["mse"], rtol=1e-4)
    # The steps were made with the weights that were set.
    history = model.fit(images, y_true, batch_size=2, verbose=2).history
    total = sum(weight * history[f"{name}_loss"][0] for name, weight in loss.weights.items())
    np.testing.assert_allclose(history["loss"][0], total, rtol=1e-5)
    assert "Gradient of each term" not in capsys.readouterr().out


def test_a_quiet_fit_balances_without_a_word(rng, capsys):
    images, y_true = data(rng)
    model = small_model()
    model.compile("sgd", loss=combo("3 kld + mse", balance="gradient"))
    model.fit(images, y_true, batch_size=4, verbose=0)
    assert model.loss.weights["mse"] != 1
    assert not capsys.readouterr().out


def test_the_table_of_a_balance_shows_names_as_they_are(capsys):
    from keras_saliency.losses.balance import print_table

    print_table([{"term": name, "norm": 1.0, "given": 1.0, "set": 1.0} for name in ("[mine]", "kld[/x]", ":star:")])
    table = capsys.readouterr().out
    assert all(f" {name} " in table for name in ("[mine]", "kld[/x]", ":star:"))


@pytest.mark.parametrize("kind", ["arrays", "generator", "tensors"])
def test_a_balance_holds_for_steps_that_were_made_before(kind, rng):
    images, y_true = data(rng)
    model = small_model()
    loss = combo("3 kld + mse", balance="gradient")
    model.compile(keras.optimizers.SGD(0.0), loss=loss)
    before = model.evaluate(images, y_true, verbose=0, return_dict=True)
    np.testing.assert_allclose(before["loss"], 3 * before["kld_loss"] + before["mse_loss"], rtol=1e-5)
    given = {
        "arrays": (images, y_true),
        "generator": ((pair for pair in [(images, y_true)] * 2), None),
        "tensors": (keras.ops.convert_to_tensor(images), keras.ops.convert_to_tensor(y_true)),
    }[kind]
    history = model.fit(*given, batch_size=8, verbose=0, validation_data=(images, y_true)).history
    assert loss.weights["mse"] != 1
    for split in ("", "val_"):
        total = sum(weight * history[f"{split}{name}_loss"][0] for name, weight in loss.weights.items())
        np.testing.assert_allclose(history[f"{split}loss"][0], total, rtol=1e-5)


def test_first_batches_lose_no_batch(rng):
    from keras_saliency.losses.balance import first_batches

    x, y = np.arange(10), np.arange(10) + 100
    batches, rest = first_batches(x, y, batch_size=4, count=2)
    assert [list(part) for part, _ in batches] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert rest is x
    pairs = [(i, 100 + i) for i in range(6)]
    batches, rest = first_batches(iter(pairs), count=4)
    assert batches == pairs[:4]
    assert inspect.isgenerator(rest)  # of all iterators, what `fit` takes
    assert list(rest) == pairs
    assert first_batches(pairs)[1] is pairs


def test_uncertainty_is_the_published_sum_and_is_learned_with_the_model(rng, tmp_path):
    images, y_true = data(rng)
    y_pred = rng.random((*y_true.shape[:3], 1)).astype("float32")
    loss = combo(kld=2, cc=0.5, balance="uncertainty")
    loss.adopt()
    s = {"kld": -np.log(4), "cc": 0.0}
    expected = sum(np.exp(-s[term.name]) / 2 * term(y_true, y_pred) + s[term.name] / 2 for term in loss.losses)
    np.testing.assert_allclose(loss(y_true, y_pred), expected, rtol=1e-6)
    model = small_model()
    weights = len(model.trainable_variables)
    model.compile(keras.optimizers.SGD(0.1), loss=loss)
    assert len(model.trainable_variables) == weights + 1
    history = model.fit(images, y_true, batch_size=4, epochs=60, verbose=0).history
    # A weight goes to 1 / (2 sigma^2) with sigma^2 the loss itself, where the derivative by s vanishes.
    for name in ("kld", "cc"):
        assert history[f"{name}_weight"][0] != history[f"{name}_weight"][-1]
    np.testing.assert_allclose(history["cc_weight"][-1] * 2 * history["cc_loss"][-1], 1.0, atol=0.1)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.loss.uncertainty.log_variances, loss.uncertainty.log_variances, rtol=1e-6)
    before = loaded.loss.uncertainty.log_variances.numpy()
    loaded.fit(images, y_true, verbose=0)
    assert not np.allclose(before, loaded.loss.uncertainty.log_variances.numpy())
    model.compile("sgd", loss=KLD())
    assert len(model.trainable_variables) == weights


def test_a_balance_that_no_model_sees_to_is_warned_of(rng):
    images, y_true = data(rng)
    inputs = keras.Input((*SHAPE[1:3], 3))
    model = keras.Model(inputs, keras.layers.Conv2D(1, 3, padding="same", activation="softplus")(inputs))
    model.compile("sgd", loss=combo(kld=1, cc=1, balance="uncertainty"), run_eagerly=True)
    with pytest.warns(UserWarning, match="takes effect in a SaliencyModel only"):
        model.fit(images, y_true, verbose=0)
    wrapped = ks.models.SaliencyModel(model.inputs, model.outputs)
    wrapped.compile("sgd", loss=combo(kld=1, cc=1, balance="uncertainty"))
    assert "kld_weight" in wrapped.fit(images, y_true, verbose=0).history
