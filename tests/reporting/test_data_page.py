import dataclasses

import cv2
import numpy as np
import pytest
from PIL import Image

from keras_saliency.data import DataSet, Fixations, Sample, Samples
from keras_saliency.data.doctor import Finding
from keras_saliency.reporting import data_page

MAP = np.outer(np.hanning(30), np.hanning(40))


@pytest.fixture
def drawn(monkeypatch):
    """The axes of the figures that are written, by what stands in them."""
    figures = []
    save = data_page.save

    def keep(figure, path):
        figures.append(figure)
        save(figure, path)

    monkeypatch.setattr(data_page, "save", keep)
    return figures


def texts(figure):
    return " ".join(
        text for axis in figure.axes for text in (axis.get_title(), *(text.get_text() for text in axis.texts))
    )


def changed(data, change):
    splits = {
        part: Samples([change(sample) for sample in getattr(data, part)]) for part in ("train", "validation", "test")
    }
    return DataSet("changed", **splits)


def test_the_page_shows_all_that_is_known(tiny, drawn, tmp_path):
    def with_durations(sample):
        fixations = dataclasses.replace(sample.fixations, duration=np.full(len(sample.fixations), 0.25))
        return dataclasses.replace(sample, fixations=fixations)

    data_page.plot_data(tmp_path / "page.png", changed(tiny, with_durations), np.array([1.0, 2.0, 3.0]))
    assert Image.open(tmp_path / "page.png").size == (1540, 1100)
    said = texts(drawn[0])
    for known in (
        "counts, mean 8",
        "durations, mean 0.25",
        "onsets, mean 1.05",
        "agreement, mean 2",
        "768 in 8 images",
    ):
        assert known in said.replace("\n", " ")
    assert "No " not in said
    assert len(drawn[0].axes) == 12  # the panels, and the colours of positions


def test_what_is_not_known_is_said_in_its_place(tiny, drawn, tmp_path):
    def alone(sample):
        fixations, zeros = sample.fixations, np.zeros(len(sample.fixations))
        return dataclasses.replace(sample, fixations=Fixations(fixations.x, fixations.y, zeros.astype(int), zeros))

    data_page.plot_data(tmp_path / "page.png", changed(tiny, alone), np.empty(0))
    said = texts(drawn[0])
    for reason in ("No durations.", "No times.", "No image that two observers have seen"):
        assert reason in said
    assert len(drawn[0].axes) == 11


def test_density_maps_are_shown_for_what_they_are(tiny, drawn, tmp_path):
    cv2.imwrite(str(tmp_path / "map.png"), 255 * cv2.resize(MAP, (160, 120)))

    def without_fixations(sample):
        nothing = Fixations.from_rows([])
        return Sample(sample.name, sample.image, sample.size, nothing, sample.sigma, ground_truth=tmp_path / "map.png")

    data_page.plot_data(tmp_path / "page.png", changed(tiny, without_fixations), np.empty(0))
    said = texts(drawn[0])
    assert "density map" in said and "No fixations" in said and "images of each split" in said


def test_a_picture_of_a_finding_has_room_for_what_is_outside(tiny, drawn, tmp_path):
    sample = tiny.train[0]
    fixations = dataclasses.replace(sample.fixations, outside=np.array([[-30.0, 50.0], [1e9, 20.0], [np.nan, 3.0]]))
    shown = dataclasses.replace(sample, fixations=fixations)
    finding = Finding("fixations outside", 2, 98, "fixations", ("-30",), "Look.", (shown, sample))
    data_page.plot_finding(tmp_path / "finding.png", finding)
    wide, plain = drawn[0].axes
    assert wide.get_xlim()[0] < -30 and 160 < wide.get_xlim()[1] <= 2.1 * 160
    assert plain.get_xlim() == (0, 160) and plain.get_ylim() == (120, 0)
