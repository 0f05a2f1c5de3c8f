from __future__ import annotations

import csv
import json
import signal
import threading
import time

import numpy as np
import pytest
from clips import settled, write_clip

from mien.errors import MienError
from mien.inference.analyzer import Analyzer
from mien.inference.live import stream
from mien.inference.live.sources import Shot
from mien.inference.video import decoding, pipeline
from mien.inference.video.clip import Clip
from mien.inference.video.decoding import Decoding
from mien.inference.video.finder import Search
from mien.inference.video.journal import VideoJournal, frame_record, readings_of
from mien.inference.video.outcome import VideoOutcome
from mien.inference.video.results import VideoResults
from mien.inference.video.run import VideoReader
from mien.inference.video.sampling import Sampling
from mien.inference.video.table import Beside
from mien.inference.video.upright import upright

NUMBERS_APART = 1e-5


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def same(one, other):
    """Whether two tables have the same rows, numbers within 1e-5."""
    assert len(one) == len(other)
    for left, right in zip(one, other, strict=True):
        assert left.keys() == right.keys()
        for name in left:
            try:
                assert float(left[name]) == pytest.approx(float(right[name]), abs=NUMBERS_APART)
            except ValueError:
                assert left[name] == right[name], name


def table(reader, path, out, beside=None, **options):
    with VideoResults(out, reader.settings([path]), beside or Beside(), **options) as results:
        for _ in reader.read_into(results.journal, path):
            pass
    return rows(out)


@pytest.fixture(scope="module")
def whole(reader, clip_path, tmp_path_factory):
    return table(reader, clip_path, tmp_path_factory.mktemp("whole") / "out.csv")


def test_a_face_shown_for_long_is_one_person_all_the_time(reader, pictures, tmp_path):
    times = [burst + number / 25 for burst in (0, 6) for number in range(10)]
    path = write_clip(tmp_path / "still.mp4", [pictures[0]] * 20, times)
    expressions = reader.analyzer.labels.expressions
    with VideoJournal.create(tmp_path / "journal", reader.settings([path])) as journal:
        assert len(list(reader.read_into(journal, path))) == 20
        (person,) = VideoOutcome.of(journal, path, Beside(), expressions).persons
    assert (person.rows, person.seconds) == (20, pytest.approx(6.4))
    assert len(person.episodes) == 1


def test_there_is_a_row_per_face_and_frame(whole):
    assert [int(row["frame"]) for row in whole] == list(range(50))
    assert [float(row["time"]) for row in whole] == pytest.approx([n / 25 for n in range(50)])
    assert {row["status"] for row in whole} == {"ok"}
    assert {row["track"] for row in whole} == {"1"}
    first, last = whole[0], whole[-1]
    assert float(last["x"]) - float(first["x"]) == pytest.approx(90 * 49 / 25, abs=15)


def test_a_frame_without_a_face_has_a_row(reader, numbered, tmp_path):
    path = write_clip(tmp_path / "empty.mp4", numbered[:10])
    found = table(reader, path, tmp_path / "out.csv")
    assert [row["status"] for row in found] == ["no face"] * 10
    assert all(row["expression"] == row["track"] == row["x"] == "" for row in found)


def test_thorough_readings_are_those_of_single_pictures(analyzer, clip_path):
    reader = VideoReader(analyzer, Sampling(every=10), Search(thorough=0))
    frames = list(Sampling(every=10).pick(Clip(clip_path).frames()))
    for read, frame in zip(reader.read(Clip(clip_path)), frames, strict=True):
        (single,) = analyzer.read(frame.picture)
        (found,) = read.readings
        assert found.face == single.face
        assert found.probabilities == pytest.approx(single.probabilities, abs=NUMBERS_APART)


@pytest.mark.parametrize("together", [1, 5, 16])
@pytest.mark.parametrize("threads", [1, 2])
def test_rows_do_not_depend_on_batches_and_threads(
    together, threads, tiny_model, clip_path, whole, tmp_path, monkeypatch
):
    monkeypatch.setattr(pipeline, "TOGETHER", together)
    reader = VideoReader(Analyzer(tiny_model, threads=threads), search=Search(thorough=0.5))
    same(table(reader, clip_path, tmp_path / "out.csv"), whole)


def test_ctrl_c_ends_a_reading_whose_first_frame_is_far_ahead(analyzer, clip_path, monkeypatch):
    passed, place = [], Decoding._place

    def slow(self, frame):
        passed.append(place(self, frame))
        if len(passed) == 3:
            signal.raise_signal(signal.SIGINT)
        time.sleep(0.1)
        return passed[-1]

    monkeypatch.setattr(Decoding, "_place", slow)
    reader = VideoReader(analyzer, Sampling(start=1.9))
    with pytest.raises(KeyboardInterrupt):
        next(reader.read(Clip(clip_path)))
    assert len(passed) < 40


