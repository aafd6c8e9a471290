"""What marks a report as complete is written last, and where nothing can be written is known first."""

import types

import pytest

from keras_saliency.evaluation import report

SCORED = types.SimpleNamespace(
    split="test", summary={}, fair_summary={}, per_image={}, fair={}, eight_bit={}, reference={}, provenance={}
)


def test_a_report_that_could_not_be_finished_has_no_result(tiny, tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise OSError("No space left on device")

    for name in ("write_per_image", "_draw", "_markdown"):
        with monkeypatch.context() as patched:
            for other in ("_draw", "_markdown"):
                patched.setattr(report, other, full if other == name else lambda *args: "")
            patched.setattr(report.tables, "write_per_image", full if name == "write_per_image" else lambda *args: None)
            with pytest.raises(OSError, match="No space left"):
                report.write_evaluation(tmp_path / name, tiny, [], SCORED)
            assert not (tmp_path / name / "result.json").exists()


def test_what_a_killed_evaluation_has_left_is_no_obstacle(tiny, tmp_path, monkeypatch):
    left = (
        "figures/roc.png",
        "figures/images_old.png",
        "figures/.part.images_a b.png",
        "per_image.csv",
        ".part.report.md",
    )
    for name in left:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.setattr(report, "_draw", lambda *args: None)
    monkeypatch.setattr(report, "_markdown", lambda *args: "")
    monkeypatch.setattr(report.tables, "write_per_image", lambda *args: None)
    mine = tmp_path / "figures" / "mine.png"
    mine.touch()
    with pytest.raises(FileExistsError, match="exists already. Choose another --out folder"):
        report.claim(tmp_path)
    mine.unlink()
    assert report.claim(tmp_path) == tmp_path and all((tmp_path / name).exists() for name in left)
    report.write_evaluation(tmp_path, tiny, [], SCORED)
    assert {path.name for path in tmp_path.rglob("*")} == {"figures", "report.md", "result.json"}
    with pytest.raises(FileExistsError, match="exists already"):  # It is complete.
        report.claim(tmp_path)
