"""Frames of videos are scored as images, averaged by video, and resampled as whole videos."""

import dataclasses
import itertools
import json

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from keras_saliency import evaluation
from keras_saliency.data import Samples, synthetic_video
from keras_saliency.evaluation.map_files import Prediction
from keras_saliency.evaluation.report import write_evaluation
from keras_saliency.reporting import tables
from keras_saliency.reporting.samples import samples_to_show
from keras_saliency.reporting.statistics import Videos, compare, interval, ratio


class Noise:
    """A map for each image by its group, so that equal frames have equal maps."""

    def __init__(self, name="noise", seed=0):
        self.name, self.seed, self.asked = name, seed, []

    def predictions(self, samples):
        for sample in samples:
            self.asked.append(sample.name)
            number = int(sample.group.rpartition("-")[2])
            values = np.random.default_rng([self.seed, number]).random(sample.size)
            yield Prediction(gaussian_filter(values, 4), False, False)


def as_videos(data, lengths):
    """Videos whose frames are all the same image with the same fixations."""

    def repeated(samples):
        return Samples(
            [
                dataclasses.replace(sample, name=f"{sample.name}/{i + 1:03d}", group=sample.name, frame=i + 1)
                for number, sample in enumerate(samples)
                for i in range(lengths[number % len(lengths)])
            ],
            samples.pixels_per_degree,
        )

    return dataclasses.replace(data, **{part: repeated(samples) for part, samples in data.splits.items()})


def evaluate(sources, data, **options):
    return evaluation.evaluate(sources, data, verbose=False, **options)


@pytest.fixture(scope="module")
def videos():
    """Videos, in each of which nobody has looked yet in the first frame."""
    return synthetic_video.read(splits={"train": 2, "validation": 2, "test": 3})


@pytest.mark.parametrize(
    ("average", "convention"),
    [("video", "tuebingen"), ("frame", "tuebingen"), pytest.param("video", "mit", marks=pytest.mark.slow)],
)
def test_a_video_of_equal_frames_scores_as_its_image(tiny, average, convention):
    images = evaluate([Noise()], tiny, convention=convention)
    scored = evaluate([Noise()], as_videos(tiny, [3]), convention=convention, average=average)
    assert scored.per_image["noise"][0] == scored.per_image["noise"][1] == scored.per_image["noise"][2]
    assert images.summary.keys() == scored.summary.keys()
    for one, other in ((images.summary, scored.summary), (images.fair_summary, scored.fair_summary)):
        for row, values in one.items():
            for name, value in values.items():
                for end in ("mean", "low", "high"):
                    found = other[row][name][end]
                    assert found == (value[end] if value[end] is None else pytest.approx(value[end], rel=1e-6)), name
    for row, curve in images.curves.items():
        np.testing.assert_allclose(scored.curves[row], curve, atol=1e-6)


def test_means_over_videos_and_over_frames_are_those(videos):
    tested = list(videos.test)
    uneven = dataclasses.replace(videos, test=Samples([*tested[:16], *tested[16:20], *tested[32:42]]))
    by_video, by_frame = (evaluate([Noise()], uneven, average=average) for average in ("video", "frame"))
    assert by_video.per_image == by_frame.per_image
    for name in ("auc", "sauc", "nss", "cc", "kld", "sim", "ig"):
        values = np.array([row[name] for row in by_video.per_image["noise"]])
        assert len(values) == 15 + 3 + 9
        means = [values[:15].mean(), values[15:18].mean(), values[18:].mean()]
        assert by_video.summary["noise"][name]["mean"] == pytest.approx(np.mean(means), rel=1e-12)
        assert by_frame.summary["noise"][name]["mean"] == pytest.approx(values.mean(), rel=1e-12)
        for scored in (by_video, by_frame):
            found = scored.summary["noise"][name]
            assert min(means) - 1e-9 <= found["low"] <= found["mean"] <= found["high"] <= max(means) + 1e-9
    assert by_video.provenance["averaging"] == "per video" and by_frame.provenance["averaging"] == "per frame"
    assert by_video.provenance["resampled"] == by_frame.provenance["resampled"] == "videos"
    for row, curve in by_frame.curves.items():
        assert curve[-1] == by_video.curves[row][-1] == pytest.approx(1), row


def test_both_means_are_one_where_videos_are_as_long(videos):
    by_video, by_frame = (evaluate([Noise()], videos, average=average) for average in ("video", "frame"))
    for row, values in by_video.summary.items():
        for name, value in values.items():
            for end in ("mean", "low", "high"):
                found = by_frame.summary[row][name][end]
                assert found == (None if value[end] is None else pytest.approx(value[end], rel=1e-9, abs=1e-12))


