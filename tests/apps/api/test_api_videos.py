import csv
import errno
import io
import json
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from urllib.parse import unquote

import av
import numpy as np
import pytest

from apps.api.clip import write_clip
from apps.api.running import PATIENCE, Running, wait, warned
from mien.apps.api import video_results
from mien.apps.api.job import RESULTS, Job
from mien.errors import VideoError
from mien.inference.video.clip import Clip
from mien.inference.video.run import VideoReader

FORMATS = ("csv", "jsonl", "video", "timeline")


@pytest.fixture(scope="module")
def done(server, clip):
    """A video that was read."""
    job = server.upload(clip, "holiday.mp4").json()
    assert job["status"] == "waiting"
    return server.ended(job["id"])


def result(server, job, form="csv"):
    return server.client.get(f"/v1/videos/{job['id']}/result", params={"format": form})


def folders(server):
    """What the server has of videos on its disk."""
    return sorted(server.service.jobs.root.iterdir())


def test_a_video_is_read_as_offline(server, offline, clip, done):
    assert (done["status"], done["progress"], done["message"]) == ("done", 1.0, "")
    rows = list(csv.DictReader(io.StringIO(result(server, done).text)))
    wanted = list(VideoReader(offline).read(Clip(clip)))
    assert done["frames"] == len(wanted) == 20
    assert done["faces"] == sum(len(read.readings) for read in wanted)
    assert {row["source"] for row in rows} == {"holiday.mp4"}
    for row, read in zip(rows, wanted, strict=True):
        (reading,) = read.readings
        assert float(row["time"]) == pytest.approx(read.place.time, abs=1e-5)
        assert row["expression"] == reading.expression
        for name, value in zip(reading.labels.expressions, reading.probabilities):
            assert float(row[name]) == pytest.approx(value, abs=1e-5)


def test_rows_as_json_lines(server, done):
    lines = [json.loads(line) for line in result(server, done, "jsonl").text.splitlines()]
    assert len(lines) == 20
    assert lines[0]["source"] == "holiday.mp4"


def test_a_marked_copy(server, done):
    answer = result(server, done, "video")
    assert answer.headers["content-type"] == "video/mp4"
    with av.open(io.BytesIO(answer.content)) as file:
        assert sum(1 for _ in file.decode(video=0)) == 20


@pytest.mark.parametrize(
    ("upload", "names"),
    [
        ("holiday.mp4", ("holiday.csv", "holiday.jsonl", "holiday-marked.mp4")),
        ("my trip; u.mov.mp4", ("my_trip__u.mov.csv", "my_trip__u.mov.jsonl")),
        ("marked.mp4", ("marked.csv", "marked.jsonl", "marked-marked.mp4", "marked-timeline.html")),
        ("readings.csv", ("readings.csv", "readings.jsonl", "readings-marked.mp4")),
    ],
)
def test_results_are_called_after_the_upload(server, clip, upload, names):
    job = server.ended(server.upload(clip, upload).json()["id"])
    assert job["message"] == ""
    for form, name in zip(FORMATS, names):
        answer = result(server, job, form)
        assert answer.status_code == 200
        assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert len(result(server, job).text.splitlines()) == 21


@pytest.mark.parametrize(
    ("upload", "plain", "whole"),
    [
        ("видео моё.mp4", "_________.csv", "видео моё.csv"),
        ("my trip; ü.mov.mp4", "my_trip___.mov.csv", "my trip; ü.mov.csv"),
        ("../ü/…/%2e.mp4", "______2e.csv", "_ü_…_%2e.csv"),
        ("é" * 150 + ".mp4", "_" * 76 + ".csv", "é" * 60 + ".csv"),
    ],
)
def test_names_of_other_letters_are_sent_beside_plain_ones(server, clip, upload, plain, whole):
    job = server.ended(server.upload(clip, upload).json()["id"])
    header = result(server, job).headers["content-disposition"]
    first, _, own = header.partition("; filename*=UTF-8''")
    assert first == f'attachment; filename="{plain}"'
    assert own.isascii()
    assert unquote(own) == whole