@pytest.mark.parametrize(
    ("sampling", "after", "read"),
    [
        (Sampling(every=10, start=0.5), None, [20, 30, 40]),
        (Sampling(fps=2.0, end=1.3), None, [0, 13, 25]),
        (Sampling(every=10), 20, [30, 40]),
    ],
)
def test_frames_that_are_passed_over_are_not_converted(
    clip_path, monkeypatch, sampling, after, read
):
    whole, converted = list(Clip(clip_path).frames()), []

    def counted(frame, aspect, converter):
        converted.append(frame)
        return upright(frame, aspect, converter)

    monkeypatch.setattr(decoding, "upright", counted)
    place = None if after is None else whole[after].place
    found = [it.frame() for it in sampling.pick(Clip(clip_path).decoded(place), place)]
    assert len(converted) == len(read)
    for frame, index in zip(found, read, strict=True):
        assert frame.place == whole[index].place
        assert np.array_equal(frame.picture, whole[index].picture)


@pytest.mark.parametrize("passed_over", [True, False])
def test_a_run_converts_what_it_reads_alone(
    analyzer, clip_path, tmp_path, monkeypatch, passed_over
):
    sampling = Sampling(every=10) if passed_over else Sampling()
    converted = []

    def counted(*given):
        converted.append(given)
        return upright(*given)

    monkeypatch.setattr(decoding, "upright", counted)
    found = table(VideoReader(analyzer, sampling), clip_path, tmp_path / "out.csv")
    assert len(converted) == len(found) == (5 if passed_over else 50)


@pytest.mark.parametrize("stop", [1, 13, 49])
@pytest.mark.parametrize("every", [1, 3])
def test_an_interrupted_run_carries_on_to_the_same_rows(analyzer, clip_path, tmp_path, stop, every):
    reader = VideoReader(analyzer, search=Search(every=every, thorough=0.5))
    out, settings = tmp_path / "out.csv", reader.settings([clip_path])
    expected = table(reader, clip_path, tmp_path / "whole.csv")

    def interrupted():
        with VideoResults(out, settings, Beside()) as results:
            for number, _ in enumerate(reader.read_into(results.journal, clip_path), start=1):
                if number == stop:
                    raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not out.exists()
    with VideoResults(out, settings, Beside(), resume=True) as results:
        assert len(list(reader.read_into(results.journal, clip_path))) == 50 - stop
    same(rows(out), expected)


def test_a_run_that_ended_reads_nothing_again(reader, clip_path, tmp_path):
    path = tmp_path / "journal"
    with VideoJournal.create(path, reader.settings([clip_path])) as journal:
        assert len(list(reader.read_into(journal, clip_path))) == 50
    with VideoJournal.resume(path, reader.settings([clip_path])) as journal:
        assert clip_path in journal
        assert list(reader.read_into(journal, clip_path)) == []


def test_boxes_of_an_earlier_version_are_not_carried_on(reader, clip_path, tmp_path):
    path, settings = tmp_path / "journal", reader.settings([clip_path])
    earlier = settings.model_copy(update={"pictures": "as stored"})
    VideoJournal.create(path, earlier).close()
    path.write_text(path.read_text().replace(', "pictures": "as stored"', ""))
    with pytest.raises(MienError, match="begun with pictures 'as stored', and this run has 'up"):
        VideoJournal.resume(path, settings)


def test_another_sampling_cannot_carry_on(analyzer, reader, clip_path, tmp_path):
    path = tmp_path / "journal"
    VideoJournal.create(path, reader.settings([clip_path])).close()
    other = VideoReader(analyzer, Sampling(fps=5.0), reader.search)
    with pytest.raises(MienError, match=r"begun with fps None, and this run has 5\.0"):
        VideoJournal.resume(path, other.settings([clip_path]))


def test_a_damaged_video_has_a_row_that_says_so(reader, clip_path, tmp_path):
    cut = tmp_path / "cut.mkv"
    write_clip(cut, [np.full((48, 64, 3), n, np.uint8) for n in range(60)])
    cut.write_bytes(cut.read_bytes()[:-300])
    found = table(reader, cut, tmp_path / "out.csv")
    assert found[-1]["status"] == "error"
    assert "cut.mkv" in found[-1]["message"]
    assert {row["status"] for row in found[:-1]} == {"no face"}


def test_what_cannot_be_opened_is_one_row(reader, tmp_path):
    (row,) = table(reader, tmp_path / "missing.mp4", tmp_path / "out.csv")
    assert (row["status"], row["frame"]) == ("error", "")
    assert "does not exist" in row["message"]