@pytest.mark.parametrize("average", ["video", "frame"])
def test_the_order_of_videos_changes_nothing(videos, average):
    frames = list(videos.test)
    turned = dataclasses.replace(videos, test=Samples([*frames[32:], *frames[:16], *frames[16:32]]))
    sources = [Noise(), Noise("other", 1)]
    one, other = (evaluate(sources, data, average=average) for data in (videos, turned))
    assert (one.summary, one.fair_summary) == (other.summary, other.fair_summary)
    compared = [compare(scored.per_image, "other", "noise", scored.videos) for scored in (one, other)]
    assert compared[0] == compared[1] and compared[0]["nss"]["low"] < compared[0]["nss"]["high"]


def test_frames_without_fixations_are_predicted_left_out_and_counted(videos, tmp_path):
    source = Noise()
    scored = evaluate([source, Noise("other", 1)], videos, out=tmp_path / "out")
    assert source.asked[:48] == [sample.name for sample in videos.test]  # a network sees all of a video
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    known = {"videos": 3, "images": 45, "frames_without_fixations": 3, "averaging": "per video", "resampled": "videos"}
    assert known.items() <= result.items()
    assert result["scores"]["noise"]["nss"]["mean"] is not None and scored.fair["truth"]
    assert all(len(rows) == 45 for rows in scored.per_image.values())
    report = (tmp_path / "out" / "report.md").read_text()
    for said in (
        "45 frames of 3 videos with 540 fixations",
        "averaged per video",
        "3 frames without fixations are left out of what needs them",
        "intervals over videos, whose frames are not independent",
        "the fixations of all other videos of the split",
        "Paired over videos, with 95 % bootstrap intervals",
        "figures/roc.png",
    ):
        assert said in report, said
    lines = (tmp_path / "out" / "per_image.csv").read_text().splitlines()
    assert not [line for line in lines if "/0001," in line] and [line for line in lines if "/0002," in line]


def test_a_frame_is_shown_as_it_was_predicted_after_all_before_it(videos):
    class Remembers(Noise):
        """A map that depends on how many frames of the video came before."""

        follows_frames = True

        def predictions(self, samples):
            for sample, before in zip(samples, itertools.count()):
                rng = np.random.default_rng([int(sample.group[-4:]), before % synthetic_video.LENGTH])
                yield Prediction(gaussian_filter(rng.random(sample.size), 4), False, False)

    source = Remembers()
    scored = evaluate([source], videos)
    predicted = {sample.name: map_ for sample, map_ in zip(videos.test, source.predictions(videos.test), strict=True)}
    rows = samples_to_show(videos.test, source, scored)
    assert len(rows) == 6
    for title, image, fixations, _, map_ in rows:
        name = title.split(",")[0].split(": ")[1]
        (sample,) = (sample for sample in videos.test if sample.name == name)
        assert len(fixations) and (image == sample.read()).all()
        np.testing.assert_array_equal(map_, predicted[name].values)


def test_where_a_map_is_known_and_nobody_looked_it_counts_for_what_needs_no_fixations(videos, tmp_path):
    np.save(tmp_path / "map.npy", gaussian_filter(np.random.default_rng(0).random(synthetic_video.SIZE), 5))
    mapped = Samples([dataclasses.replace(sample, ground_truth=tmp_path / "map.npy") for sample in videos.test])
    scored = evaluate([Noise()], dataclasses.replace(videos, test=mapped))
    rows = scored.per_image["noise"]
    assert len(rows) == 48 and np.isnan(rows[0]["nss"]) and np.isfinite(rows[0]["cc"])
    fixated = [row["nss"] for row in rows if np.isfinite(row["nss"])]
    assert len(fixated) == 45 and scored.summary["noise"]["nss"]["mean"] == pytest.approx(np.mean(fixated))
    assert scored.summary["noise"]["cc"]["mean"] == pytest.approx(np.mean([row["cc"] for row in rows]))
    assert scored.provenance["frames_without_fixations"] == 3


def test_frames_of_its_own_video_are_no_negatives(videos):
    others = evaluation.OtherFixations(videos.test)
    expected = sum(sample.fixations.counts(sample.size) for sample in videos.test[16:])
    np.testing.assert_array_equal(others.counts(videos.test[3]), expected)
    np.testing.assert_array_equal(others.counts(videos.test[0]), expected)