def test_a_video_that_was_deleted_is_unknown(server, clip):
    url = f"/v1/videos/{server.ended(server.upload(clip).json()['id'])['id']}"
    assert server.client.delete(url).json()["status"] == "deleted"
    for ask in (server.client.get, server.client.delete):
        answer = ask(url)
        assert answer.status_code == 404
        assert "no such video" in answer.json()["detail"]
    assert server.client.get(f"{url}/result").status_code == 404


def test_a_timeline(server, done):
    page = result(server, done, "timeline").text
    assert "Expressions in holiday.mp4" in page
    assert "<script" not in page
    assert str(server.service.jobs.root) not in page


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("日本語.mp4", "日本語.mp4"),
        ("<img src=x onerror=alert(1)>&.mp4", "&lt;img src=x onerror=alert(1)&gt;&amp;.mp4"),
    ],
)
def test_a_timeline_is_called_as_the_client_calls_the_video(server, clip, name, shown):
    job = server.ended(server.upload(clip, name).json()["id"])
    page = result(server, job, "timeline").text
    assert f"<title>Expressions in {shown}</title>" in page
    assert f"<h1>Expressions in {shown}</h1>" in page


def test_the_upload_is_gone_when_it_was_read(server, clip, done):
    left = [path.read_bytes() for folder in folders(server) for path in folder.rglob("*.mp4")]
    assert left
    assert clip.read_bytes() not in left


def test_there_is_no_such_format(server, done):
    answer = result(server, done, "../../etc/passwd")
    assert answer.status_code == 422


@pytest.mark.parametrize("id_", ["0" * 32, "..", "../../etc/passwd", "%2e%2e%2fetc", "a\0b"])
def test_there_is_no_such_video(server, id_):
    for path in (f"/v1/videos/{id_}", f"/v1/videos/{id_}/result"):
        assert server.client.get(path.replace("\0", "%00")).status_code in (404, 405)
    assert server.client.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"just some text " * 100, "cannot be opened as a video"),
        (b"\x00\x00\x00\x18ftypmp42" + bytes(100), "has no index (moov)"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n", "cannot be opened"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "cannot be opened as a video"),
        (b"v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 1 RTP/AVP 96\n", "cannot be opened as a video"),
    ],
)
def test_what_is_no_video(server, tmp_path, content, sentence):
    before = folders(server)
    (tmp_path / "clip.mp4").write_bytes(content)
    answer = server.upload(tmp_path / "clip.mp4", "mine.mp4")
    assert answer.status_code == 422, answer.text
    assert answer.json()["detail"].startswith("mine.mp4 ")
    assert sentence in answer.json()["detail"]
    assert folders(server) == before


def test_a_play_list_opens_no_other_file(server, clip, tmp_path):
    for content in (
        f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:1,\n{clip}\n#EXT-X-ENDLIST\n",
        f"ffconcat version 1.0\nfile {clip}\n",
    ):
        (tmp_path / "list.m3u8").write_text(content)
        for name in ("list.m3u8", "list.mp4", "list.ffconcat"):
            assert server.upload(tmp_path / "list.m3u8", name).status_code == 422


