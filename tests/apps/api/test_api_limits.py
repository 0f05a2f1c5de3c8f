import asyncio
import base64
import contextlib
import io
import json
import select
import socket
import threading
import time
import tracemalloc
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from apps.api import in_a_loop
from apps.api.running import Occupied, Running, answer_of, encoded, wait, warned
from mien.apps.api.pool import Task
from mien.apps.api.received import LONGEST_NAME, Received, client_name, received
from mien.apps.api.refusals import RefusedError
from mien.apps.api.settings import MEGABYTE, ServerSettings
from mien.apps.api.turns import Turns
from mien.errors import MienError
from mien.inference.pictures import decode_picture, read_picture

POST = b"POST /v1/analyze HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def strict():
    """A server with small limits."""
    with Running(
        picture_bytes=MEGABYTE,
        video_bytes=MEGABYTE,
        body_seconds=0.4,
        pixels=1_000_000,
        pictures=8,
    ) as running:
        yield running


@pytest.fixture(scope="module")
def small(portrait):
    """The face alone, which is found quickly."""
    return encoded(read_picture(portrait)[100:380, 120:400], "JPEG")


@pytest.fixture(autouse=True)
def still_answers(request, small):
    """Whatever was sent, nothing but a refusal came of it, and the next client is answered."""
    yield
    for name in {"server", "strict"} & set(request.fixturenames):
        running = request.getfixturevalue(name)
        assert running.analyze(small).json()["results"][0]["status"] == "ok"
        assert ',status="500"' not in running.client.get("/metrics").text


def refused(answer, status, sentence):
    assert answer.status_code == status, answer.text
    (detail,) = answer.json().values()
    assert sentence in detail
    assert detail.endswith(".")
    assert "\n" not in detail


# What is not a request with pictures.


