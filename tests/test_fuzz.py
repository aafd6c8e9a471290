"""Hostile files and settings end nothing, take no more than they may, and are refused in one line."""

from conftest import REPOSITORY


def test_hostile_inputs_are_refused_or_make_sense(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(REPOSITORY / "scripts")
    from fuzzing import run
    from fuzzing.kinds import KINDS

    results = run.run(list(KINDS), 120, seed=1, keep=tmp_path)
    assert sum(result.inputs for result in results) == 120
    assert not {result.kind: result.failures for result in results if result.failures}
    assert all(result.accepted and result.refused for result in results)
