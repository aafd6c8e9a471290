"""A server as its clients see it: one is started for all tests of this file."""

import asyncio
import concurrent.futures
import gzip
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import weakref

import grpc
import httpx
import numpy as np
import pytest
import serving_conformance as conformance
import tensorflow as tf
import test_doors as doors
from conftest import run_command
from running_server import running
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_log_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

import keras_saliency as ks
from keras_saliency.data import image_files
from keras_saliency.server.answering import Desk
from keras_saliency.server.batching import Batching
from keras_saliency.server.counting import Counts
from keras_saliency.server.opening import open_models
from keras_saliency.server.rest import application
from keras_saliency.server.versions import Model, Version

MEGABYTE = 2**20


@pytest.fixture(scope="module")
def server(saved):
    with running(saved / "tiny", largest=8 * MEGABYTE, poll=0.1) as found:
        yield found


@pytest.mark.parametrize("title", conformance.CASES)
def test_rest_answers_as_tensorflow_serving_does(title, server):
    assert conformance.fault(server[0], "tiny", "1", conformance.CASES[title]) is None


def request_of(*photographs, name="tiny", **spec):
    request = predict_pb2.PredictRequest(model_spec={"name": name, **spec})
    request.inputs["image_bytes"].CopyFrom(tf.make_tensor_proto([*photographs], tf.string))
    return request


def test_both_interfaces_answer_as_the_saved_model_does(server, saved):
    client, channel, _ = server
    data = [conformance.photograph(40, 70), conformance.photograph(90, 60, 1, "PNG")]
    expected = tf.saved_model.load(str(saved / "tiny" / "1")).signatures["serving_default"](tf.constant(data))
    rows = client.post("/v1/models/tiny:predict", json={"instances": [*map(conformance.b64, data)]}).json()
    answer = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(request_of(*data))
    assert (answer.model_spec.name, answer.model_spec.signature_name) == ("tiny", "serving_default")
    assert answer.model_spec.version.value == 1
    for name, values in expected.items():
        # JSON has as many digits as float32 needs, so that nothing is lost.
        np.testing.assert_array_equal(np.float32([row[name] for row in rows["predictions"]]), values)
        np.testing.assert_array_equal(tf.make_ndarray(answer.outputs[name]), values)
        # Some clients read the typed field alone.
        np.testing.assert_array_equal(np.float32(answer.outputs[name].float_val), np.ravel(values))
    answer = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(request_of(*data, signature_name="png"))
    assert [each[:4] for each in answer.outputs["saliency_png_bytes"].string_val] == [b"\x89PNG"] * 2


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        ({"name": "none"}, "NOT_FOUND", "Servable not found for request: Latest(none)"),
        ({"name": ""}, "INVALID_ARGUMENT", "ModelSpec has no name specified."),
        ({"version": {"value": 7}}, "NOT_FOUND", "Servable not found for request: Specific(tiny, 7)"),
        ({"version_label": "new"}, "INVALID_ARGUMENT", "Unrecognized servable version label: new"),
        ({"signature_name": "x"}, "FAILED_PRECONDITION", 'Serving signature key "x" not found.'),
    ],
)
def test_grpc_names_what_is_not_there(change, code, message, server):
    stub = prediction_service_pb2_grpc.PredictionServiceStub(server[1])
    with pytest.raises(grpc.RpcError) as error:
        stub.Predict(request_of(conformance.photograph(), **change))
    assert error.value.code().name == code and message in error.value.details()


