from __future__ import annotations

from pathlib import Path

import pytest

from mien.inference.video.frame import Place
from mien.inference.video.journal import VideoJournal
from mien.inference.video.outcome import VideoOutcome, frames_of
from mien.inference.video.reading import FrameReadings
from mien.inference.video.table import Beside

NAMES = ("a.mp4", "b.mp4", "c.mp4")


@pytest.fixture
def path(reader, tmp_path):
    """A journal of three videos: 3, 4 and 5 frames, and the second one damaged."""
    path = tmp_path / "journal"
    with VideoJournal.create(path, reader.settings([])) as journal:
        for count, name in enumerate(NAMES, start=3):
            for index in range(count):
                journal.add(FrameReadings(name, Place(index, index / 25), (64, 48), ()))
            journal.end(name, ["It is cut."] if name == "b.mp4" else [], count / 25)
    return path


def check(journal):
    for count, name in enumerate(NAMES, start=3):
        assert [record["frame"] for record in frames_of(journal, name)] == list(range(count))
        outcome = VideoOutcome.of(journal, name, Beside(), ("happiness",))
        assert (outcome.frames, outcome.faceless, outcome.share_no_face) == (count, count, 1)
        assert outcome.span == (0, count / 25)
        assert outcome.message == ("It is cut." if name == "b.mp4" else "")
    assert list(journal.records_of("d.mp4")) == []


def test_each_video_has_its_own_records(reader, path):
    with VideoJournal.resume(path, reader.settings([])) as journal:
        check(journal)
        journal.add(FrameReadings("d", Place(7, 0.5), (64, 48), ()))
        assert [record["frame"] for record in journal.records_of("d")] == [7]
        assert journal.span("d") == (0.5, 0.5)
        journal.end("d", ["It was lost."])
        assert (journal.span("d"), journal.span("e")) == ((0.5, 0.5), None)


def test_of_other_videos_nothing_is_read(reader, path):
    with VideoJournal.resume(path, reader.settings([])) as journal:
        lines = path.read_bytes().splitlines(keepends=True)
        for number in (1, 3, 4, 11):  # two frames and the end of a.mp4, and a frame of c.mp4
            lines[number] = b"?" * (len(lines[number]) - 1) + b"\n"
        path.write_bytes(b"".join(lines))
        assert [record["frame"] for record in frames_of(journal, "b.mp4")] == [0, 1, 2, 3]


def frame(name, index):
    return FrameReadings(name, Place(index, index / 25), (64, 48), ())


def test_a_video_that_could_not_be_read_is_read_again_by_who_resumes(reader, path):
    settings = reader.settings([])
    with VideoJournal.resume(path, settings) as journal:
        journal.end("d.mp4", ["It has no index."])
        journal.end("e.mp4", ["It has no index."])
        assert "d.mp4" in journal
    with VideoJournal.resume(path, settings) as journal:
        check(journal)  # also of the damaged one, of which there are frames
        assert [name in journal for name in ("b.mp4", "d.mp4", "e.mp4")] == [True, False, False]
        assert {record["source"] for record in journal.records()} == set(NAMES)
        journal.add(frame("d.mp4", 0))  # mended
    with VideoJournal.resume(path, settings) as journal:
        assert ("d.mp4" in journal, journal.last("d.mp4")) == (False, Place(0, 0.0))
        journal.add(frame("d.mp4", 1))
        journal.end("d.mp4", [], 0.08)
        journal.end("e.mp4", ["It is empty."])
        assert [record["frame"] for record in frames_of(journal, "d.mp4")] == [0, 1]
        ends = {r["source"]: r["message"] for r in journal.records() if "ended" in r}
        assert ends == {
            "a.mp4": "",
            "b.mp4": "It is cut.",
            "c.mp4": "",
            "d.mp4": "",
            "e.mp4": "It is empty.",
        }
        assert sum(record["source"] == "e.mp4" for record in journal.records()) == 1


def test_lines_of_a_video_go_on_behind_those_of_others(reader, tmp_path):
    path, settings = tmp_path / "journal", reader.settings([*map(Path, NAMES)])
    with VideoJournal.create(path, settings) as journal:
        journal.end("a.mp4", ["It has no index."])
        for index in range(2):
            journal.add(frame("b.mp4", index))
    with VideoJournal.resume(path, settings) as journal:
        for index in range(3):
            journal.add(frame("a.mp4", index))
        journal.end("c.mp4", ["It has no index."])
    with VideoJournal.resume(path, settings) as journal:
        assert journal.last("a.mp4") == Place(2, 2 / 25)
        assert journal.last("b.mp4") == Place(1, 1 / 25)
        journal.end("a.mp4", [])
        journal.add(frame("b.mp4", 2))
        journal.end("b.mp4", [])
        for name in ("a.mp4", "b.mp4"):
            assert [record["frame"] for record in frames_of(journal, name)] == [0, 1, 2]
        assert [r["source"] for r in journal.records()] == ["a.mp4"] * 4 + ["b.mp4"] * 4
