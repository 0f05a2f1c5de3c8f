import asyncio
import base64
import io
import random

import cv2
import httpx
import numpy as np
import PIL.Image
import pytest

from apps.api import in_a_loop
from apps.api.running import PATIENCE, Running, encoded
from inference.tiny_models import card, graph, with_card, write_model
from mien.card import Head
from mien.explanation.explainer import Explainer
from mien.explanation.output import Output
from mien.explanation.regions import REGIONS
from mien.inference.analyzer import Analyzer
from mien.inference.pictures import read_picture
from mien.labels import label_set

CLOSE = 1e-5
"""How near the answers are to the offline results: batches of other sizes are summed up in another
order."""


def check(result, readings):
    """Compare a picture's answer with what `Analyzer.analyze` reads from it."""
    assert len(result["faces"]) == len(readings)
    for found, reading in zip(result["faces"], readings):
        wanted = reading.as_dict()
        assert found["expression"] == wanted["expression"]
        assert found["face"] == wanted["face"]
        assert found["box"] == pytest.approx(wanted["box"], abs=CLOSE)
        assert found["probabilities"] == pytest.approx(wanted["probabilities"], abs=CLOSE)
        assert found["detector_score"] == pytest.approx(wanted["detector_score"], abs=CLOSE)


def test_a_photo_is_read_as_offline(server, offline, portrait, face):
    answer = server.analyze(face)
    assert answer.status_code == 200
    body = answer.json()
    assert body["model"] == "mien-base"
    assert body["expressions"] == list(offline.labels.expressions)
    (result,) = body["results"]
    assert (result["status"], result["width"], result["height"]) == ("ok", 512, 600)
    assert len(result["faces"]) == 1
    check(result, offline.analyze(portrait))


def test_base64_in_lines_is_read_the_same(server, face):
    data = base64.encodebytes(face).decode()
    assert data.count("\n") > 2
    (result,) = server.client.post("/v1/analyze", json={"images": [{"data": data}]}).json()[
        "results"
    ]
    assert result["faces"] == server.analyze(face).json()["results"][0]["faces"]


@pytest.mark.parametrize(
    "written",
    [
        lambda content: base64.urlsafe_b64encode(content).decode(),
        lambda content: base64.b64encode(content).decode().rstrip("="),
        lambda content: f"data:image/jpeg;base64,{base64.b64encode(content).decode()}",
        lambda content: f"data:image/png;name=a.png;base64,{base64.encodebytes(content).decode()}",
    ],
    ids=["for addresses", "without padding", "behind an address", "all"],
)
@pytest.mark.parametrize("more", range(3))  # bytes, so that two, one and no sign pad it
def test_base64_as_pages_and_programs_write_it(server, face, written, more):
    data = written(face + bytes(more))
    answer = server.client.post("/v1/analyze", json={"images": [{"data": data}]})
    assert answer.status_code == 200, answer.text
    (result,) = answer.json()["results"]
    assert result["faces"] == server.analyze(face).json()["results"][0]["faces"]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ("a?", "b.png is not base64: Only base64 data is allowed."),
        ("AAAAA", "b.png is not base64: Invalid base64-encoded string"),
        ("data:text/plain;base64,AAAA", "b.png is not base64: Only base64 data is allowed."),
        ("ünd", "b.png is not base64: string argument should contain only ASCII"),
        ("", "b.png is not a picture mien reads"),
    ],
)
def test_one_bad_base64_does_not_spoil_the_others(server, face, data, sentence):
    good = {"data": base64.b64encode(face).decode(), "name": "a.jpg"}
    images = [good, {"data": data, "name": "b.png"}, good]
    answer = server.client.post("/v1/analyze", json={"images": images})
    assert answer.status_code == 200, answer.text
    results = answer.json()["results"]
    assert [result["status"] for result in results] == ["ok", "error", "ok"]
    assert results[1]["message"].startswith(sentence)
    for path in ("/v1/analyze", "/v1/explain"):
        answer = server.client.post(path, json={"images": images[1:2]})
        assert answer.status_code == 422
        assert answer.json()["detail"].startswith(sentence)


def test_base64_in_json_is_read_the_same(server, face):
    image = {"data": base64.b64encode(face).decode(), "name": "0.jpg"}
    answer = server.client.post("/v1/analyze", json={"images": [image]})
    assert answer.json() == server.analyze(face).json()