def altered(change):
    request = request_of(conformance.photograph())
    change(request)
    return request


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r.inputs["other"].CopyFrom(r.inputs["image_bytes"]), "2!=1 len({image_bytes,other})"),
        (lambda r: r.inputs.clear(), "Missing but required: {image_bytes}."),
        (lambda r: r.output_filter.append("x"), "output tensor alias not found in signature: x"),
        (lambda r: r.output_filter.extend(["saliency"] * 2), "duplicate output tensor alias: saliency"),
        (lambda r: r.inputs["image_bytes"].CopyFrom(tf.make_tensor_proto([1.0])), "is DT_FLOAT; expected DT_STRING"),
        (lambda r: r.inputs["image_bytes"].CopyFrom(tf.make_tensor_proto("x")), "has the shape (); expected (any,)"),
        (lambda r: r.inputs["image_bytes"].tensor_shape.dim.add(size=2**40), "too large, or unknown"),
        (lambda r: r.inputs["image_bytes"].tensor_shape.dim.add(size=-1), "too large, or unknown"),
        (lambda r: setattr(r.inputs["image_bytes"], "dtype", 9999), "is 9999; expected DT_STRING"),
        (lambda r: r.inputs["image_bytes"].tensor_shape.dim.add(size=3), "has the shape (1, 3); expected (any,)"),
        (lambda r: r.inputs["image_bytes"].CopyFrom(tf.make_tensor_proto([b"no image"])), "Unknown image file format"),
    ],
)
def test_grpc_says_what_is_wrong(change, message, server):
    with pytest.raises(grpc.RpcError) as error:
        prediction_service_pb2_grpc.PredictionServiceStub(server[1]).Predict(altered(change))
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT and message in error.value.details()


def test_grpc_gives_the_outputs_that_are_asked_for(server):
    stub = prediction_service_pb2_grpc.PredictionServiceStub(server[1])
    answer = stub.Predict(altered(lambda request: request.output_filter.append("saliency")))
    assert [*answer.outputs] == ["saliency"]


def test_grpc_tells_of_models(server):
    _, channel, _ = server
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    ask = get_model_metadata_pb2.GetModelMetadataRequest
    answer = stub.GetModelMetadata(ask(model_spec={"name": "tiny"}, metadata_field=["signature_def"]))
    found = get_model_metadata_pb2.SignatureDefMap()
    assert answer.metadata["signature_def"].Unpack(found) and answer.model_spec.version.value == 1
    assert {"serving_default", "png", "pixels"} < {*found.signature_def}
    for request, message in (
        (ask(metadata_field=["signature_def"]), "Missing ModelSpec"),
        (ask(model_spec={"name": "tiny"}), "must specify at least one metadata_field"),
        (ask(model_spec={"name": "tiny"}, metadata_field=["x"]), "Metadata field x is not supported"),
    ):
        with pytest.raises(grpc.RpcError, match=message):
            stub.GetModelMetadata(request)
    models = model_service_pb2_grpc.ModelServiceStub(channel)
    status = models.GetModelStatus(get_model_status_pb2.GetModelStatusRequest(model_spec={"name": "tiny"}))
    assert [row.version for row in status.model_version_status] == [1]
    with pytest.raises(grpc.RpcError, match="Could not find any versions of model none"):
        models.GetModelStatus(get_model_status_pb2.GetModelStatusRequest(model_spec={"name": "none"}))


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        ("Classify", classification_pb2.ClassificationRequest()),
        ("Regress", regression_pb2.RegressionRequest()),
        ("MultiInference", inference_pb2.MultiInferenceRequest()),
    ],
)
def test_grpc_has_no_signatures_for_other_methods(method, request_, server):
    with pytest.raises(grpc.RpcError) as error:
        getattr(prediction_service_pb2_grpc.PredictionServiceStub(server[1]), method)(request_)
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT and "method_name" in error.value.details()


@pytest.mark.parametrize("method", ["Predict", "GetModelMetadata", "Classify"])
def test_grpc_says_in_one_line_what_is_no_message(method, server, caplog):
    with pytest.raises(grpc.RpcError) as error:
        server[1].unary_unary(f"/tensorflow.serving.PredictionService/{method}")(b"no message")
    assert error.value.code() == grpc.StatusCode.INTERNAL and "parsing" in error.value.details()
    assert not caplog.text


