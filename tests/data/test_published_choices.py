"""What is chosen by an option or by a rule in the readers of published data sets, on their tiny archives."""

import numpy as np
import pytest
from archives import figrim as figrim_archive
from test_published import ARCHIVES, all_samples, load

from keras_saliency.data.published import figrim


def fixations(name, directory, **options):
    ARCHIVES[name].write(directory)
    return {sample.name: sample.fixations for sample in all_samples(load(name, directory, **options))}


def test_observers_and_order_are_those_of_the_file(tmp_path):
    for name, image, observers, times in (
        ("pascal-s", "1.jpg", [0, 0, 2, 2], [0, 1, 0, 1]),
        ("dut-omron", "sun_a.jpg", [2, 3, 3], [0, 0, 1]),
        ("koehler", "image_r_1.jpg", [0, 0, 1], [0, 1, 0]),
        ("toronto", "1.jpg", [0, 0, 0], [np.nan] * 3),  # which tells none
    ):
        found = fixations(name, tmp_path / name)[image]
        assert found.observer.tolist() == observers, name
        np.testing.assert_array_equal(found.time, times, name)
        assert np.isnan(found.duration).all()


@pytest.mark.parametrize("name", ["toronto", "cat2000"])
def test_maps_of_fixations_are_no_scanpaths(name, tmp_path):
    ARCHIVES[name].write(tmp_path)
    with pytest.raises(ValueError, match="the fixations of observer 0 have no order. Scanpaths need one"):
        load(name, tmp_path).samples.scanpaths()


def test_tasks_of_koehler_have_observers_and_facts_of_their_own(tmp_path):
    assert fixations("koehler", tmp_path, task="salview")["image_r_3.jpg"].observer.tolist() == [0, 0, 1, 1, 2, 2]
    assert load("koehler", tmp_path, task="salview").facts.task == "judgement of saliency"
    with pytest.raises(ValueError, match="Unknown task 'search'. Known tasks: freeview, objsearch, salview"):
        load("koehler", tmp_path, task="search")


def test_figrim_has_targets_and_fillers_and_what_was_seen_again(tmp_path):
    again = fixations("figrim", tmp_path, phase="rec")
    assert again["highway/sun_a.jpg"].pixels()[0].tolist() == [9, 9]
    assert load("figrim", tmp_path, phase="rec").facts.edition == "targets, rec"
    figrim_archive.write(tmp_path, "allImages_fillers.mat", "Fillers")
    fillers = load("figrim", tmp_path, images="fillers")
    assert all("Fillers" in str(sample.image) for sample in all_samples(fillers))
    assert (fillers.facts.edition, fillers.facts.images) == ("fillers", None)
    for option in ({"phase": "recall"}, {"images": "all"}):
        with pytest.raises(ValueError, match=r"Unknown (phase 'recall'|images 'all') of FIGRIM. Known: "):
            load("figrim", tmp_path, **option)


def test_targets_of_figrim_that_are_one_picture_are_on_one_side(tmp_path, monkeypatch):
    names = [f"sun_{i}.jpg" for i in range(40)]
    looked = {name: ("highway", [[(9, 9)]]) for name in names}
    monkeypatch.setattr(figrim_archive, "LOOKED", looked)
    monkeypatch.setattr(figrim, "TWINS", {names[i]: names[i + 20] for i in range(20)})
    figrim_archive.write(tmp_path)
    data = load("figrim", tmp_path)
    assert {sample.group for sample in data.train} < set(names)
    for part in (data.train, data.validation, data.test):
        numbers = {int(sample.name[12:-4]) % 20 for sample in part}
        assert len(part) == 2 * len(numbers)


def test_what_of_daemons_counts_is_an_option(tmp_path):
    def first(**options):
        return fixations("daemons", tmp_path, **options)["DAEMONS_flickr_corpus/alley.jpg"].time.tolist()

    assert first() == [0.2, 0.201, 0.2]
    assert first(forced=True) == [0, 0.2, 0.201, 0.2]
    assert first(blinks=True) == [0.15, 0.2, 0.201, 0.2]
    assert first(forced=True, blinks=True) == [0, 0.09, 0.15, 0.2, 0.201, 0.2]
    data = load("daemons", tmp_path, forced=True, blinks=True)
    assert not [line for line in data.skipped if "blink" in line or "marker" in line]
    assert data.pixels_per_degree == 60 and {sample.sigma for sample in all_samples(data)} == {60}
    assert all(np.all(sample.fixations.duration == 0.25) for sample in all_samples(data))


def test_official_splits_of_daemons(tmp_path):
    ARCHIVES["daemons"].write(tmp_path)
    data = load("daemons", tmp_path)
    assert {sample.name[:19] for sample in data.train} == {"DAEMONS_flickr_corp"}
    assert len(data.validation) == len(data.test) == 1
    # The image whose EXIF data would turn it is as it is stored.
    assert all(sample.read().shape == (90, 160, 3) for sample in all_samples(data))


def test_times_of_nusef_begin_with_the_first_fixation(tmp_path):
    found = fixations("nusef", tmp_path)["1001.jpg"]
    np.testing.assert_allclose(found.time, [0, 0.5, 0])
    np.testing.assert_allclose(found.duration, 0.234)
    assert found.observer.tolist() == [0, 0, 1]