def test_a_photo_or_a_sound_is_no_video(server, face, tmp_path):
    (tmp_path / "face.jpg").write_bytes(face)
    assert server.upload(tmp_path / "face.jpg").status_code == 422
    with av.open(str(tmp_path / "sound.mp4"), "w") as file:
        stream = file.add_stream("aac", rate=16_000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate, frame.pts = 16_000, 0
        file.mux(stream.encode(frame))
        file.mux(stream.encode())
    answer = server.upload(tmp_path / "sound.mp4")
    assert answer.status_code == 422
    assert "only sound" in answer.json()["detail"]


def test_a_video_that_is_cut_short(server, portrait, tmp_path):
    content = write_clip(tmp_path / "whole.mkv", portrait, frames=40).read_bytes()
    (tmp_path / "cut.mkv").write_bytes(content[: len(content) // 2])
    answer = server.upload(tmp_path / "cut.mkv")
    assert answer.status_code == 202
    job = server.ended(answer.json()["id"])
    assert job["message"].startswith("cut.mkv is cut short")
    *_, last = csv.DictReader(io.StringIO(result(server, job).text))
    assert (last["status"], last["message"]) == ("error", job["message"])
    for form in ("csv", "jsonl", "timeline"):
        assert str(server.service.jobs.root) not in result(server, job, form).text


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (lambda path: VideoError(f"{path} cannot be written: why."), "marked.mp4 cannot be"),
        (lambda path: OSError(errno.ENOSPC, "No space left", str(path)), "No space left."),
        (lambda path: KeyError(str(path)), "The server failed; its log says more."),
    ],
)
def test_the_rows_are_kept_if_the_marked_copy_fails(server, clip, monkeypatch, error, sentence):
    def fails(clip, records, labels, path):
        raise error(path)

    monkeypatch.setattr(video_results, "write_annotated", fails)
    job = server.ended(server.upload(clip).json()["id"])
    assert (job["status"], job["progress"], job["frames"]) == ("done", 1.0, 20)
    assert job["message"].startswith(f"There is no marked copy: {sentence}")
    assert str(server.service.jobs.root) not in job["message"]
    assert len(result(server, job).text.splitlines()) == 21
    assert "Expressions in clip.mp4" in result(server, job, "timeline").text
    missing = result(server, job, "video")
    assert (missing.status_code, missing.json()["detail"]) == (409, job["message"])


def test_the_log_says_what_nobody_expected(server, clip, monkeypatch, caplog):
    monkeypatch.setattr(video_results, "VideoReader", lambda analyzer, **_: analyzer.nothing)
    job = server.ended(server.upload(clip).json()["id"])
    assert (job["status"], job["message"]) == ("failed", "The server failed; its log says more.")
    (record,) = warned(caplog)
    assert record.getMessage() == "reading a video failed"
    assert record.exc_info[0] is AttributeError


@pytest.mark.parametrize("suffix", ["ts", "mkv", "mp4"])
def test_a_video_that_starts_late_is_not_long(server, portrait, tmp_path, monkeypatch, suffix):
    late = write_clip(tmp_path / f"late.{suffix}", portrait, frames=20, start=20_000)
    marking = threading.Event()

    def held(*_):
        assert marking.wait(PATIENCE)
        return iter(())

    monkeypatch.setattr(video_results, "write_annotated", held)
    answer = server.upload(late)
    assert answer.status_code == 202, answer.text
    id_ = answer.json()["id"]
    wait(lambda: server.job(id_)["frames"] == 20)
    wait(lambda: server.job(id_)["progress"] == pytest.approx(0.8 * 19 / 20))
    marking.set()
    job = server.ended(id_)
    assert (job["status"], job["message"]) == ("done", "")
    assert job["seconds_read"] == pytest.approx(19 / 20)


@pytest.mark.parametrize(
    "name", ["../../../tmp/evil.mp4", "/etc/cron.d/evil", "..", ".hidden", "\n"]
)
def test_names_are_never_paths(server, clip, name):
    answer = server.upload(clip, name)
    assert answer.status_code == 202
    job = server.service.jobs[answer.json()["id"]]
    assert job.video.resolve().parent.parent == job.folder.resolve()
    assert job.folder.parent == server.service.jobs.root
    assert not job.video.name.startswith(".")
    assert server.client.delete(f"/v1/videos/{job.id}").json()["status"] == "cancelled"


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("application/json", b"{}", 415),
        ("video/mp4", b"x", 415),
        ("multipart/form-data", b"x", 400),
        ("multipart/form-data; boundary=b", b"--b--\r\n", 422),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data\r\n\r\n", 400),
    ],
)
def test_a_wrong_body(server, kind, body, status):
    answer = server.client.post("/v1/videos", content=body, headers={"Content-Type": kind})
    assert answer.status_code == status, answer.text