def test_a_bad_photograph_fails_its_own_request_alone(server):
    client = server[0]
    good, bad = (conformance.b64(data) for data in (conformance.photograph(50, 80, 3), b"\xff\xd8 no photograph"))
    alone = client.post("/v1/models/tiny:predict", json={"instances": [good]}).json()

    def ask(i):
        answer = client.post("/v1/models/tiny:predict", json={"instances": [bad if i % 4 == 0 else good]})
        return answer.status_code, answer.json()

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(ask, range(48)))
    for i, (status, found) in enumerate(answers):
        assert status == (400 if i % 4 == 0 else 200)
        if i % 4:
            expected = np.array(alone["predictions"][0]["log_density"])
            np.testing.assert_allclose(found["predictions"][0]["log_density"], expected, atol=1e-4)
    metrics = client.get("/monitoring/prometheus/metrics").text
    assert re.search(
        r'saliency_requests_total\{model="tiny",protocol="rest",status="INVALID_ARGUMENT"\} [1-9]', metrics
    )
    sizes = dict(re.findall(r'saliency_batch_size_bucket\{le="([\d.]+|\+Inf)",model="tiny"\} (\S+)', metrics))
    assert float(sizes["+Inf"]) > float(sizes["2.0"])  # Some were joined.
    assert client.post("/v1/models/made-up:predict", json={"instances": []}).status_code == 404
    assert "made-up" not in client.get("/monitoring/prometheus/metrics").text


def test_photographs_of_every_kind_are_answered_as_everywhere(server, saved):
    # What the signature gives for these, turned upright and of all kinds of colours, is compared with `predict` there.
    exported = tf.saved_model.load(str(saved / "tiny" / "1")).signatures["png"]
    for data, *_ in doors.FILES.values():
        asked = {"signature_name": "png", "instances": [conformance.b64(data)]}
        answer = server[0].post("/v1/models/tiny:predict", json=asked).json()
        expected = exported(image_bytes=tf.constant([data]))["saliency_png_bytes"].numpy()
        assert answer["predictions"] == [conformance.b64(expected[0])]
    for name, data in doors.REFUSED.items():
        answer = server[0].post("/v1/models/tiny:predict", json={"instances": [conformance.b64(data)]})
        # One line, which is the reason that `predict` gives.
        with pytest.raises(OSError, match="picture: the image cannot be decoded") as refused:
            image_files.read(data, "picture")
        said = answer.json()["error"].strip("[]")
        assert answer.status_code == 400 and said and said in str(refused.value), name


def test_bodies_that_are_too_large_are_refused(server):
    client = server[0]
    large = b" " * (8 * MEGABYTE + 1)
    assert client.post("/v1/models/tiny:predict", content=large).status_code == 413
    assert client.post("/v1/models/tiny:predict", content=iter([large[:MEGABYTE]] * 9)).status_code == 413
    bomb = gzip.compress(b" " * 200 * MEGABYTE)
    answer = client.post("/v1/models/tiny:predict", content=bomb, headers={"content-encoding": "gzip"})
    assert answer.status_code == 413 and "at most 8,388,608 bytes" in answer.json()["error"]
    for content, message in (
        (b"no gzip", "not packed by gzip"),
        (gzip.compress(b"{}")[:-4], "ends elsewhere"),
        (gzip.compress(b"{}") + b"and more", "ends elsewhere"),
    ):
        answer = client.post("/v1/models/tiny:predict", content=content, headers={"content-encoding": "gzip"})
        assert answer.status_code == 400 and message in answer.json()["error"]
    more = gzip.compress(b"{}") + b" " * 9 * MEGABYTE
    answer = client.post("/v1/models/tiny:predict", content=iter([more]), headers={"content-encoding": "gzip"})
    assert answer.status_code == 413
    many = {"instances": [""] * 100_000}
    began = time.monotonic()
    answer = client.post("/v1/models/tiny:predict", json=many)
    assert "Task size 100000 is larger than maximum input batch size 32" in answer.text and time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"instances": ["\\ud800"]}', "no UTF-8"),
        (b'{"instances": [' + b"1" * 5000 + b"]}", "JSON Parse error"),
        (b'{"instances": [1e400]}', "expected type: string"),
        (b'{"instances": ' + b"[" * 60 + b"]" * 60 + b"}", "deep in each other"),
        (b'{"instances": ' + b"[" * 990 + b"]" * 990 + b"}", "deep in each other"),
        (b'{"inputs": ' + b'{"a":' * 900 + b"1" + b"}" * 900 + b"}", "Missing named input"),
        (b'{"inputs": [' + b'{"a":' * 900 + b"1" + b"}" * 900 + b"]}", "Type: Object is not of expected type"),
        (b'{"instances": ["\xff\xfe"]}', "Unknown image file format"),
    ],
)
def test_odd_json_is_refused(body, message, server):
    answer = server[0].post("/v1/models/tiny:predict", content=body)
    assert answer.status_code == 400 and message in answer.json()["error"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/models/a%0Ab", 404),
        ("/v1/models/a%2Fb", 404),
        ("/v1/models/%ff%fe", 404),
        ("/v1/models/tiny/versions/0001", 200),
        ("/v1/models/tiny/versions/" + "0" * 30 + "9" * 4400, 400),
        ("/v1/../../etc/passwd", 400),
        ("/page/../versions.py", 404),
        ("/page/%2e%2e/versions.py", 404),
        ("/v1", 404),
        ("/nothing", 404),
    ],
)
def test_odd_paths_are_answered(path, status, server):
    host = str(server[0].base_url)
    with socket.create_connection((server[0].base_url.host, server[0].base_url.port)) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    assert f"HTTP/1.1 {status} " in answer
    assert "Server Error" not in answer and "def " not in answer


