"""A reduced study on a Ray cluster of two nodes, of which one dies."""

import dataclasses
import threading
import time

import pytest
from test_quest import BASE, STUDY, small  # noqa: F401

from keras_saliency.quest import bench
from keras_saliency.quest.runner import run_study
from keras_saliency.training.recipe import Model

pytestmark = pytest.mark.slow
# What the processes of a cluster know, too: they do not see what a test puts into a table.
REAL = dataclasses.replace(BASE, model=Model("multilevel", "efficientnet-lite0", None, width=0.125))


@pytest.fixture
def cluster():
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    cluster.second = cluster.add_node(num_cpus=1)
    ray.init(address=cluster.address, log_to_driver=False)
    yield cluster
    ray.shutdown()
    cluster.shutdown()


def test_cells_survive_the_death_of_a_node(cluster, small, tmp_path, capsys):  # noqa: F811
    study = dataclasses.replace(STUDY, base=REAL)

    def kill():
        deadline = time.monotonic() + 120
        while len(list((tmp_path / "results").glob("*.json"))) < 2 and time.monotonic() < deadline:
            time.sleep(0.1)
        cluster.remove_node(cluster.second, allow_graceful=False)

    killer = threading.Thread(target=kill)
    killer.start()
    results = run_study(study, tmp_path, small, on="ray")
    killer.join()
    cells, waiting = study.cells(results.found)
    assert not waiting and {cell.key for cell in cells} == set(results.found) and len(cells) == 6
    assert all(len(result["history"]) == 1 for result in results.found.values())
    assert not list((tmp_path / "work").glob("*/model.keras"))
    printed = capsys.readouterr().out
    assert printed.count("done: ") == 6 and "not finished" not in printed
    assert "done: " not in (run_study(study, tmp_path, small, on="ray"), capsys.readouterr().out)[1]
    # One process makes the same of the same cell.
    assert isinstance(alone := bench.Bench(tmp_path / "alone", small).run(cells[0]), dict)
    assert alone["history"][0]["val_loss"] == pytest.approx(results.found[cells[0].key]["history"][0]["val_loss"], 1e-4)