def test_pictures_keep_their_order_and_names(server, face):
    names = ["second.jpg", "first.jpg", "Ärger 😀.png"]
    contents = [face, encoded(np.zeros((90, 120, 3), np.uint8)), face]
    files = [("files", pair) for pair in zip(names, contents)]
    results = server.client.post("/v1/analyze", files=files).json()["results"]
    assert [result["name"] for result in results] == names
    assert [result["status"] for result in results] == ["ok", "no face", "ok"]
    assert results[1]["faces"] == []


def test_one_bad_picture_does_not_spoil_the_others(server, face):
    answer = server.analyze(face, b"not a picture", face)
    results = answer.json()["results"]
    assert [result["status"] for result in results] == ["ok", "error", "ok"]
    assert "1.jpg is not a picture mien reads" in results[1]["message"]


@pytest.mark.parametrize("form", ["JPEG", "WEBP", "BMP", "TIFF", "GIF"])
def test_every_format_is_read(server, offline, portrait, tmp_path, form):
    path = tmp_path / "face.tif"
    path.write_bytes(encoded(read_picture(portrait), form))
    (result,) = server.analyze(path.read_bytes()).json()["results"]
    check(result, offline.analyze(path))


@pytest.mark.parametrize("labels", ["four", "happy+sad+neutral", "happy sad", "ferplus8"])
def test_another_label_set_is_read_as_offline(server, portrait, face, labels):
    answer = server.analyze(face, labels=labels).json()
    own = Analyzer(labels=labels.replace(" ", "+"))
    assert answer["expressions"] == list(own.labels.expressions)
    check(answer["results"][0], own.analyze(portrait))


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ("fuor", "Unknown label set 'fuor': did you mean 'four'?"),
        ("happy+hapy", "Unknown expression 'hapy'"),
        ("", "Unknown label set ''"),
        ("happiness", "two or more expressions, as in happiness+sadness. Got 'happiness' alone."),
        ("happy", "Got 'happy' alone."),
        ("x" * 101, "at most 100 characters"),
    ],
)
def test_there_is_no_such_label_set(server, face, labels, sentence):
    answer = server.analyze(face, labels=labels)
    assert answer.status_code == 422
    assert sentence in answer.json()["detail"]


def test_a_model_has_not_all_expressions(tmp_path, face):
    basic = label_set("basic7")
    payload = graph(outputs=(basic.name,))
    own = card(payload, heads=(Head(name=basic.name, expressions=basic.expressions),))
    path = tmp_path / "own.onnx"
    path.write_bytes(with_card(payload, own.model_dump_json()))
    with Running(model=str(path), workers=1) as server:
        answer = server.analyze(face, labels="ferplus8")
        assert answer.status_code == 422
        assert "Label set 'basic7' has no 'contempt'" in answer.json()["detail"]
        assert server.analyze(face, labels="four").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "query", "sentence"),
    [
        ("POST", "/v1/analyze", "lables=four", "'lables': did you mean 'labels'?"),
        ("POST", "/v1/analyze", "detector=haar", "'detector': known: labels, model."),
        ("POST", "/v1/analyze", "model=mien-base&%00%0A=1", "'??': known: labels, model."),
        ("POST", "/v1/explain", "labels=four", "'labels': known: expression, face, model."),
        ("POST", "/v1/videos", "smooth=0.2&every=3", "'smooth': known: model."),
        ("GET", "/v1/videos/1", "wait=1", "'wait': known: none."),
        ("GET", "/v1/videos/1/result", "fromat=csv", "'fromat': did you mean 'format'?"),
        ("DELETE", "/v1/videos/1", "force=1", "'force': known: none."),
        ("GET", "/v1/models", "name=tiny", "'name': known: none."),
    ],
)
def test_unknown_query_parameters_are_refused(server, face, method, path, query, sentence):
    files = {"files": face} if method == "POST" else None
    answer = server.client.request(method, f"{path}?{query}", files=files)
    assert answer.status_code == 422, answer.text
    assert answer.json() == {"detail": f"Unknown query parameter {sentence}"}


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (33, 31)])
def test_odd_sizes(server, size):
    (result,) = server.analyze(encoded(np.full((*size, 3), 128, np.uint8))).json()["results"]
    assert (result["status"], result["height"], result["width"]) == ("no face", *size)


@pytest.mark.data
@pytest.mark.parametrize("photo", ["multi_face.jpg", "single_face.jpg"])
def test_real_photos_with_yunet(shared_media, weights, photo):
    content = (shared_media / photo).read_bytes()
    readings = Analyzer(detector="yunet", detector_weights=weights).analyze(shared_media / photo)
    assert len(readings) == (5 if photo == "multi_face.jpg" else 1)
    with Running(detector="yunet", detector_weights=weights) as server:
        for result in server.analyze(content, content).json()["results"]:
            check(result, readings)


