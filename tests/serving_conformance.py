"""The REST interface of TensorFlow Serving as a table of requests and answers, for any server of an exported model.

Run: python tests/serving_conformance.py http://localhost:8501 saliency

The model is what `keras-saliency export` wrote, and its version is 1, or a third argument. Each row is asked once;
those that are answered otherwise are printed, and their number is the exit status.
"""

import base64
import gzip
import io
import json
import re
import sys
from typing import Any, NamedTuple

import httpx
import numpy as np
from PIL import Image


def photograph(height=60, width=90, seed=0, kind="JPEG"):
    """The bytes of an image file of noise."""
    data = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype("uint8")
    Image.fromarray(pixels).save(data, kind)
    return data.getvalue()


def b64(data):
    """Bytes in JSON."""
    return {"b64": base64.b64encode(data).decode()}


JPEG, PNG = b64(photograph()), b64(photograph(kind="PNG"))
BLACK = np.zeros((40, 60, 3), int).tolist()
# What an answer holds: a regular expression for the message of an error, or the form of what is predicted.
MAP, TWO = "a map", "two maps"


class Case(NamedTuple):
    """A request and its answer; `{}` in a path is the name of the model, `{v}` its version."""

    path: str
    status: int
    holds: Any = None
    body: Any = None
    method: str = "POST"
    headers: dict | None = None


def ask(body, status, holds=None, **options):
    """A row for the method predict of the newest version."""
    return Case("/v1/models/{}:predict", status, holds, body, **options)


def look(path, status, holds=None):
    """A row for what is only looked at."""
    return Case(path, status, holds, None, "GET")


