"""Photographs on a Ray cluster: what an actor does, and, where there is time, two nodes of which one dies."""

import threading
import time

import cv2
import numpy as np
import pytest
import skimage.data

import keras_saliency as ks
from keras_saliency.serving import on_ray
from keras_saliency.serving.on_ray import predict_on_ray
from keras_saliency.serving.photographs import MAPS, find_images, plan

pyarrow = pytest.importorskip("pyarrow.parquet")


@pytest.fixture(scope="module")
def model(tiny_backbone, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.keras"
    ks.create_model(backbone=tiny_backbone, weights=None, area=96 * 128).save(path)
    return path


def fill(folder, count):
    """Photographs of many sizes, and one that is none."""
    folder.mkdir()
    image = skimage.data.coffee()
    for i in range(count):
        cv2.imwrite(str(folder / f"{i:03}.png"), image[i : 200 + 2 * i, : 300 + i])
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff broken")
    return folder


class Here:
    """Ray Data, as far as it is used, in this process."""

    def __init__(self, monkeypatch):
        monkeypatch.setattr(on_ray, "connect", lambda address: None)
        monkeypatch.setattr(on_ray, "hold_to", lambda cores: None)
        monkeypatch.setattr(on_ray, "_computed", self.computed)
        self.batches = 0

    def computed(self, ray, model, missing, settings, parquet, cores):
        for start in range(0, len(missing), 4):
            self.batches += 1
            actor = on_ray._Predictor(model, settings, parquet, "job", cores)  # each may have one of its own
            some = missing[start : start + 4]
            groups = np.empty(len(some), object)
            groups[:] = [[*map(str, group)] for _, group in some]
            rows = actor({"photograph": np.array([str(path) for path, _ in some], object), "files": groups})
            yield from (dict(zip(rows, row, strict=True)) for row in zip(*rows.values(), strict=True))


def test_actors_write_what_predict_writes(model, tmp_path, monkeypatch):
    here, folder = Here(monkeypatch), fill(tmp_path / "photographs", 6)
    seen = []
    predicted = predict_on_ray(
        model, folder, tmp_path / "ray", log_density=True, progress=lambda *numbers: seen.append(numbers)
    )
    alone = ks.predict(model, folder, tmp_path / "alone", log_density=True, verbose=False)
    assert len(predicted.written) == 6 and seen == [(i + 1, 7) for i in range(7)]
    assert predicted.skipped == alone.skipped and "broken.jpg: the image cannot be decoded" in predicted.skipped[0]
    for path in (tmp_path / "alone").iterdir():
        assert (tmp_path / "ray" / path.name).read_bytes() == path.read_bytes()
    with pytest.raises(FileExistsError, match="exists already"):
        predict_on_ray(model, folder, tmp_path / "ray")
    before, here.batches = (tmp_path / "ray" / "003_saliency.png").stat().st_mtime_ns, 0
    (tmp_path / "ray" / "004_saliency.png").unlink()
    again = predict_on_ray(model, folder, tmp_path / "ray", log_density=True, existing="resume")
    assert again.written == predicted.written and again.skipped == predicted.skipped and here.batches == 1
    assert (tmp_path / "ray" / "003_saliency.png").stat().st_mtime_ns == before


def test_parquet_has_a_row_for_every_photograph(model, tmp_path, monkeypatch):
    here, folder = Here(monkeypatch), fill(tmp_path / "photographs", 6)
    predicted = predict_on_ray(model, folder, tmp_path / "ray", log_density=True, parquet=True)
    assert len(predicted.written) == here.batches == 2 and len(predicted.skipped) == 1
    rows = [row for file in predicted.written for row in pyarrow.read_table(file).to_pylist()]
    assert sorted(row["photograph"] for row in rows) == sorted(map(str, folder.iterdir()))
    alone = ks.predict(model, folder, tmp_path / "alone", log_density=True, verbose=False)
    for row in rows:
        if row["error"]:
            assert "broken.jpg" in row["photograph"] and row["saliency_png"] is None
            continue
        name = row["photograph"].rpartition("/")[2].removesuffix(".png")
        assert row["saliency_png"] == (tmp_path / "alone" / f"{name}_saliency.png").read_bytes()
        assert row["log_density_npy"] == (tmp_path / "alone" / f"{name}_log_density.npy").read_bytes()
    assert len(alone.written) == len(rows) - 1
    with pytest.raises(FileExistsError, match="has Parquet files already"):
        predict_on_ray(model, folder, tmp_path / "ray", parquet=True)
    with pytest.raises(ValueError, match="Parquet files are not replaced"):
        predict_on_ray(model, folder, tmp_path / "ray", parquet=True, existing="overwrite")
    # What a lost machine was writing is not read, and what failed is tried again.
    (tmp_path / "ray" / ".part.x.parquet").write_bytes(b"PAR1 torn")
    here.batches = 0
    again = predict_on_ray(model, folder, tmp_path / "ray", log_density=True, parquet=True, existing="resume")
    assert again == predicted and here.batches == 1
    # A batch that a lost machine has written is taken as it is.
    actor = on_ray._Predictor(model, {"log_density": True}, tmp_path / "ray", "job", 1)
    monkeypatch.setattr(on_ray, "predict_planned", lambda *arguments, **options: pytest.fail("computed again"))
    planned = plan(find_images([folder]), tmp_path / "ray", MAPS, "resume")[:4]
    found = actor._into_parquet([str(path) for path, _ in planned], [group for _, group in planned])
    assert len(found) == 4


def test_what_cannot_be_is_said_before_machines_are_asked(model, tmp_path, monkeypatch):
    Here(monkeypatch)
    folder = fill(tmp_path / "photographs", 2)
    monkeypatch.setattr(on_ray, "connect", lambda address: pytest.fail("a cluster was asked for"))
    for given, message in (
        ({"existing": "typo"}, "Unknown existing='typo'"),
        ({"size": (64, 0)}, r"size must be \(height, width\) in pixels"),
    ):
        with pytest.raises(ValueError, match=message):
            predict_on_ray(model, folder, tmp_path / "ray", **given)
    monkeypatch.undo()
    Here(monkeypatch)
    predict_on_ray(model, folder, tmp_path / "ray", parquet=True)
    with pytest.raises(ValueError, match="has no log-densities, which are asked for"):
        predict_on_ray(model, folder, tmp_path / "ray", parquet=True, existing="resume", log_density=True)
    (tmp_path / "ray" / "other.parquet").write_bytes(b"something else")
    with pytest.raises(ValueError, match=r"other.parquet cannot be used .* Choose another folder"):
        predict_on_ray(model, folder, tmp_path / "ray", parquet=True, existing="resume")


@pytest.mark.slow
def test_photographs_survive_the_death_of_a_node(tmp_path):
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    folder, out = fill(tmp_path / "photographs", 200), tmp_path / "ray"
    model = tmp_path / "model.keras"  # of layers that the processes of the cluster know, too
    ks.create_model("multilevel", backbone="efficientnet-lite0", weights=None, width=0.125, area=96 * 128).save(model)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    second = cluster.add_node(num_cpus=1)
    ray.init(address=cluster.address, log_to_driver=False)

    def kill():
        deadline = time.monotonic() + 240
        while len(list(out.glob("*_saliency.png"))) < 60 and time.monotonic() < deadline:
            time.sleep(0.05)
        cluster.remove_node(second, allow_graceful=False)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        with pytest.raises(ValueError, match="No machine of the cluster has 3 cores, 1 at most"):
            predict_on_ray(model, folder, out, cores=3)
        predicted = predict_on_ray(model, folder, out, log_density=True)
    finally:
        killer.join()
        ray.shutdown()
        cluster.shutdown()
    assert len(predicted.written) == 200 and len(predicted.skipped) == 1
    ks.predict(model, folder, tmp_path / "alone", log_density=True, verbose=False)
    for path in (tmp_path / "alone").iterdir():
        assert (out / path.name).read_bytes() == path.read_bytes()
