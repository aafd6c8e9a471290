"""Requests that nobody should send harm nobody."""

import re

import pytest
from conftest import REPOSITORY
from running_server import running


@pytest.mark.parametrize("interface", ["REST", "gRPC"])
def test_hostile_requests_are_refused_and_good_ones_answered(interface, saved, monkeypatch):
    monkeypatch.syspath_prepend(REPOSITORY / "scripts")
    from fuzzing import serving
    from fuzzing.over_grpc import OverGrpc
    from fuzzing.over_rest import OverRest

    monkeypatch.setattr(serving, "SLOW", 20.0)  # Where tests run side by side, nothing is quick.
    with running(saved / "tiny") as (*_, said):
        ports = re.search(r"REST: http://.*:(?P<REST>\d+)/, gRPC: .*:(?P<gRPC>\d+)", said[-1])
        hostile = {"REST": OverRest, "gRPC": OverGrpc}[interface](int(ports[interface]), "tiny", seed=1)
        failures, good = serving.run(hostile, 6 * len(hostile.kinds))
    assert not failures and good
