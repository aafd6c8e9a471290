import importlib
import pkgutil

import archives
import pytest

import keras_saliency as ks
from keras_saliency.data import FACTS, splits
from keras_saliency.data.published import PUBLISHED, SUBMITTED

# The convention is told in archives/__init__.py.
NAMES = [info.name for info in pkgutil.iter_modules(archives.__path__)]
ARCHIVES = {name.replace("_", "-"): importlib.import_module(f"archives.{name}") for name in NAMES}
FAULTS = [(name, fault) for name, archive in ARCHIVES.items() for fault in getattr(archive, "FAULTS", ())]


def load(name, directory, **options):
    return ks.data.load(name, directory, **{**getattr(ARCHIVES[name], "OPTIONS", {}), **options})


def all_samples(data):
    return [sample for part in splits.PARTS for sample in getattr(data, part)]


def test_every_data_set_has_its_facts_and_its_archive():
    assert {*PUBLISHED, *SUBMITTED} == {*FACTS}
    assert {*ARCHIVES} == {*PUBLISHED} - {"osie", "osie-mouse", "scene"}  # these are read as they are
    for name, facts in FACTS.items():
        assert facts.licence and facts.address.startswith("http"), name
        assert all(archive.md5 is None or len(archive.md5) == 32 for archive in facts.archives), name


@pytest.mark.parametrize("name", ARCHIVES)
def test_each_fixation_is_on_its_bright_pixel(name, tmp_path):
    archive = ARCHIVES[name]
    archive.write(tmp_path)
    data = load(name, tmp_path)
    assert data.name == name and data.facts.licence
    samples = all_samples(data)
    found = {}
    for sample in samples:
        rows, columns = sample.fixations.pixels()
        found[sample.name] = list(zip(columns.tolist(), rows.tolist(), strict=True))
        image = sample.read()
        assert (image[rows, columns] > 200).all(), sample.name
        assert (image > 100).all(2).sum() == len(set(found[sample.name]))
    assert found == archive.EXPECTED
    assert len(samples) == len(found)  # no image is in two splits
    lines = getattr(archive, "SKIPPED", ())
    assert len(data.skipped) == len(lines) and all(map(str.__contains__, data.skipped, lines)), data.skipped


@pytest.mark.parametrize(("name", "fault"), FAULTS)
def test_what_is_wrong_is_one_error_that_names_it(name, fault, tmp_path):
    archive = ARCHIVES[name]
    archive.write(tmp_path)
    spoil, message = archive.FAULTS[fault]
    spoil(tmp_path)
    with pytest.raises((ValueError, FileNotFoundError), match=message) as error:
        load(name, tmp_path)
    assert "\n" not in str(error.value)
