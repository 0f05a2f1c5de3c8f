from __future__ import annotations

import json
import re
import threading
import time
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pandas as pd
import pytest
from clips import write_clip

from mien.apps.cli import live
from mien.apps.cli.terminal import Hidden
from mien.errors import MienError, VideoError
from mien.inference.live import latest as latest_module
from mien.inference.live import sources
from mien.inference.live.latest import Latest
from mien.inference.live.recorder import Recorder
from mien.inference.live.session import LiveFrame, LiveSession, Lost
from mien.inference.live.sources import Player, Shot, Stream
from mien.inference.video.clip import Clip

PICTURE = np.zeros((48, 64, 3), np.uint8)


class Scripted:
    """A source whose connections each give some frames and then fail."""

    name = "scripted"

    def __init__(self, connections, returns=True, pause=0.0):
        self.returns = returns
        self.opened = 0
        self._connections = connections
        self._pause = pause

    def shots(self):
        frames, error = self._connections[min(self.opened, len(self._connections) - 1)]
        self.opened += 1
        for _ in range(frames):
            time.sleep(self._pause)
            yield Shot(PICTURE, time.monotonic())
        if error:
            raise VideoError(error)


def taken(latest):
    found = []
    while not latest.ended:
        shot = latest.take(0.1)
        if shot:
            found.append(shot)
    return found


def test_only_the_newest_frame_is_kept_and_the_others_are_counted():
    with Latest(Scripted([(10, "")], returns=False), patience=1) as latest:
        latest._thread.join()
        (newest,) = taken(latest)
    assert (newest.index, newest.dropped) == (9, 9)


class Hanging:
    """A source whose first frame is its last, and who is then never heard of again."""

    name = "hanging"

    def __init__(self, returns):
        self.returns = returns
        self.let_go = threading.Event()

    def shots(self):
        yield Shot(PICTURE, time.monotonic())
        self.let_go.wait(20)


def test_a_source_whose_read_hangs_is_given_up(monkeypatch):
    monkeypatch.setattr(latest_module, "LEAST_SILENCE", 0.5)
    source = Hanging(returns=True)
    message = r"hanging was lost: reading it hangs, and no frame came in 0\.5 s\."
    start = time.monotonic()
    with Latest(source, patience=0.3) as latest:
        with pytest.raises(VideoError, match=message):
            taken(latest)
        source.let_go.set()
    assert 0.5 <= time.monotonic() - start < 5


def test_a_stream_that_fails_after_a_long_silence_is_opened_again(monkeypatch):
    monkeypatch.setattr(latest_module, "LEAST_SILENCE", 0.9)

    class Slow(Scripted):
        def shots(self):
            yield from super().shots() if self.opened else self.late()

        def late(self):
            self.opened += 1
            yield Shot(PICTURE, time.monotonic())
            time.sleep(0.7)
            raise VideoError("It stalled.")

    with Latest(Slow([(1, "")]), patience=0.8) as latest:
        found = [shot for _ in range(30) if (shot := latest.take(0.05))]
    assert len(found) >= 2


def test_a_file_may_hold_frames_far_apart(monkeypatch):
    monkeypatch.setattr(latest_module, "LEAST_SILENCE", 0.2)
    source = Hanging(returns=False)
    threading.Timer(0.6, source.let_go.set).start()
    with Latest(source, patience=0.2) as latest:
        assert len(taken(latest)) == 1


def test_a_quick_taker_gets_every_frame():
    with Latest(Scripted([(10, "")], returns=False, pause=0.02), patience=1) as latest:
        found = taken(latest)
    assert [shot.index for shot in found] == list(range(10))
    assert sum(shot.dropped for shot in found) == 0


def test_a_source_that_is_lost_is_opened_again():
    source = Scripted([(3, "It dropped."), (0, "Not yet."), (2, "")], pause=0.01)
    with Latest(source, patience=3) as latest:
        found = []
        while not found or found[-1].index < 4:
            shot = latest.take(0.1)
            found += [shot] if shot else []
    # Of a busy machine frames may be dropped; each is counted.
    assert found[-1].index == len(found) - 1 + sum(shot.dropped for shot in found)
    assert source.opened >= 3