def test_pages_of_other_servers_may_not_ask(server):
    origin = {"origin": "https://example.org"}
    assert server[0].options("/v1/models/tiny:predict", headers=origin).status_code == 200
    assert "access-control-allow-origin" not in server[0].get("/v1/models/tiny", headers=origin).headers


def test_pages_of_other_servers_that_are_let_are_told_so():
    async def ask():
        desk = Desk({}, Batching(), None, Counts())
        transport = httpx.ASGITransport(application(desk, MEGABYTE, cors=True, lifespan=None))
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            answers = [await client.options("/v1/models/none", headers={"origin": "https://example.org"})]
            return [*answers, await client.get("/v1/models/none"), await client.get("/v1/models")]

    answers = asyncio.run(ask())
    assert [answer.status_code for answer in answers] == [200, 404, 400]
    assert all(answer.headers["access-control-allow-origin"] == "*" for answer in answers)


def test_what_nobody_waits_for_is_not_answered(server, monkeypatch):
    let_go = threading.Event()

    async def predict(*_):
        try:
            await asyncio.sleep(60)
        finally:
            let_go.set()

    monkeypatch.setattr(Desk, "predict", predict)
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{server[0].base_url}/v1/models/tiny:predict", json={"instances": [conformance.JPEG]}, timeout=0.5)
    assert let_go.wait(20)


def test_a_new_version_is_taken_and_the_old_one_let_go(saved, tmp_path):
    base = tmp_path / "tiny"
    shutil.copytree(saved / "tiny", base)
    body = {"instances": [conformance.JPEG]}
    with running(base, poll=0.05) as (client, _, said):
        first = client.post("/v1/models/tiny:predict", json=body).json()

        def wait(sentence):
            until = time.monotonic() + 30
            while not any(sentence in line for line in said):
                assert time.monotonic() < until, said
                time.sleep(0.02)

        # A folder that is not whole is no version yet, and what answers goes on.
        (base / "2").mkdir()
        (base / "2" / "saved_model.pb").write_bytes(b"half")
        wait("version 2 cannot be loaded")
        assert client.post("/v1/models/tiny:predict", json=body).json() == first
        states = client.get("/v1/models/tiny").json()["model_version_status"]
        assert [(row["version"], row["state"]) for row in states] == [("2", "END"), ("1", "AVAILABLE")]
        assert states[0]["status"]["error_code"] != "OK" and "cannot be loaded" in states[0]["status"]["error_message"]
        shutil.copytree(saved / "later" / "2", base / "2", dirs_exist_ok=True)
        wait("version 2 answers")
        assert client.post("/v1/models/tiny:predict", json=body).json() != first
        states = client.get("/v1/models/tiny").json()["model_version_status"]
        assert [(row["version"], row["state"]) for row in states] == [("2", "AVAILABLE"), ("1", "END")]
        answer = client.post("/v1/models/tiny/versions/1:predict", json=body)
        assert answer.status_code == 404 and "Specific(tiny, 1)" in answer.text


