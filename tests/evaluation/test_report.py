"""What marks a report as complete is written last, and where nothing can be written is known first."""

import os
import types

import pytest

from keras_saliency import evaluation
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


def test_where_nothing_can_be_written_is_said_before_anything_is_scored(tiny, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setattr("keras_saliency.evaluation.run.score_split", lambda *args: pytest.fail("scored"))
    with pytest.raises(PermissionError, match="file/out cannot be written, for .*file cannot. Choose another --out"):
        evaluation.evaluate([], tiny, out=tmp_path / "file" / "out", verbose=False)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(PermissionError, match="Choose another --out"):
        evaluation.evaluate([], tiny, out=tmp_path / "deep" / "out", verbose=False)