@pytest.mark.parametrize(
    ("kind", "body", "status", "sentence"),
    [
        ("text/plain", b"x", 415, "must be multipart/form-data"),
        ("", b"x", 415, "Got 'no content type'"),
        ("image/jpeg", b"\xff\xd8\xff", 415, "Got 'image/jpeg'"),
        ("application/json", b"", 422, "Invalid JSON"),
        ("application/json", b"{", 422, "Invalid JSON"),
        ("application/json", b"[" * 100_000, 413, "Got more values"),
        ("application/json", b"nonsense", 422, "Invalid JSON"),
        ("application/json", b'{"images": [}', 422, "Invalid JSON: expected value"),
        ("application/json", b'{"images": []} x', 422, "Invalid JSON: trailing characters"),
        ("application/json", b'{"images": {}}', 422, "images: Input should be a valid array"),
        ("application/json", b'{"images": [0, "a"]}', 422, "images.0: Input should be an object"),
        ("application/json", b"\xff\xfe\x00", 422, "Invalid JSON"),
        ("application/json", b"[]", 422, "The JSON must be"),
        ("application/json", b'{"images": []}', 422, "one picture or more"),
        ("application/json", b'{"images": [{"name": "a"}]}', 422, "images.0.data: Field required"),
        ("application/json", b'{"images": [{"data": 7}]}', 422, "images.0.data"),
        ("application/json", b'{"images": [{"data": "", "path": "/etc/passwd"}]}', 422, "path"),
        ("application/json", b'{"images": [], "\\ud800": 1}', 422, "JSON"),
        ("application/json", b'{"images": [{"data": "\\ud800"}]}', 422, "Invalid JSON"),
        ("application/json", b'{"images": [{"data": "====", "name": "a"}]}', 422, "a is not a pic"),
        ("application/json", b'{"images": [{"data": "not base64!"}]}', 422, "1 is not base64"),
        ("application/json", b'{"images": [{"data": "AAAA"}]}', 422, "is not a picture"),
        ("application/json", b'{"url": "http://localhost/a.jpg"}', 422, "The JSON must be"),
        ("application/json", b"{}", 422, "images: Field required"),
        ("multipart/form-data", b"x", 400, "The form cannot be read"),
        ("multipart/form-data; boundary=b", b"x", 400, "The form cannot be read"),
        ("multipart/form-data; boundary=b", b"--b\r\n", 422, "one picture or more"),
        ("multipart/form-data; boundary=b", b"--b--\r\n", 422, "one picture or more"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/analyze", "/v1/explain"])
def test_a_wrong_body(server, path, kind, body, status, sentence):
    headers = {"Content-Type": kind} if kind else {}
    refused(server.client.post(path, content=body, headers=headers), status, sentence)


def test_pictures_in_other_fields(server, face):
    answer = server.client.post("/v1/analyze", files={"picture": face})
    refused(answer, 422, "must be in fields 'files'. Got 'picture'")
    answer = server.client.post("/v1/analyze", files={"files": face}, data={"model": "mien-base"})
    refused(answer, 422, "model, labels and the like go into the address")
    answer = server.client.post("/v1/videos", files={"file": face}, data={"model": "mien-base"})
    refused(answer, 422, "may hold files in 'file' only, each with a filename")
    part = b'--b\r\nContent-Disposition: form-data; name="files"\r\n\r\n' + face + b"\r\n--b--"
    answer = server.client.post("/v1/analyze", content=part, headers=FORM)
    refused(answer, 422, "each with a filename")
    refused(answer, 422, "Got a part without a filename.")


FORM = {"Content-Type": "multipart/form-data; boundary=b"}


def unwanted(inside: str, part: str, count: int) -> bytes:
    """A JSON body with the same thing again and again."""
    return inside.replace("…", ",".join([part] * count)).encode()


@pytest.mark.parametrize(
    "body",
    [
        unwanted('{"images": […]}', "0", 500_000),
        unwanted('{"images": […]}', "[]", 300_000),
        unwanted('{"images": […]}', "{}", 300_000),
        unwanted('{"images": [{"data": […]}]}', "0", 500_000),
        b"[" * 1_000_000,
        ("{" + ",".join(f'"{number}": 0' for number in range(100_000)) + "}").encode(),
        ('{"images": [{"' + "ü" * 500_000 + '": ""}]}').encode(),
        unwanted('{"images": […]}', '{"data": "AAAA"}', 60_000),
        ('{"images": [{"data": "AAAA", "name": "' + "\\n" * 500_000 + '"}]}').encode(),
    ],
    ids=["numbers", "lists", "objects", "data", "nested", "fields", "name", "pictures", "escapes"],
)
def test_what_nobody_wants_takes_no_memory(body):
    limits = ServerSettings(workers=1)
    request = Request({"type": "http", "method": "POST", "headers": JSON}, arriving(body))
    tracemalloc.start()
    try:
        with contextlib.suppress(RefusedError):
            assert len(in_a_loop.run(received(request, limits))[0].name) == LONGEST_NAME
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 6 * len(body)


JSON = [(b"content-type", b"application/json")]


def arriving(body: bytes):
    """What a route receives its body from."""

    async def receive():
        return {"type": "http.request", "body": body}

    return receive


@given(
    st.lists(
        st.fixed_dictionaries({"data": st.binary(max_size=20)}, optional={"name": st.text()}),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from([None, 2]),
    st.booleans(),
)
def test_json_is_read_as_python_writes_it(images, indent, ascii_only):
    coded = [{**one, "data": base64.b64encode(one["data"]).decode()} for one in images]
    body = json.dumps({"images": coded}, indent=indent, ensure_ascii=ascii_only).encode()
    request = Request({"type": "http", "method": "POST", "headers": JSON}, arriving(body))
    found = in_a_loop.run(received(request, ServerSettings(workers=1)))
    assert [one.content for one in found] == [one["data"] for one in images]
    for number, (one, image) in enumerate(zip(found, images)):
        assert one.name == (client_name(image.get("name")) or f"picture {number + 1}")


# Pictures that are none, or meant to do harm.


def png(width: int, height: int, data: bytes = b"") -> bytes:
    """A PNG that says it has that size."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content).to_bytes(4, "big")
        return len(content).to_bytes(4, "big") + kind + content + check

    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x02\x00\x00\x00"
    parts = (chunk(b"IHDR", head), chunk(b"IDAT", data), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "not a picture"),
        (b"GIF89a", "0.jpg"),
        (b"\xff\xd8\xff\xe0" + bytes(500), "0.jpg"),
        (
            b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
            "not",
        ),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "not a picture"),
        (png(100_000, 100_000), "megapixels"),
        (png(1100, 1100), "more than 1 megapixels"),
        (png(900, 900, zlib.compress(bytes(1000))), "damaged or cut short"),
        (png(900, 900, zlib.compress(bytes(300_000_000))), None),
    ],
)
def test_a_picture_that_is_none(strict, content, sentence):
    answer = strict.analyze(content)
    if (
        sentence is None
    ):  # more data than pixels: what there is can be read, the rest is not unpacked
        assert answer.status_code in (200, 422)
    else:
        refused(answer, 422, sentence)


def test_pixel_bombs(strict):
    white = np.full((4000, 4000, 3), 255, np.uint8)
    bombs = [encoded(white, form) for form in ("PNG", "GIF", "TIFF") if form != "TIFF"]
    bombs.append(encoded(white, "TIFF", compression="tiff_adobe_deflate"))
    bombs.append(encoded(white, "WEBP", lossless=True))
    assert max(map(len, bombs)) < MEGABYTE
    for bomb in bombs:
        refused(strict.analyze(bomb), 422, "more than 1 megapixels")


def test_a_picture_of_16_bits_takes_little_more_than_its_pixels():
    values = np.arange(3_000_000, dtype=np.uint32).reshape(1500, 2000) * 7 % 65536
    content = io.BytesIO(encoded(PIL.Image.fromarray(values.astype(np.uint16))))
    tracemalloc.start()
    try:
        picture = decode_picture(content, "grey.png")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert np.array_equal(picture[..., 0], np.rint(values / 257))
    assert most < 16 * values.size


def test_pictures_that_are_cut_short(strict, face):
    for share in (0.02, 0.3, 0.9):
        refused(strict.analyze(face[: int(len(face) * share)]), 422, "0.jpg")


def test_too_many_tiny_pictures(server):
    tiny = encoded(np.zeros((1, 1, 3), np.uint8))
    refused(server.analyze(*[tiny] * 10_000), 413, "Too many files")
    image = {"data": base64.b64encode(tiny).decode()}
    answer = server.client.post("/v1/analyze", json={"images": [image] * 10_000})
    refused(answer, 413, "may hold 64 pictures at most. Got more")


@pytest.mark.parametrize(
    "name", ["../../../etc/passwd", "/etc/passwd", "..\\..\\x.jpg", "a\0b.jpg"]
)
def test_names_are_never_paths(server, face, name):
    content = json.dumps({"images": [{"data": base64.b64encode(face).decode(), "name": name}]})
    headers = {"Content-Type": "application/json"}
    answer = server.client.post("/v1/analyze", content=content, headers=headers)
    (result,) = answer.json()["results"]
    assert result["name"] == name.replace("\0", "?")
    assert result["status"] == "ok"
    named = server.client.post("/v1/analyze", files={"files": (name, face)})
    assert named.json()["results"][0]["faces"] == result["faces"]


# Bodies that are too large, too slow, or never end.


def test_a_body_that_says_it_is_too_large_is_not_read(strict):
    with strict.connected() as connection:
        connection.sendall(POST + b"Content-Length: 1000000000\r\n\r\n" + bytes(1000))
        status, body = answer_of(connection)
    assert status == 413
    assert json.loads(body)["detail"] == "The body must be at most 1 megabytes (2^20 bytes)."


def test_a_client_that_asks_first_need_not_send_it(strict):
    with strict.connected() as connection:
        connection.sendall(POST + b"Expect: 100-continue\r\nContent-Length: 1000000000\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        assert answer_of(connection)[0] == 413


@pytest.mark.parametrize("path", [b"/v1/analyze", b"/v1/videos"])
def test_a_body_without_end_is_cut_off(strict, path):
    part = b"10000\r\n" + bytes(65536) + b"\r\n"
    kind = b"multipart/form-data; boundary=b"
    head = POST.replace(b"/v1/analyze", path).replace(b"application/json", kind)
    begin = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    sent = 0
    with strict.connected() as connection:
        connection.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
        connection.sendall(b"%x\r\n%b\r\n" % (len(begin), begin))
        while not select.select([connection], [], [], 0)[0]:
            connection.sendall(part)
            sent += len(part)
            assert sent < 64 * MEGABYTE
        assert answer_of(connection)[0] == 413


def test_a_body_that_drips_is_cut_off(strict):
    with strict.connected() as connection:
        connection.sendall(POST + b"Content-Length: 1000\r\n\r\n")
        while not select.select([connection], [], [], 0.05)[0]:
            connection.sendall(b" ")
        status, body = answer_of(connection)
    assert (status, json.loads(body)["detail"]) == (408, "The body came too slowly.")


def test_what_arrives_quickly_is_given_its_time():
    slow = Running(body_seconds=0.5, slowest=1000, workers=1)
    with slow as server, server.connected() as connection:
        connection.sendall(POST + b"Content-Length: 5000\r\nConnection: close\r\n\r\n")
        for _ in range(10):
            connection.sendall(b" " * 500)
            time.sleep(0.1)
        assert answer_of(connection)[0] == 422


def test_a_client_that_goes_away_in_the_middle(server, caplog):
    gone = 'status="499"'
    for content in (b"{", b'{"images": ['):
        with server.connected() as connection:
            connection.sendall(POST + b"Content-Length: 1000\r\n\r\n" + content)
    wait(lambda: f"{gone}}} 2.0" in server.client.get("/metrics").text)
    assert not warned(caplog)


def test_a_client_that_does_not_wait_for_its_answer(server, portrait, caplog):
    body = json.dumps(
        {"images": [{"data": base64.b64encode(encoded(read_picture(portrait))).decode()}] * 4}
    ).encode()
    for _ in range(4):
        with server.connected() as connection:
            connection.sendall(POST + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    wait(lambda: not len(server.service.pool))
    assert not warned(caplog)


# More work than there is room for.


def test_a_full_queue_is_said_and_empties_again(face):
    with Running(workers=1, waiting=3) as server:
        holding = Task(Occupied(), Received("held", b""))
        server.service.pool.add([holding])
        wait(lambda: not len(server.service.pool))
        with ThreadPoolExecutor(3) as clients:
            waiting = [clients.submit(server.analyze, face) for _ in range(3)]
            wait(lambda: len(server.service.pool) == 3)
            answer = server.analyze(face)
            refused(answer, 429, "Too many pictures are waiting")
            assert int(answer.headers["Retry-After"]) >= 1
            assert "mien_waiting_pictures 3.0" in server.client.get("/metrics").text
            holding.analyzer.free.set()
            assert [one.result().status_code for one in waiting] == [200] * 3
        assert server.analyze(face, face, face).status_code == 200
        refused(server.analyze(face, face, face, face), 413, "Too many files")


def test_what_waits_too_long_is_said(face):
    with Running(workers=1, seconds=0.2) as server:
        holding = Task(Occupied(), Received("held", b""))
        server.service.pool.add([holding])
        answer = server.analyze(face)
        refused(answer, 503, "took too long")
        assert "Retry-After" in answer.headers
        holding.analyzer.free.set()


def test_bodies_in_memory_are_bounded(face):
    with Running(workers=1, held_bytes=MEGABYTE, body_seconds=20) as server:
        with server.connected() as connection:
            connection.sendall(POST + b"Content-Length: 2000000\r\n\r\n" + b" " * 1_900_000)
            wait(lambda: server.analyze(face).status_code == 429)
        wait(lambda: server.analyze(face).status_code == 200)


def test_long_work_waits_for_its_turn():
    async def ask():
        turns, free = Turns(waiting=1, seconds=60), threading.Event()
        first, second = (asyncio.create_task(turns.do(free.wait)) for _ in range(2))
        await asyncio.sleep(0)
        with pytest.raises(RefusedError, match="try again soon") as refusal:
            await turns.do(free.wait)
        assert (refusal.value.status, refusal.value.retry_after) == (429, 2)
        free.set()
        assert await asyncio.gather(first, second) == [True, True]
        assert await turns.do(lambda: 7) == 7
        turns.close()

    in_a_loop.run(ask())


def test_long_work_is_not_waited_for_without_limit():
    async def ask():
        turns, free, begun = Turns(waiting=1, seconds=0.2), threading.Event(), []
        works = (free.wait, lambda: begun.append("late"))
        refusals = await asyncio.gather(*map(turns.do, works), return_exceptions=True)
        assert [(one.status, one.retry_after) for one in refusals] == [(503, 5)] * 2
        queued = asyncio.create_task(turns.do(lambda: 7))  # the first one is still worked on
        with pytest.raises(RefusedError, match="took too long"):
            await queued
        free.set()
        assert await turns.do(lambda: 7) == 7
        assert begun == []
        turns.close()

    in_a_loop.run(ask())


def test_nothing_is_left_behind(face):
    before = set(threading.enumerate())
    with Running(workers=3) as server:
        server.analyze(face)
    wait(lambda: not {t for t in set(threading.enumerate()) - before if "AnyIO" not in t.name})


@pytest.mark.parametrize(
    "origin",
    ["https://a.example/", "b.example", "https://A.example", "https://a.example/b", "", "null"],
)
def test_an_origin_is_one_that_browsers_name(origin):
    with pytest.raises(MienError, match="must be scheme://host"):
        ServerSettings(origins=("http://localhost:3000", "https://[::1]:8000", "*", origin))


@pytest.mark.parametrize("host", ["https://a.example", "a.example:80", "A.example", "::1", ""])
def test_a_name_is_one_that_browsers_ask_by(host):
    with pytest.raises(MienError, match="name must be in lower case, without a scheme"):
        ServerSettings(hosts=("localhost", "[::1]", "mien.example", host))


@pytest.mark.parametrize("key", ["geheim-ß", "ge heim", "geheim\n"])
def test_a_key_is_one_that_every_client_can_send(key):
    with pytest.raises(MienError, match="visible ASCII") as error:
        ServerSettings(api_key=key)
    assert "heim" not in str(error.value)


@pytest.mark.parametrize("change", [{"workers": 0}, {"waiting": -1}, {"body_seconds": 0.0}])
def test_limits_must_be_positive(change):
    (name,) = change
    with pytest.raises(MienError, match=f"The server's {name} must be above 0"):
        ServerSettings(**change)