ASKED = {"instances": [JPEG]}
NOT_FOUND = r"Servable not found for request: Latest\(none\)"
MALFORMED = "Malformed request: {} "
CASES = {
    # What is there.
    "status": look("/v1/models/{}", 200, '"state": "AVAILABLE"'),
    "status: version is a string": look("/v1/models/{}", 200, '"version": "{v}"'),
    "status: no error": look("/v1/models/{}", 200, '"error_code": "OK"'),
    "status of a version": look("/v1/models/{}/versions/{v}", 200, '"state": "AVAILABLE"'),
    "status of another version": look("/v1/models/{}/versions/77", 404, "Could not find version 77 of model {}"),
    "status of no model": look("/v1/models/none", 404, "Could not find any versions of model none"),
    "status without a name": look("/v1/models", 400, "Missing model name in request."),
    "status in capitals": look("/v1/MODELS/{}", 200, "AVAILABLE"),
    "metadata": look("/v1/models/{}/metadata", 200, '"method_name": "tensorflow/serving/predict"'),
    "metadata of a version": look("/v1/models/{}/versions/{v}/metadata", 200, '"name": "{}"'),
    "metadata: a signature within": look("/v1/models/{}/metadata", 200, r'"signature_def": \{\s*"signature_def"'),
    "metadata: sizes are strings": look("/v1/models/{}/metadata", 200, r'"size": "-1"'),
    "metadata: types": look("/v1/models/{}/metadata", 200, r'"dtype": "DT_STRING"'),
    "metadata: initialisation": look("/v1/models/{}/metadata", 200, "__saved_model_init_op"),
    "metadata: no defaults": look("/v1/models/{}/metadata", 200, r'^(?!.*"defaults")'),
    "metadata of another version": look("/v1/models/{}/versions/77/metadata", 404, r"Specific\({}, 77\)"),
    "metadata of no model": look("/v1/models/none/metadata", 404, NOT_FOUND),
    "metadata of a label": look("/v1/models/{}/labels/new/metadata", 400, "Unrecognized servable version label: new"),
    # Paths that are none.
    "a slash behind": look("/v1/models/{}/", 400, MALFORMED.format("GET")),
    "another word": look("/v1/models/{}/else", 400, MALFORMED.format("GET")),
    "version that is no number": look("/v1/models/{}/versions/one", 400, MALFORMED.format("GET")),
    "version and label": look("/v1/models/{}/versions/1/labels/new", 400, MALFORMED.format("GET")),
    "version beyond 64 bits": look("/v1/models/{}/versions/99999999999999999999", 400, "Failed to convert version: 9+"),
    "getting what is posted": look("/v1/models/{}:predict", 400, MALFORMED.format("GET")),
    "posting what is got": Case("/v1/models/{}", 400, MALFORMED.format("POST"), {}),
    "another method": Case("/v1/models/{}:predict", 400, MALFORMED.format("PUT"), ASKED, "PUT"),
    "deleting": Case("/v1/models/{}", 400, MALFORMED.format("DELETE"), None, "DELETE"),
    "another verb": Case("/v1/models/{}:explain", 400, MALFORMED.format("POST"), ASKED),
    "out of the folder": look("/v1/models/..%2F..%2Fetc", 404, "Could not find any versions of model"),
    # Predictions in rows.
    "a JPEG": ask(ASKED, 200, MAP),
    "a PNG": ask({"instances": [PNG]}, 200, MAP),
    "two": ask({"instances": [JPEG, PNG]}, 200, TWO),
    "of a version": Case("/v1/models/{}/versions/{v}:predict", 200, MAP, ASKED),
    "of another version": Case("/v1/models/{}/versions/77:predict", 404, r"Specific\({}, 77\)", ASKED),
    "of a label": Case("/v1/models/{}/labels/new:predict", 400, "Unrecognized servable version label: new", ASKED),
    "of no model": Case("/v1/models/none:predict", 404, NOT_FOUND, ASKED),
    "in capitals": Case("/v1/models/{}:PREDICT", 200, MAP, ASKED),
    "by name": ask({"instances": [{"image_bytes": JPEG}]}, 200, MAP),
    "by the name of the signature": ask({"signature_name": "serving_default", **ASKED}, 200, MAP),
    "other keys": ask({"colour": "blue", **ASKED}, 200, MAP),
    "base64 without padding": ask({"instances": [{"b64": JPEG["b64"].rstrip("=")}]}, 200, MAP),
    "base64 with white space": ask({"instances": [{"b64": "\n ".join(re.findall(".{1,76}", JPEG["b64"]))}]}, 200, MAP),
    "what follows the document": ask(json.dumps(ASKED) + " and more", 200, MAP),
    "another type of content": ask(ASKED, 200, MAP, headers={"content-type": "application/x-www-form-urlencoded"}),
    "packed": ask(gzip.compress(json.dumps(ASKED).encode()), 200, MAP, headers={"content-encoding": "gzip"}),
    "pixels": ask({"signature_name": "pixels", "instances": [BLACK]}, 200, MAP),
    "two of pixels": ask({"signature_name": "pixels", "instances": [BLACK, BLACK]}, 200, TWO),
    "a picture as bytes": ask({"signature_name": "png", "instances": [JPEG]}, 200, r'"b64": ?"iVBORw0KGgo'),
    # And as a whole.
    "inputs": ask({"inputs": [JPEG]}, 200, r'"outputs": ?\{'),
    "inputs by name": ask({"inputs": {"image_bytes": [JPEG]}}, 200, r'"outputs": ?\{'),
    "inputs by more names": ask({"inputs": {"image_bytes": [JPEG], "other": 1}}, 200, r'"outputs": ?\{'),
    "one output of inputs": ask({"signature_name": "png", "inputs": [JPEG]}, 200, r'"outputs": ?\[\s*\{\s*"b64"'),
    "inputs without a batch": ask({"inputs": JPEG}, 400),
    "inputs by another name": ask({"inputs": {"pixels": [JPEG]}}, 400, "Missing named input: image_bytes in 'inputs'"),
    # What is wrong.
    "no body": ask(b"", 400, "The document is empty"),
    "no JSON": ask(b"nothing", 400, "JSON Parse error"),
    "JSON that ends early": ask(b'{"instances": [', 400, "JSON Parse error"),
    "a list": ask([JPEG], 400, "[Ii]s not object"),
    "a number": ask(b"1", 400, "[Ii]s not object"),
    "no inputs": ask({}, 400, "Missing 'inputs' or 'instances' key"),
    "NaN": ask(b'{"a": NaN, "b": -Infinity}', 400, "Missing 'inputs' or 'instances' key"),
    "both": ask({"inputs": [JPEG], **ASKED}, 400, "only one of 'inputs' or 'instances' keys"),
    "no signature": ask({"signature_name": "other", **ASKED}, 400, '"other" not found in signature def'),
    "a number for a signature": ask({"signature_name": 1, **ASKED}, 400, "'signature_name' key must be a string value"),
    "no instances": ask({"instances": []}, 400),
    "instances that are no list": ask({"instances": JPEG}, 400),
    "instances of two kinds": ask({"instances": [JPEG, {"image_bytes": JPEG}]}, 400),
    "another name": ask({"instances": [{"pixels": JPEG}]}, 400),
    "a number for bytes": ask({"instances": [1]}, 400, "is not of expected type: string"),
    "null for bytes": ask({"instances": [None]}, 400, "is not of expected type: string"),
    "bad base64": ask({"instances": [{"b64": "***"}]}, 400, "Unable to base64 decode"),
    "a number in base64": ask({"instances": [{"b64": 1}]}, 400),
    "no image": ask({"instances": ["text"]}, 400),
    "a cut-off image": ask({"instances": [b64(photograph()[:200])]}, 400),
    "no image beside one": ask({"instances": [JPEG, b64(b"\xff\xd8\xff")]}, 400),
    "pixels that are no integers": ask(
        {"signature_name": "pixels", "instances": [[[[0.5, 0, 0]]]]},
        400,
        "JSON Value: 0.5 Type: Number is not of expected type: uint8",
    ),
    "pixels that are text": ask(
        {"signature_name": "pixels", "instances": [[[["a", 0, 0]]]]}, 400, "expected type: uint8"
    ),
    "pixels that are true": ask(
        {"signature_name": "pixels", "instances": [[[[True, 0, 0]]]]}, 400, "expected type: uint8"
    ),
    "ragged pixels": ask(
        {"signature_name": "pixels", "instances": [[[[0, 0, 0], [0, 0, 0]], [[0, 0, 0]]]]},
        400,
        "Encountered list at unexpected size: 1",
    ),
    "pixels of two sizes": ask(
        {"signature_name": "pixels", "instances": [BLACK, BLACK[:20]]}, 400, "Expecting tensor size: 7200 but got: 3600"
    ),
    "pixels of two shapes": ask(
        {"signature_name": "pixels", "instances": [BLACK, np.zeros((60, 40, 3), int).tolist()]},
        400,
        "Expecting shape .* but got: ",
    ),
    "pixels of four channels": ask(
        {"signature_name": "pixels", "instances": [np.zeros((40, 60, 4), int).tolist()]}, 400
    ),
    "pixels of a plane": ask({"signature_name": "pixels", "instances": [[[0, 1], [2, 3]]]}, 400),
    "classify": Case("/v1/models/{}:classify", 400, None, {"examples": [{}]}),
    "regress": Case("/v1/models/{}:regress", 400, None, {"examples": [{}]}),
}


