"""Requests that nobody should send harm nobody."""

from conftest import REPOSITORY
from running_server import running


def test_hostile_requests_are_refused_and_good_ones_answered(saved, monkeypatch):
    monkeypatch.syspath_prepend(REPOSITORY / "scripts")
    from fuzzing import serving

    monkeypatch.setattr(serving, "SLOW", 20.0)  # Where tests run side by side, nothing is quick.
    with running(saved / "tiny") as (client, *_):
        hostile = serving.Hostile(client.base_url.port, "tiny", seed=1)
        failures, good = serving.run(hostile, 6 * len(hostile.kinds))
    assert not failures and good