def test_two_files_are_refused(server, clip):
    files = [("file", clip.read_bytes())] * 2
    assert server.client.post("/v1/videos", files=files).status_code == 413


def test_a_too_long_video_is_refused(clip):
    with Running(video_seconds=0.5) as server:
        answer = server.upload(clip)
        assert answer.status_code == 422
        assert "may be 0.5 seconds long. Got 1 or more" in answer.json()["detail"]
        assert folders(server) == []


def test_too_large_a_video_is_refused(clip):
    with Running(video_pixels=50_000, workers=1) as server:
        answer = server.upload(clip, "mine.mp4")
        assert answer.status_code == 422
        assert "may have 0.05 megapixels. Got 240x240." in answer.json()["detail"]
        assert folders(server) == []


def test_wide_pixels_count_as_what_they_become(portrait, tmp_path):
    wide = write_clip(tmp_path / "wide.mp4", portrait, frames=5, side=160, aspect=Fraction(4))
    with Running(video_pixels=50_000, workers=1) as server:
        answer = server.upload(wide)
        assert answer.status_code == 422
        assert "may have 0.05 megapixels. Got 640x160." in answer.json()["detail"]


def test_a_video_that_grows_is_read_so_far(portrait, tmp_path):
    grows = tmp_path / "grows.ts"
    for number, side in enumerate((160, 240)):
        part = write_clip(tmp_path / f"{side}.ts", portrait, frames=10, side=side, start=number)
        with grows.open("ab") as file:
            file.write(part.read_bytes())
    with Running(video_pixels=50_000, workers=1) as server:
        job = server.ended(server.upload(grows).json()["id"])
        assert (job["status"], job["frames"]) == ("done", 11)
        assert job["message"].startswith("grows.ts is read to 1.00 s only. A video may have 0.05")


@pytest.mark.parametrize(
    ("limit", "sentence"),
    [
        ({"job_seconds": 1e-6}, "may be worked on for 1e-06 seconds."),
        ({"video_frames": 1}, "may have 1 frames. Got more."),
    ],
)
def test_work_on_a_video_is_bounded(clip, limit, sentence):
    with Running(**limit, workers=1) as server:
        job = server.ended(server.upload(clip).json()["id"])
        assert (job["status"], job["progress"]) == ("done", 1.0)
        assert job["frames"] <= 2
        assert sentence in job["message"]
        assert "There is no marked copy: clip.mp4 is not read to its end." in job["message"]
        rows = list(csv.DictReader(io.StringIO(result(server, job).text)))
        assert len(rows) == job["frames"] + 1
        assert sentence in rows[-1]["message"]
        assert result(server, job, "timeline").status_code == 200
        assert result(server, job, "video").status_code == 409


def test_a_disk_that_takes_nothing_is_said_and_forgotten(clip, tmp_path, monkeypatch):
    with Running(workers=1, jobs=1) as server:
        server.service.jobs.root.rmdir()
        with monkeypatch.context() as full:
            full.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
            for _ in range(2):
                answer = server.upload(clip)
                assert (answer.status_code, answer.headers["Retry-After"]) == (507, "60")
                sentence = "The video cannot be stored: No such file or directory."
                assert answer.json()["detail"] == sentence
        assert not server.service.jobs.busy
        assert server.ended(server.upload(clip).json()["id"])["status"] == "done"