def test_an_old_version_is_let_go_and_odd_folders_harm_nobody(saved, tmp_path):
    base = tmp_path / "tiny"
    shutil.copytree(saved / "tiny" / "1", base / "0001")
    model = Model("tiny", base)
    assert model.version().number == 1
    old = weakref.ref(model.version())
    (base / "99999999999999999999").mkdir()  # beyond 64 bits
    assert model.refresh() is None
    (base / "2").mkdir()
    (base / "2" / "saved_model.pb").symlink_to(tmp_path / "nowhere")
    assert "version 2 cannot be loaded, and the old one goes on" in model.refresh()
    assert model.refresh() is None  # and is not tried again before something changes
    shutil.rmtree(base / "2")
    shutil.copytree(saved / "later" / "2", base / "2")
    assert model.refresh() == "tiny: version 2 answers"
    model.refresh()
    assert old() is None


def test_models_are_called_by_their_folders_or_as_is_said(saved, tmp_path, tiny_backbone):
    ks.create_model(backbone=tiny_backbone, weights=None, area=64 * 96).save(tmp_path / "mine.keras")
    (tmp_path / "scratch").mkdir()
    shutil.copytree(saved / "later" / "2", tmp_path / "whole")
    texts = (f"second={saved / 'later' / '2'}", tmp_path / "mine.keras", tmp_path / "whole")
    models = open_models([*map(str, texts)], tmp_path / "scratch")
    found = {name: model.version().number for name, model in models.items()}
    assert found == {"second": 2, "mine": 1, "whole": 1}


def test_what_is_asked_before_the_end_is_answered(saved):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        # Requests wait for others when the server is told to stop.
        with running(saved / "tiny", batching=Batching(batch_timeout_micros=1_500_000)) as (client, *_):
            address = f"{client.base_url}/v1/models/tiny:predict"
            body = {"instances": [conformance.JPEG]}
            assert httpx.post(address, json=body, timeout=60).status_code == 200
            waiting = [pool.submit(httpx.post, address, json=body, timeout=60) for _ in range(4)]
            time.sleep(0.5)
            assert not any(each.done() for each in waiting)
        assert [each.result().status_code for each in waiting] == [200] * 4
    with pytest.raises(httpx.ConnectError):
        httpx.get(address)


def test_a_signal_ends_the_command_once_all_is_answered(saved):
    command = [sys.executable, "-m", "keras_saliency.cli", "serve", saved / "tiny", "--batch-timeout-micros", "2000000"]
    ports = ["--rest-port", "0", "--grpc-port", "0"]
    with subprocess.Popen([*map(str, command), *ports], stdout=subprocess.PIPE, text=True) as process:
        said = next(line for line in process.stdout if "REST" in line)
        rest, remote = re.fullmatch(r"page and REST: (http://.*)/, gRPC: (.*)\n", said).groups()
        with concurrent.futures.ThreadPoolExecutor(4) as pool, grpc.insecure_channel(remote) as channel:
            body = {"instances": [conformance.JPEG]}
            waiting = [pool.submit(httpx.post, f"{rest}/v1/models/tiny:predict", json=body, timeout=60)]
            stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
            waiting.append(pool.submit(stub.Predict, request_of(conformance.photograph(), name="tiny")))
            time.sleep(1)
            process.send_signal(signal.SIGTERM)
            assert waiting[0].result().status_code == 200
            assert waiting[1].result().model_spec.version.value == 1
        assert process.stdout.read() == "stopped\n" and process.wait() == 0


