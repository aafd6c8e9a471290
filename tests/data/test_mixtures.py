import collections
import dataclasses

import keras
import numpy as np
import pytest

import keras_saliency as ks
from keras_saliency.data import DataSet, Samples, splits, synthetic
from keras_saliency.data.mixtures import with_blur, with_few


@pytest.fixture(scope="module")
def other():
    made = synthetic.read(seed=1, splits={"train": 6, "validation": 3, "test": 3})
    return dataclasses.replace(with_blur(dataclasses.replace(made, pixels_per_degree=7.0), 0.5), skipped=("one line",))


def names_of(samples):
    return [sample.name for sample in samples]


def test_a_mixture_has_all_samples_each_with_its_own_blur_and_number(tiny, other):
    mixed = ks.data.mix({"one": tiny, "two": other})
    assert mixed.name == "one+two" and mixed.skipped == ("two: one line",) and mixed.pixels_per_degree is None
    for part in splits.PARTS:
        wanted = [f"{name}/{s.name}" for name, data in (("one", tiny), ("two", other)) for s in getattr(data, part)]
        assert names_of(getattr(mixed, part)) == wanted
    assert {(sample.data_set, sample.sigma) for sample in mixed.train} == {(0, 5.0), (1, 3.5)}
    # Scores are comparable: what is trained on is blurred, and not what is tested on.
    assert {sample.sigma for sample in mixed.test} == {5.0}
    batches = [numbers for (_, numbers), _ in mixed.train.pipeline((24, 32), batch=4, numbered=True)]
    assert np.concatenate(batches).tolist() == [0] * 8 + [1] * 6


def test_weights_say_how_often_an_image_is_shown(tiny, other):
    mixed = ks.data.mix({"one": tiny, "two": other}, {"one": 0.5, "two": 2.5})
    assert mixed.train.draws == 4 + 15 and tiny.train.draws == 8

    def shown(**options):
        pipeline = mixed.train.pipeline((24, 32), batch=1, shuffle=True, numbered=True, **options)
        return [(int(number[0]), float(np.mean(image))) for (image, number), _ in pipeline]

    epoch = shown(epoch=0)
    assert collections.Counter(number for number, _ in epoch) == {0: 4, 1: 15}
    # No image is shown again before the others have been.
    assert len({mean for number, mean in epoch if number == 0}) == 4
    assert set(collections.Counter(mean for number, mean in epoch if number == 1).values()) <= {2, 3}
    assert epoch == shown(epoch=0) != shown(epoch=1)
    halves = {frozenset(mean for number, mean in shown(epoch=i) if number == 0) for i in range(4)}
    assert len(halves) > 1
    # In order, each is shown once.
    assert len(list(mixed.validation.pipeline((24, 32), batch=1))) == 7


def test_a_model_is_given_the_number_of_the_data_set(tiny, other):
    mixed = ks.data.mix({"one": tiny, "two": other})
    image, number = keras.Input((24, 32, 3)), keras.Input((), dtype="int32")
    bias = keras.layers.Reshape((24, 32, 1))(keras.layers.Embedding(2, 24 * 32)(number))
    model = keras.Model([image, number], keras.layers.Conv2D(1, 3, padding="same")(image) * 0.001 + bias)
    model.compile("adam", loss=ks.losses.NLL(from_logits=True))
    history = model.fit(mixed.train.pipeline((24, 32), batch=4, shuffle=True, numbered=True), verbose=0).history
    assert np.isfinite(history["loss"]).all()


@pytest.mark.slow
def test_a_recipe_trains_on_a_mixture(eager, tiny, other, tiny_backbone, tmp_path):
    recipe = ks.Recipe(
        name="mixed",
        data=("one", "two"),
        data_weights={"two": 2.0},
        model=ks.training.recipe.Model(backbone=tiny_backbone, weights=None),
        loss={"kld": 1.0},
        size=(48, 64),
        batch=4,
        epochs=1,
        freeze_backbone=False,
        augment={"crop": 0.2, "rotation": 5.0},
    )
    run = ks.train(recipe, {"one": tiny, "two": other}, tmp_path / "run", verbose=False)
    assert run.result["data"] == "one+two" and run.result["images"] == 7
    assert set(run.result["baselines"]) == {"uniform", "centre_bias", "gold_standard", "truth"}


def test_few_images_are_drawn_by_the_seed(tiny):
    few = with_few(tiny, 3, seed=1)
    assert len(few.train) == 3 and few.test is tiny.test
    assert set(names_of(few.train)) < set(names_of(tiny.train))
    assert names_of(with_few(tiny, 3, seed=1).train) == names_of(few.train)
    assert any(names_of(with_few(tiny, 3, seed=i).train) != names_of(few.train) for i in range(4))
    with pytest.raises(ValueError, match="synthetic has 8 training images. Received: images=9"):
        with_few(tiny, 9, seed=1)


def test_every_fold_tests_others_and_all_are_tested(tiny):
    folds = ks.data.k_fold(tiny, 4)
    tested = [name for fold in folds for name in names_of(fold.test)]
    assert sorted(tested) == sorted(name for part in splits.PARTS for name in names_of(getattr(tiny, part)))
    assert [len(fold.test) for fold in folds] == [4] * 4
    for fold in folds:
        parts = [set(names_of(getattr(fold, part))) for part in splits.PARTS]
        assert sum(map(len, parts)) == 16 == len(set.union(*parts))
    # Whatever the order of the samples.
    backwards = dataclasses.replace(tiny, train=Samples(tiny.train.samples[::-1]))
    assert [set(names_of(fold.test)) for fold in ks.data.k_fold(backwards, 4)] == [set(names_of(f.test)) for f in folds]


def test_what_belongs_together_is_in_one_fold(tiny):
    def pair(samples, offset):
        return Samples([dataclasses.replace(s, group=f"scene {(i + offset) // 2}") for i, s in enumerate(samples)])

    data = DataSet("pairs", pair(tiny.train, 0), pair(tiny.validation, 8), pair(tiny.test, 12))
    for fold in ks.data.k_fold(data, 4):
        groups = [{sample.group for sample in getattr(fold, part)} for part in splits.PARTS]
        assert sum(map(len, groups)) == len(set.union(*groups)) == 8


def test_leave_one_out_tests_on_all_of_what_was_left_out(tiny, other):
    found = dict(ks.data.leave_one_out({"one": tiny, "two": other}))
    assert names_of(found["one"].train) == [f"two/{sample.name}" for sample in other.train]
    assert len(found["one"].test) == 16 and len(found["two"].test) == 12


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda tiny: ks.data.mix({}), "at least one data set"),
        (lambda tiny: ks.data.mix({"one": tiny}, {"two": 1.0}), "above zero for one. Received: two=1.0"),
        (lambda tiny: ks.data.mix({"one": tiny}, {"one": 0.0}), "above zero for one. Received: one=0.0"),
        (lambda tiny: ks.data.k_fold(tiny, 2), "from 3 to the number of images or groups, 16. Received: 2"),
        (lambda tiny: ks.data.k_fold(tiny, 17), "from 3 to the number of images or groups, 16. Received: 17"),
        (lambda tiny: list(ks.data.leave_one_out({"one": tiny})), "needs two data sets at least. Received: one"),
        (lambda tiny: with_blur(tiny, 1.0), "The visual angle of synthetic is unknown"),
    ],
)
def test_what_makes_no_sense_is_named(make, message, tiny):
    with pytest.raises(ValueError, match=message):
        make(tiny)
