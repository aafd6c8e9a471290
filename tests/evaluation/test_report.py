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