def test_results_are_awaited_from_one_to_the_next(offline, tmp_path):
    job = Job(offline, tmp_path, tmp_path / "a.mp4", "a.mp4")
    assert job.is_awaited(10)
    for one in RESULTS.values():
        (tmp_path / one.file).parent.mkdir(exist_ok=True)
        (tmp_path / one.file).write_text("")
    job.end("done")
    assert job.is_awaited(10)
    job.ended -= 20
    assert not job.is_awaited(10)
    for form in FORMATS:
        job.result(form).close()
        assert job.is_awaited(10) == (form != FORMATS[-1])  # all were fetched
    job.fetched.clear()
    job.asked -= 20
    assert not job.is_awaited(10)


def test_a_client_that_goes_away_leaves_nothing(server, clip):
    before = folders(server)
    with server.connected() as connection:
        connection.sendall(
            b"POST /v1/videos HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\n"
            b'Content-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n'
        )
        wait(lambda: len(folders(server)) == len(before) + 1)
    wait(lambda: folders(server) == before)


def test_the_queue_is_bounded_and_a_running_video_is_cancelled(long_clip, clip):
    with Running(jobs=2, workers=1) as server:
        first, second = (server.upload(long_clip).json()["id"] for _ in range(2))
        full = server.upload(clip)
        assert full.status_code == 429
        assert int(full.headers["Retry-After"]) >= 1
        wait(lambda: server.job(first)["frames"] > 2)
        running = server.job(first)
        assert running["status"] == "running"
        assert 0 < running["progress"] < 1
        early = server.client.get(f"/v1/videos/{first}/result")
        assert early.status_code == 409
        assert "it is running" in early.json()["detail"]

        def stop(turn):
            id_ = (first, second)[turn % 2]
            ask = server.client.get if turn % 3 == 0 else server.client.delete
            suffix = "/result" if turn % 9 == 0 else ""
            return ask(f"/v1/videos/{id_}{suffix}").status_code

        with ThreadPoolExecutor(8) as clients:
            assert set(clients.map(stop, range(32))) <= {200, 404, 409}
        for id_ in (first, second):
            assert server.client.get(f"/v1/videos/{id_}").status_code == 404
        wait(lambda: folders(server) == [])
        assert server.ended(server.upload(clip).json()["id"])["status"] == "done"


def test_results_go_away_while_they_are_asked_for(server, clip):
    id_ = server.ended(server.upload(clip).json()["id"])["id"]

    def ask(turn):
        if turn == 20:
            return server.client.delete(f"/v1/videos/{id_}").status_code
        form = {"format": FORMATS[turn % 4]}
        return server.client.get(f"/v1/videos/{id_}/result", params=form).status_code

    with ThreadPoolExecutor(8) as clients:
        assert set(clients.map(ask, range(60))) <= {200, 404, 409}
    assert server.client.get(f"/v1/videos/{id_}/result").status_code == 404


def test_results_are_kept_for_a_while_only(clip):
    with Running(kept_seconds=1.0) as server:
        job = server.upload(clip).json()
        wait(lambda: server.client.get(f"/v1/videos/{job['id']}").status_code == 404)
        wait(lambda: folders(server) == [])  # nobody asked
        assert server.client.get(f"/v1/videos/{job['id']}/result").status_code == 404
        root = server.service.jobs.root
    assert not root.exists()


def test_closing_stops_videos_and_leaves_nothing(long_clip):
    with Running(workers=1) as server:
        id_ = server.upload(long_clip).json()["id"]
        wait(lambda: server.job(id_)["frames"] > 0)
        root = server.service.jobs.root
    assert not root.exists()


@pytest.mark.data
@pytest.mark.parametrize(("name", "faces"), [("single_face.mp4", True), ("no_face.mp4", False)])
def test_real_videos(shared_media, server, name, faces):
    job = server.ended(server.upload(shared_media / name).json()["id"])
    assert job["status"] == "done"
    assert bool(job["faces"]) == faces
    for form in FORMATS:
        assert result(server, job, form).status_code == 200