def fault(client, name, version, case):
    """What is wrong with the answer to a row; None if nothing is."""
    fill = lambda text: text.replace("{v}", version).replace("{}", name)  # noqa: E731
    content = case.body if isinstance(case.body, bytes | None) else None
    if case.body is not None and content is None:
        content = case.body if isinstance(case.body, str) else json.dumps(case.body)
    answer = client.request(case.method, fill(case.path), content=content, headers=case.headers)
    if answer.status_code != case.status:
        return f"status {answer.status_code} in place of {case.status}: {answer.text[:200]}"
    if not answer.headers["content-type"].startswith("application/json"):
        return f"content-type {answer.headers['content-type']}"
    if case.status != 200 and json.loads(answer.text).keys() != {"error"}:
        return f"no error alone: {answer.text[:200]}"
    if case.holds in (MAP, TWO):
        return _no_maps(answer.json(), 1 + (case.holds is TWO))
    if case.holds and not re.search(fill(case.holds), answer.text.replace('\\"', '"'), re.DOTALL):
        return f"{fill(case.holds)!r} is not in {answer.text[:300]}"
    return None


def _no_maps(found, count):
    rows = found.get("predictions", [])
    if len(rows) != count:
        return f"{len(rows)} rows in place of {count}"
    for row in rows:
        saliency = np.array(row["saliency"] if isinstance(row, dict) else row)
        if saliency.ndim != 3 or saliency.shape[-1] != 1 or not 0 <= saliency.min() <= saliency.max() <= 1:
            return f"no map: {saliency.shape}, {saliency.min()} to {saliency.max()}"
    return None


def main(address, name, version="1"):
    """Asks all and prints what is answered otherwise."""
    with httpx.Client(base_url=address, timeout=120) as client:
        faults = {title: fault(client, name, version, case) for title, case in CASES.items()}
    for title, found in faults.items():
        if found:
            print(f"{title}: {found}")
    wrong = sum(map(bool, faults.values()))
    print(f"{len(CASES) - wrong} of {len(CASES)} are answered as by TensorFlow Serving")
    return wrong


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