def test_what_motion_adds_is_what_evaluation_says(videos):
    """The best still model, scored beside the true density, is behind it by what is known."""

    class Still:
        name = "still"

        def predictions(self, samples):
            for sample in samples:
                scene = synthetic_video.scene(int(sample.group[-4:]))
                yield Prediction(np.log(synthetic_video.frame(scene, sample.frame - 1).still), True, False)

    rows = evaluate([Still()], videos).summary
    gains = []
    for sample in videos.test.usable:
        still = synthetic_video.frame(synthetic_video.scene(int(sample.group[-4:])), sample.frame - 1).still
        gains.append(np.sum(sample.density * np.log2(sample.density / still)))
    means = np.reshape(gains, (3, 15)).mean(1)
    found = rows["truth"]["known_information"]["mean"], rows["still"]["known_information"]["mean"]
    assert found[0] == 1 and found[1] < 0.7
    assert rows["truth"]["ig"]["mean"] - rows["still"]["ig"]["mean"] == pytest.approx(means.mean(), abs=0.3)


def test_images_with_groups_are_averaged_as_before(tiny):
    grouped = {
        part: Samples([dataclasses.replace(sample, group="one") for sample in samples])
        for part, samples in tiny.splits.items()
    }
    source = type("Same", (Noise,), {"predictions": lambda self, samples: map(self.made, samples)})()
    source.made = lambda sample: Prediction(np.random.default_rng(len(sample.image)).random(sample.size), False, False)
    one, other = (evaluate([source], data) for data in (tiny, dataclasses.replace(tiny, **grouped)))
    assert (one.summary, one.fair_summary) == (other.summary, other.fair_summary)
    assert other.videos is None and other.provenance["averaging"] == "per image"
    assert not {"videos", "resampled", "frames_without_fixations"} & {*other.provenance}
    assert "over images" in tables.describe(other)
    beside = dataclasses.replace(as_videos(tiny, [2]), test=grouped["test"])
    assert evaluate([source], beside).videos is None


def test_what_cannot_be_averaged_is_said(tiny, videos):
    with pytest.raises(ValueError, match="Unknown average 'shot'. Known averages: video, frame"):
        evaluate([Noise()], videos, average="shot")
    with pytest.raises(ValueError, match="average is of frames of videos, and the test split of synthetic has none"):
        evaluate([Noise()], tiny, average="video")


def test_an_interval_of_frames_is_as_wide_as_videos_differ(rng):
    """Frames that are all alike add nothing: the interval is that of the videos."""
    of_video = rng.normal(0, 1, 30)
    names, values = np.repeat([f"{i:02d}" for i in range(30)], 50), np.repeat(of_video, 50)
    seen = np.zeros(1500, bool)
    expected = interval(of_video)
    for weighted in (False, True):
        assert interval(values, Videos(names, weighted, seen)) == pytest.approx(expected)
    assert interval(values)["high"] - interval(values)["low"] < 0.2 * (expected["high"] - expected["low"])
    one = {"a": [{"nss": value} for value in values], "b": [{"nss": 0.0}] * 1500}
    many = compare(one, "a", "b", Videos(names, True, seen))["nss"]
    few = compare({"a": [{"nss": value} for value in of_video], "b": [{"nss": 0.0}] * 30}, "a", "b")["nss"]
    assert many["p"] == pytest.approx(few["p"], abs=0.02) and many["mean"] == pytest.approx(few["mean"])


def test_values_of_videos_that_are_not_defined(rng):
    names, unseen = np.array(["a", "a", "b", "b"]), np.array([True, False, False, False])
    for weighted, mean in ((False, (2 + 3.5) / 2), (True, 3)):
        videos = Videos(names, weighted, unseen)
        assert interval([np.nan, 2, 3, 4], videos)["mean"] == pytest.approx(mean)
        assert interval([1, np.nan, 3, 4], videos)["mean"] is None  # somebody looked there
        assert interval([np.nan] * 4, Videos(names, weighted, np.ones(4, bool)))["mean"] is None
        assert ratio([np.nan, 2, 3, 4], [np.nan, 4, 6, 8], "it", videos)["mean"] == pytest.approx(0.5)
        assert "not defined for 1 of 4" in ratio([1, 2, 3, 4], [1, np.nan, 3, 4], "it", videos)["reason"]
        alone = Videos(np.array(["a"] * 4), weighted, unseen)
        assert interval([1, 2, 3, 4], alone) == {"mean": 2.5, "low": None, "high": None}
        assert "there is one video alone" in ratio([1, 2, 3, 4], [1, 2, 3, 4], "it", alone)["reason"]
        assert np.sum(np.ones(4) / videos.divisors()) == pytest.approx(1)


def test_a_report_of_one_video_has_no_intervals(videos, tmp_path):
    alone = dataclasses.replace(videos, test=videos.test[:16])
    scored = evaluate([Noise()], alone)
    assert scored.summary["noise"]["nss"]["low"] is None and scored.summary["noise"]["sauc"]["mean"] == 0.5
    write_evaluation(tmp_path / "out", alone, [Noise()], scored)
    assert "15 frames of 1 videos" in (tmp_path / "out" / "report.md").read_text()