def test_a_source_that_stays_lost_is_given_up():
    source = Scripted([(1, "It dropped."), (0, "Gone.")])
    message = r"Gone\. It did not come back in 1\.2 s"
    with Latest(source, patience=1.2) as latest, pytest.raises(VideoError, match=message):
        taken(latest)


def test_a_source_that_never_opens_fails_at_once():
    source = Scripted([(0, "There is none.")])
    with Latest(source, patience=60) as latest, pytest.raises(VideoError, match="There is none"):
        taken(latest)
    assert source.opened == 1


def test_a_session_reads_the_newest_frames(analyzer, clip_path):
    frames = list(LiveSession(analyzer, Player(clip_path), smooth=0.2).frames())
    read = [frame for frame in frames if isinstance(frame, LiveFrame)]
    indices = [frame.read.place.index for frame in read]
    assert indices == sorted(set(indices))
    assert read[-1].pace.dropped == indices[-1] + 1 - len(read)
    assert {reading.track for frame in read for reading in frame.shown} == {1}
    first, last = read[0], read[-1]
    assert first.shown == first.read.readings
    assert last.shown[0].probabilities != last.read.readings[0].probabilities
    assert sum(last.shown[0].probabilities) == pytest.approx(1)


def test_a_slow_reader_drops_frames_and_does_not_fall_behind(analyzer, clip_path):
    behind = []
    for frame in LiveSession(analyzer, Player(clip_path)).frames():
        if isinstance(frame, LiveFrame):
            behind.append(time.monotonic() - frame.arrived)
            time.sleep(0.25)
    assert len(behind) < 20
    assert max(behind) < 1.0


class Server:
    """Serves a clip over HTTP, as often as it is asked for; breaks off the first time."""

    def __init__(self, content, whole_from, *, length=False):
        server = self
        server.asked = 0

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                server.asked += 1
                whole = server.asked >= whole_from
                self.send_response(200)
                self.send_header("Content-Type", "video/mp2t")
                if length:
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content if whole else content[: len(content) // 2])

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}/live.ts"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server(tmp_path, numbered):
    served = Server(write_clip(tmp_path / "live.ts", numbered).read_bytes(), whole_from=2)
    yield served
    served.close()


def test_a_stream_that_drops_is_opened_again(analyzer, server):
    seen, lost = 0, []
    for frame in LiveSession(analyzer, Stream(server.address), patience=5).frames():
        if isinstance(frame, Lost):
            lost.append(frame.reason)
        else:
            seen += 1
        if server.asked >= 2 and seen >= 2 and isinstance(frame, LiveFrame):
            break
    assert any(server.address in reason for reason in lost)
    assert server.asked >= 2


def test_a_film_over_http_is_read_once(analyzer, tmp_path, numbered):
    film = write_clip(tmp_path / "film.mp4", numbered, movflags="faststart")
    served = Server(film.read_bytes(), whole_from=1, length=True)
    last = None
    for frame in LiveSession(analyzer, Stream(served.address), patience=5).frames():
        last = frame if isinstance(frame, LiveFrame) else last
        assert served.asked == 1
    served.close()
    assert last.read.place.index == 49


def test_rows_of_a_stream_that_does_not_come_back_are_kept(mien, tmp_path, numbered, tiny_model):
    served = Server(write_clip(tmp_path / "live.ts", numbered).read_bytes(), whole_from=1)

    def unplug():
        while not served.asked:
            time.sleep(0.01)
        served.close()

    threading.Thread(target=unplug, daemon=True).start()
    out = tmp_path / "rows.jsonl"
    address = served.address.replace("http://", "http://bob:secret@")
    code, _, err = mien(
        *("live", address, "--model", tiny_model, "--view", "none"),
        *("--out", out, "--patience", "1"),
    )
    assert code == 1
    assert "secret" not in err + out.read_text(encoding="utf-8")
    assert "did not come back in 1 s" in " ".join(err.split())
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert {row["status"] for row in rows[:-1]} == {"no face"}
    assert "did not come back" in rows[-1]["message"]
    assert {row["source"] for row in rows} == {served.address}


