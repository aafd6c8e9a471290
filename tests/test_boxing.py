"""How the models that come with the package are made: what they may see, and what the small one learns from."""

import dataclasses
import json
import sys

import keras
import numpy as np
import pytest
import rich.console
from conftest import REPOSITORY

import keras_saliency as ks
from keras_saliency.data import DataSet
from keras_saliency.data.samples import Samples
from keras_saliency.models.recording import recording_head_of, with_recording_head

sys.path.insert(0, str(REPOSITORY / "scripts"))
from boxing import distilling, trainings

CONSOLE = rich.console.Console(quiet=True)


@pytest.fixture
def sets(tiny):
    """Data sets by the names of the real ones; those of OSIE have the same photographs."""
    half = {part: Samples([*samples][::2]) for part, samples in tiny.splits.items()}
    other = {part: Samples([*samples][1::2]) for part, samples in tiny.splits.items()}
    osie, scene = (DataSet("one", *parts.values()) for parts in (half, other))
    return {"osie": osie, "osie-mouse": osie, "scene": scene, "eyevis": scene}


def test_what_is_held_out_is_not_trained_on(sets, tmp_path):
    trained, held = sets["osie"].train[0].name, sets["osie"].test[0].name
    for stage, images in (("first", [f"osie/{trained}"]), ("second", [f"osie-mouse/{trained}", f"scene/{held}"])):
        (tmp_path / stage).mkdir()
        seen = {"train": images, "validation": [f"osie/{sets['osie'].validation[0].name}"]}
        (tmp_path / stage / "images.json").write_text(json.dumps(seen))
    found = trainings.images_of([tmp_path], sets)
    assert found["train"] == [f"osie-mouse/{trained}", f"osie/{trained}", f"scene/{held}"]
    # Who has seen a part of an image has seen it.
    (tmp_path / "first" / "images.json").write_text(
        json.dumps({"train": [f"osie/{held}[10:60, 0:75]"], "validation": []})
    )
    with pytest.raises(ValueError, match=f"osie/{held} was trained on, and is held out. Delete the folder"):
        trainings.images_of([tmp_path], sets)
    # The mouse data of a photograph are held out with it.
    (tmp_path / "first" / "images.json").write_text(json.dumps({"train": [f"osie-mouse/{held}"], "validation": []}))
    with pytest.raises(ValueError, match=f"osie-mouse/{held} was trained on, and is held out. Delete the folder"):
        trainings.images_of([tmp_path], sets)


def test_one_photograph_in_two_data_sets_is_found(sets):
    trainings.require_unlike(sets)
    scene = dataclasses.replace(sets["scene"], train=Samples([*sets["scene"].train, sets["osie"].test[0]]))
    with pytest.raises(ValueError, match="are one photograph, held out and trained on"):
        trainings.require_unlike({**sets, "scene": scene})


def test_the_small_one_learns_the_maps_of_the_large_one(sets, tiny_backbone, tmp_path):
    keras.utils.set_random_seed(0)
    model = ks.create_model(backbone="tiny", weights=None, area=64 * 96)
    teacher = with_recording_head(model, ["osie", "scene"])
    for recording, weight in (("osie", 2.0), ("scene", 0.0), (None, 1.0)):
        head = recording_head_of(teacher)
        head.set({**head.numbers, "centre_weight": weight}, head.centre_bias_of(None), recording)
    page = dataclasses.replace(sets["scene"].train[0], name="page", size=(480, 100), density=None)
    data = {"osie": sets["osie"], "scene": dataclasses.replace(sets["scene"], train=Samples([page]))}
    folder = tmp_path / distilling.digest(teacher)
    found = distilling.distilled(data, teacher, folder, CONSOLE)
    assert found["scene"].train[0].ground_truth is None  # which is seen in several windows
    sample = found["osie"].train[0]
    expected = np.exp(ks.predict(ks.models.for_recording(teacher, "osie"), sample.read()))
    np.testing.assert_allclose(sample.read_ground_truth(), expected / expected.max(), atol=1e-3)
    assert found["osie"].validation is data["osie"].validation
    # A part of each photograph is shown alone, and has a map and fixations of its own.
    count = len(data["osie"].train)
    assert len(found["osie"].train) == 2 * count and len(found["scene"].train) == 1
    part = found["osie"].train[count]
    assert part.name.startswith(f"{sample.name}[") and part.group == sample.name
    top, left, *whole = part.window
    assert tuple(whole) == sample.size and 0.25 <= np.prod(part.size) / np.prod(sample.size) <= 0.64
    np.testing.assert_allclose(np.divide(*part.size), np.divide(*sample.size), rtol=0.02)
    seen = sample.read()[top : top + part.size[0], left : left + part.size[1]]
    np.testing.assert_array_equal(part.read(), seen)
    expected = np.exp(ks.predict(ks.models.for_recording(teacher, "osie"), seen))
    np.testing.assert_allclose(part.read_ground_truth(), expected / expected.max(), atol=1e-3)
    looked = [part.fixations.y.mean(), part.fixations.x.mean()]
    centre = [np.average(axis + 0.5, weights=expected) for axis in np.indices(part.size)]
    np.testing.assert_allclose(looked, centre, atol=0.04 * max(part.size))
    # What is there is not made again, and another teacher has another folder.
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("*.npy")}
    distilling.distilled(data, teacher, folder, CONSOLE)
    assert times and times == {path: path.stat().st_mtime_ns for path in folder.rglob("*.npy")}
    head.set({**head.numbers, "gain": 0.5}, head.centre_bias_of(None))
    assert distilling.digest(teacher) == folder.name
    head.set({**head.numbers, "gain": 0.5}, head.centre_bias_of("osie"), "osie")
    assert distilling.digest(teacher) != folder.name


def test_fixations_are_drawn_where_the_large_one_expects_them(sets, tiny_backbone):
    keras.utils.set_random_seed(0)
    teacher = with_recording_head(ks.create_model(backbone="tiny", weights=None, area=64 * 96))
    head = recording_head_of(teacher)
    head.set({**head.numbers, "gain": 0.0, "centre_weight": 1.0}, head.centre_bias_of(None))
    samples = distilling.as_predicted({"osie": sets["osie"].validation}, teacher, CONSOLE)
    places = samples.relative_fixations()
    np.testing.assert_allclose(places.mean(0), 0.5, atol=0.02)
    # A Gaussian of a quarter of each side, cut off where the picture ends.
    np.testing.assert_allclose(places.std(0), 0.22, atol=0.01)