def test_a_version_is_warmed_up_by_what_lies_with_it(saved, tmp_path):
    file = saved / "tiny" / "1" / "assets.extra" / "tf_serving_warmup_requests"
    records = list(tf.data.TFRecordDataset(str(file)).as_numpy_iterator())
    logs = [prediction_log_pb2.PredictionLog.FromString(record) for record in records]
    assert [log.WhichOneof("log_type") for log in logs] == ["predict_log"] * 3
    asked = {log.predict_log.request.model_spec.signature_name: log.predict_log.request for log in logs}
    loaded = tf.saved_model.load(str(saved / "tiny" / "1"))
    assert {*asked} == {*loaded.signatures}
    for name, request in asked.items():
        (output,) = {tensor.shape[0] for tensor in loaded.signatures[name](**_tensors(request)).values()}
        assert output == 1
    shutil.copytree(saved / "tiny", tmp_path / "bad")
    file = tmp_path / "bad" / file.relative_to(saved / "tiny")
    with tf.io.TFRecordWriter(str(file)) as writer:
        writer.write(b"nothing")
    with pytest.raises(
        ValueError, match="warmup_requests holds a request that cannot be answered: .* Export the model"
    ):
        Version(1, tmp_path / "bad" / "1")


def _tensors(request):
    return {name: tf.constant(tf.make_ndarray(tensor)) for name, tensor in request.inputs.items()}


@pytest.mark.parametrize("option", ["--rest-port", "--grpc-port"])
def test_a_port_in_use_is_said(option, monkeypatch, capsys, saved):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        ports = {"--rest-port": 0, "--grpc-port": 0, option: taken}
        arguments = [each for pair in ports.items() for each in pair]
        code, text = run_command(monkeypatch, capsys, "serve", saved / "tiny", *arguments)
    assert code == 1 and f"127.0.0.1:{taken} cannot be listened on (Address already in use): give another" in text


def test_what_cannot_be_served_is_said_before_anything_listens(monkeypatch, capsys, saved, tmp_path):
    def said(*models):
        code, text = run_command(monkeypatch, capsys, "serve", *models, "--rest-port", 0, "--grpc-port", 0)
        assert code == 1 and "REST" not in text and "Traceback" not in text
        return text

    assert "nowhere does not exist. Expected the folder of a run" in said("nowhere")
    (tmp_path / "empty").mkdir()
    assert "empty/model.keras does not exist" in said(tmp_path / "empty")
    (tmp_path / "half" / "1").mkdir(parents=True)
    assert "half/1 cannot be loaded as a SavedModel" in said(tmp_path / "half")
    tf.saved_model.save(tf.Module(), str(tmp_path / "other" / "1"))
    assert "does not serve saliency for image_bytes" in said(tmp_path / "other")
    assert "Two models are called tiny: give one another name" in said(saved / "tiny", saved / "tiny" / "1")
    assert "cannot be called 'a:b' in a URL" in said(f"a:b={saved / 'tiny'}")


def test_a_missing_extra_is_said(monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "uvicorn" else True)
    code, text = run_command(monkeypatch, capsys, "serve", "general")
    assert code == 1 and "Serving needs uvicorn: install the extra, pip install 'keras_saliency[serving]'." in text


def test_numbers_are_written_as_they_are():
    from keras_saliency.server import json_tensors

    values = np.float32([[0.1, 1e-8, 9e6], [np.pi, -1 / 3, 3.4e38]])
    text = json_tensors.write({"a": values}, True)
    assert len(text) < 100
    np.testing.assert_array_equal(np.float32(json.loads(text)["predictions"]), values)
    odd = json_tensors.write({"a": np.float32([np.nan, np.inf, -np.inf])}, False)
    assert odd == b'{"outputs": [NaN, Infinity, -Infinity]}'


@pytest.mark.parametrize("shape", [(1,), (2, 1), (1, 1, 1), (2, 3, 4, 1), (3, 1, 2), (2, 0, 1), (2, 1, 0)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.uint8])
@pytest.mark.parametrize("in_rows", [True, False])
def test_lists_are_as_deep_as_the_tensor(shape, dtype, in_rows):
    from keras_saliency.server import json_tensors

    values = (np.arange(np.prod(shape)).reshape(shape) * 1.5 - 2).astype(dtype)
    found = json.loads(json_tensors.write({"a": values, "b": values}, in_rows))
    rows = [{"a": row, "b": row} for row in values.tolist()]
    assert found == ({"predictions": rows} if in_rows else {"outputs": dict.fromkeys("ab", values.tolist())})