def test_rows_of_a_stream_tell_when_each_frame_came(mien, tmp_path, numbered, tiny_model):
    film = write_clip(tmp_path / "film.mp4", numbered, movflags="faststart")
    served = Server(film.read_bytes(), whole_from=1, length=True)
    out, before = tmp_path / "rows.csv", datetime.now(timezone.utc)
    arguments = ("--model", tiny_model, "--view", "none", "--out", out)
    assert mien("live", served.address, *arguments).code == 0
    after = datetime.now(timezone.utc)
    served.close()
    rows = pd.read_csv(out)
    assert list(rows.columns[:4]) == ["source", "frame", "time", "clock"]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", c) for c in rows["clock"])
    came = pd.to_datetime(rows["clock"], format="ISO8601")
    assert before - timedelta(milliseconds=1) <= came[0] <= came.iloc[-1] <= after
    since = (came - came[0]).dt.total_seconds()
    assert since.to_numpy() == pytest.approx(rows["time"].to_numpy(), abs=0.01)


def test_rows_of_a_played_file_have_no_clock(mien, tmp_path, numbered, tiny_model):
    path, out = write_clip(tmp_path / "film.mp4", numbered[:5]), tmp_path / "rows.csv"
    arguments = ("--model", tiny_model, "--view", "none", "--out", out)
    assert mien("live", path, *arguments).code == 0
    assert pd.read_csv(out)["clock"].isna().all()


def test_a_session_smooths_faces_alone(analyzer, clip_path, monkeypatch):
    judge = analyzer.classifier.judge

    def hands(crops):
        return replace(judge(crops), signals={"not_a_face": np.ones(len(crops))})

    monkeypatch.setattr(analyzer.classifier, "judge", hands)
    session = LiveSession(analyzer, Player(clip_path), smooth=0.2)
    read = [frame for frame in session.frames() if isinstance(frame, LiveFrame)]
    assert {reading.answer for frame in read for reading in frame.shown} == {"not a face"}
    assert all(frame.shown == frame.read.readings for frame in read)


def test_a_stream_nobody_serves_is_one_sentence(analyzer):
    session = LiveSession(analyzer, Stream("http://127.0.0.1:9/none"), patience=1)
    with pytest.raises(VideoError, match="cannot be opened as a video"):
        list(session.frames())


class Watched(Hidden):
    """A view that its user closes as soon as no frame comes."""

    def wait(self, text):
        self.closed = True


def test_a_view_lives_on_while_no_frame_comes(mien, tiny_model, tmp_path, monkeypatch):
    source, view = Scripted([(4, "")], returns=False, pause=0.6), Watched()
    monkeypatch.setattr(sources, "live_source", lambda text: source)
    monkeypatch.setattr(live, "_view", lambda where: view)
    out = tmp_path / "rows.jsonl"
    assert mien("live", "0", "--model", tiny_model, "--out", out).code == 0
    assert view.closed
    assert len(out.read_text(encoding="utf-8").splitlines()) < 4


def test_a_recording_is_a_video_of_the_frames(tmp_path, pictures):
    path = tmp_path / "new" / "record.mp4"
    with Recorder(path) as recorder:
        for number, picture in enumerate(pictures):
            recorder.write(picture, number * 0.07)
    frames = list(Clip(path).frames())
    assert [frame.place.time for frame in frames] == pytest.approx(
        [n * 0.07 for n in range(50)], abs=0.001
    )
    with pytest.raises(MienError, match="is there already"):
        Recorder(path)


def test_a_recording_of_what_begins_before_0_keeps_every_frame(tmp_path, pictures):
    path = tmp_path / "record.mp4"
    with Recorder(path) as recorder:
        for number, picture in enumerate(pictures[:10]):
            recorder.write(picture, (number - 5) / 10)
    times = [frame.place.time for frame in Clip(path).frames()]
    assert times == pytest.approx([number / 10 for number in range(10)], abs=0.001)


def test_a_recording_has_a_new_file_and_a_known_suffix(tmp_path):
    path = tmp_path / "record.mp4"
    path.touch()
    with pytest.raises(MienError, match="is there already"):
        Recorder(path)
    with pytest.raises(MienError, match="must end in"):
        Recorder(tmp_path / "record.gif")