@pytest.fixture(scope="module")
def many(portrait, offline):
    """Thirty-two different pictures with zero, one and two faces, and their readings."""
    picture, made = read_picture(portrait)[40:400, 60:420], []
    for number in range(32):
        height = 150 + 2 * number
        face = cv2.resize(picture, (height, height), interpolation=cv2.INTER_AREA)
        face = cv2.convertScaleAbs(face[:, :: (-1) ** number], beta=number - 16)
        parts = {0: [np.zeros_like(face)], 1: [face, face[:, ::-1]]}.get(number % 8, [face])
        content = encoded(np.hstack(parts), "JPEG", quality=90)
        decoded = np.asarray(PIL.Image.open(io.BytesIO(content)))
        made.append((content, offline.analyze(decoded)))
    assert {len(readings) for _, readings in made} >= {0, 1, 2}
    return made


def test_nothing_is_mixed_up_between_32_clients(server, many):
    async def one(client, number):
        for turn in range(3):
            chosen = random.Random(f"{number} {turn}").sample(range(len(many)), 1 + turn % 3)
            files = [("files", (f"{i}.jpg", many[i][0])) for i in chosen]
            answer = await client.post("/v1/analyze", files=files)
            assert answer.status_code == 200, answer.text
            results = answer.json()["results"]
            assert [result["name"] for result in results] == [f"{i}.jpg" for i in chosen]
            for i, result in zip(chosen, results):
                check(result, many[i][1])

    async def everyone():
        limits = httpx.Limits(max_connections=32)
        async with httpx.AsyncClient(
            base_url=server.url, limits=limits, timeout=PATIENCE, trust_env=False
        ) as client:
            await asyncio.gather(*(one(client, number) for number in range(32)))

    in_a_loop.run(everyone())


def test_a_model_of_ones_own_is_asked_for_by_name(tmp_path, portrait, face):
    path = write_model(tmp_path / "own.onnx")
    with Running(model=str(path)) as server:
        models = {model["name"]: model for model in server.client.get("/v1/models").json()}
        assert models["tiny"]["default"]
        assert not models["mien-base"]["default"]
        own = server.analyze(face).json()
        assert own["model"] == "tiny"
        check(own["results"][0], Analyzer(path).analyze(portrait))
        other = server.analyze(face, model="mien-base").json()
        assert other["model"] == "mien-base"
        check(other["results"][0], Analyzer().analyze(portrait))


@pytest.mark.parametrize("model", ["mien-bass", "/etc/passwd", "../mien-base.onnx", "http://x/y"])
def test_only_names_of_models_are_taken(server, face, model):
    answer = server.analyze(face, model=model)
    assert answer.status_code == 404
    assert "Unknown model" in answer.json()["detail"]


def test_a_face_is_explained(server, offline, portrait, face):
    answer = server.client.post("/v1/explain", files={"files": face})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    (reading,) = offline.analyze(portrait)
    assert found["expression"] == reading.expression
    assert found["probability"] == pytest.approx(reading.confidence, abs=CLOSE)
    output = Output.of(offline.classifier)
    crop = output.preprocess.crop(read_picture(portrait), reading.face.square)
    wanted = Explainer(output).regions(crop).shapley
    regions = {region["region"]: region["contribution"] for region in found["regions"]}
    assert regions == pytest.approx(dict(zip(REGIONS, wanted)), abs=CLOSE)
    overlay = PIL.Image.open(io.BytesIO(base64.b64decode(found["overlay"])))
    assert (overlay.size, overlay.format) == ((240, 240), "PNG")
    shown = np.asarray(overlay.convert("RGB")).astype(int)
    assert np.ptp(shown, axis=2).max() > 60  # it has colours


def test_another_expression_is_explained(server, face):
    ask = {"expression": "sadness"}
    found = server.client.post("/v1/explain", files={"files": face}, params=ask).json()
    assert found["expression"] == "sadness"
    assert found["probability"] < 0.5


@pytest.mark.parametrize(
    ("query", "count", "sentence"),
    [
        ({"face": 3}, 1, "has no face 3"),
        ({"face": -1}, 1, "greater than or equal to 0"),
        ({"face": "x"}, 1, "query.face"),
        ({"expression": "hapiness"}, 1, "happiness"),
        ({}, 2, "One picture is explained at a time"),
    ],
)
def test_what_cannot_be_explained(server, face, query, count, sentence):
    files = [("files", face)] * count
    answer = server.client.post("/v1/explain", files=files, params=query)
    assert answer.status_code == 422
    assert sentence in answer.json()["detail"]