def test_where_nothing_is_read_both_the_wanted_and_the_given_are_said(analyzer, numbered, tmp_path):
    times = [36_000 + number / 25 for number in range(30)]
    path = write_clip(tmp_path / "late.mkv", numbered[:30], times)
    reader = VideoReader(analyzer, Sampling(end=60.0))
    (row,) = table(reader, path, tmp_path / "out.csv")
    said = "has no frame before 60 s: it begins at 36000.00 s and ends at 36001.20 s."
    assert row["message"] == f"{path} {said}"


def test_a_video_that_begins_before_0_is_read_from_its_beginning(analyzer, numbered, tmp_path):
    times = [number / 25 - 0.5 for number in range(30)]
    options = {"codec": "wmv2", "avoid_negative_ts": "disabled"}
    path = write_clip(tmp_path / "early.wmv", numbered[:30], times, **options)
    found = table(VideoReader(analyzer), path, tmp_path / "out.csv")
    assert [float(row["time"]) for row in found] == pytest.approx(times)


def test_a_record_holds_what_it_was_made_from(reader, clip_path):
    for read in reader.read(Clip(clip_path)):
        again = readings_of(json.loads(json.dumps(frame_record(read))), reader.analyzer.labels)
        assert again == read


def test_labels_of_ones_own(tiny_model, clip_path, tmp_path):
    reader = VideoReader(Analyzer(tiny_model, labels="four"), Sampling(every=20))
    row = table(reader, clip_path, tmp_path / "out.csv")[0]
    shares = [float(row[name]) for name in ("anger", "happiness", "neutral", "sadness")]
    assert sum(shares) == pytest.approx(1)
    assert "fear" not in row


def test_a_stream_gives_readings(analyzer, clip_path):
    readings = analyzer.stream(clip_path)
    first = next(readings)
    assert (first.frame, first.time, first.track) == (0, 0.0, 1)
    assert first.as_dict()["track"] == 1
    assert [reading.frame for reading in readings] == list(range(1, 50))


def test_a_stream_does_not_run_ahead(analyzer, clip_path, monkeypatch):
    for name in ("DECODED", "FOUND", "TOGETHER", "READ"):
        monkeypatch.setattr(pipeline, name, 1)
    decoded, every = [], Clip.decoded

    def counted(self, after=None):
        for found in every(self, after):
            decoded.append(found.place.index)
            yield found

    monkeypatch.setattr(Clip, "decoded", counted)
    readings = analyzer.stream(clip_path)
    for taken in range(1, 4):
        next(readings)
        # One waits in each of the three queues, and one is in each thread's hand.
        assert taken <= settled(decoded) <= taken + 6
    readings.close()


class Faceless:
    """A source whose frames never show a face, and never end."""

    name = "faceless"
    returns = True

    def __init__(self):
        self.closed = threading.Event()

    def shots(self):
        try:
            while True:
                time.sleep(0.01)
                yield Shot(np.zeros((48, 64, 3), np.uint8), time.monotonic())
        finally:
            self.closed.set()


def test_several_streams_can_be_left_early(analyzer, clip_path, monkeypatch):
    source = Faceless()
    monkeypatch.setattr(stream, "live_source", {"faceless": source}.get)
    readings = analyzer.stream(clip_path, "faceless")
    assert next(readings).source == str(clip_path)
    leaving = threading.Thread(target=readings.close, daemon=True)
    leaving.start()
    leaving.join(timeout=10)
    assert not leaving.is_alive()
    assert source.closed.is_set()


def test_several_streams_run_at_once(analyzer, clip_path, numbered, tmp_path):
    empty = write_clip(tmp_path / "empty.mp4", numbered[:5])
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(clip_path.read_bytes())
    found = list(analyzer.stream(clip_path, str(copy), empty))
    for source in (clip_path, copy):
        own = [reading.frame for reading in found if reading.source == str(source)]
        assert own == list(range(50))
    assert len(found) == 100


def test_a_stream_of_nothing_is_an_error(analyzer, tmp_path):
    with pytest.raises(MienError, match="does not exist"):
        next(analyzer.stream(tmp_path / "missing.mp4"))


@pytest.mark.data
def test_a_real_clip_reads_as_people_would(shared_media, shipped_base):
    reader = VideoReader(Analyzer(shipped_base, threads=1))
    found = [
        r for read in reader.read(Clip(shared_media / "single_face.mp4")) for r in read.readings
    ]
    assert len(found) == 72
    assert {reading.track for reading in found} == {1}
    assert [found[0].expression, found[40].expression] == ["neutral", "happiness"]


@pytest.mark.data
def test_no_face_is_seen_where_there_is_none(shared_media, shipped_base):
    reader = VideoReader(Analyzer(shipped_base, threads=1))
    read = list(reader.read(Clip(shared_media / "no_face.mp4")))
    assert len(read) == 95
    assert all(frame.readings == () for frame in read)
