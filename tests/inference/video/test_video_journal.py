from __future__ import annotations

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
        assert outcome.frames == count
        assert outcome.message == ("It is cut." if name == "b.mp4" else "")
    assert list(journal.records_of("d.mp4")) == []


def test_each_video_has_its_own_records(reader, path):
    with VideoJournal.resume(path, reader.settings([])) as journal:
        check(journal)
        journal.add(FrameReadings("d", Place(7, 0.5), (64, 48), ()))
        assert [record["frame"] for record in journal.records_of("d")] == [7]


def test_of_other_videos_nothing_is_read(reader, path):
    with VideoJournal.resume(path, reader.settings([])) as journal:
        lines = path.read_bytes().splitlines(keepends=True)
        for number in (1, 3, 4, 11):  # two frames and the end of a.mp4, and a frame of c.mp4
            lines[number] = b"?" * (len(lines[number]) - 1) + b"\n"
        path.write_bytes(b"".join(lines))
        assert [record["frame"] for record in frames_of(journal, "b.mp4")] == [0, 1, 2, 3]
