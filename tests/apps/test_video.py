import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest

from full_disk import CLI, limited
from mien import __version__ as mien_version
from mien.apps.cli.persons import persons_table
from mien.inference.video import summary
from mien.inference.video import table as rows_beside
from mien.inference.video.clip import Clip
from mien.inference.video.encoding import VideoWriter
from mien.inference.video.journal import VideoJournal, VideoSettings
from mien.inference.video.outcome import VideoOutcome
from mien.inference.video.run import VideoReader


@pytest.fixture(scope="module")
def clip(tmp_path_factory, portrait):
    """The portrait as a video of a second and a half that zooms in a little."""
    return zoom(tmp_path_factory.mktemp("clip") / "clip.mp4", portrait, range(30))


def zoom(path, portrait, margins):
    """Write the portrait as a video, 20 frames a second, without so many pixels at each edge."""
    from mien.inference.pictures import read_picture

    picture = read_picture(portrait)[:400, 50:450]
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=20, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 240, 240, "yuv420p"
        for margin in margins:
            part = np.ascontiguousarray(picture[margin : 400 - margin, margin : 400 - margin])
            frame = av.VideoFrame.from_ndarray(part, format="rgb24")
            file.mux(stream.encode(frame.reformat(240, 240, "yuv420p")))
        file.mux(stream.encode())
    return path


def table(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_video_is_summed_up_by_person(mien, clip, small_model):
    code, out, _ = mien("analyze", clip, "--model", small_model)
    assert code == 0
    assert "clip.mp4" in out
    assert "30" in out
    assert "%" in out


def test_everything_is_written_in_one_run(mien, clip, small_model, tmp_path):
    out, report, marked = tmp_path / "r.csv", tmp_path / "report", tmp_path / "marked"
    code, _, err = mien(
        *("analyze", clip, "--model", small_model, "--out", out, "--report", report),
        *("--annotated", marked, "--smooth", "0.2", "--baseline", "--uncertain", "0.9"),
    )
    assert (code, err.count("Wrote")) == (0, 3)
    rows = table(out)
    assert [row["frame"] for row in rows] == [str(number) for number in range(30)]
    assert {row["status"] for row in rows} == {"ok"}
    assert "smooth_happiness" in rows[0]
    assert "change_happiness" in rows[0]
    assert {path.name for path in report.iterdir()} == {
        *(".mien-report", "index.html", "summary.json", "person-1.png"),
        *("episodes.csv", "persons.csv", "videos.csv"),
    }
    made = json.loads((report / "summary.json").read_text(encoding="utf-8"))["made_with"]
    known = ("mien", "model", "detector", "every", "smooth", "uncertain", "baseline")
    expected = (mien_version, "small", "haar", 1, 0.2, 0.9, True)
    assert tuple(map(made.get, known)) == expected
    assert len(made["model_sha256"]) == 64
    page = (report / "index.html").read_text(encoding="utf-8")
    assert page.index("Made with") > page.index("Person 1")
    assert made["model_sha256"] in page
    assert len(list(Clip(marked / "clip.mp4").frames())) == 30
    assert sorted(path.name for path in tmp_path.iterdir()) == ["marked", "r.csv", "report"]


def test_sampling(mien, clip, small_model, tmp_path):
    out = tmp_path / "r.jsonl"
    arguments = ("--out", out, "--fps", "5", "--start", "0.5", "--end", "1.2")
    assert mien("analyze", clip, "--model", small_model, *arguments).code == 0
    times = [json.loads(line)["time"] for line in out.read_text(encoding="utf-8").splitlines()]
    assert times == pytest.approx([0.5, 0.6, 0.8, 1.0])


def test_rows_go_to_standard_output_alone(mien, clip, small_model):
    arguments = ("--format", "csv", "--every", "10")
    code, out, err = mien("analyze", clip, "--model", small_model, *arguments)
    assert code == 0
    assert out.splitlines()[0].startswith("source,frame,time,track,face,status")
    assert len(out.splitlines()) == 4
    assert "Error" not in err


def test_several_videos_go_into_one_table(mien, clip, small_model, tmp_path):
    other = shutil.copy(clip, tmp_path / "other.mp4")
    out, report = tmp_path / "r.csv", tmp_path / "report"
    arguments = ("--out", out, "--report", report, "--every", "10")
    assert mien("analyze", clip, other, "--model", small_model, *arguments).code == 0
    sources = [Path(row["source"]).name for row in table(out)]
    assert sources == ["clip.mp4"] * 3 + ["other.mp4"] * 3
    pages = sorted(report.rglob("index.html"))
    assert sorted(page.parent.name for page in pages) == ["clip.mp4", "other.mp4"]


def summaries(report, inputs):
    """The persons of the videos' summaries, in the order of the videos."""
    for path in inputs:
        text = (report / path.name / "summary.json").read_text(encoding="utf-8")
        yield from json.loads(text)["persons"]


def test_episodes_and_persons_are_flat_tables_of_the_summaries(mien, clip, small_model, tmp_path):
    names = ("Büro, Gespräch.mp4", "other.mp4")
    inputs = [Path(shutil.copy(clip, tmp_path / name)) for name in names]
    report = tmp_path / "report"
    command = ("analyze", *inputs, "--model", small_model, "--report", report)
    contents = []
    for _ in range(2):
        assert mien(*command).code == 0
        contents.append([(report / f"{t}.csv").read_bytes() for t in ("episodes", "persons")])
    assert contents[0] == contents[1]
    assert all(content.endswith(b"\r\n") for content in contents[0])
    people = list(summaries(report, inputs))
    found = [(person, episode) for person in people for episode in person["episodes"]]
    assert len(found) >= 2
    for row, (person, episode) in zip(table(report / "episodes.csv"), found, strict=True):
        assert row.pop("source") == person["source"]
        assert row.pop("expression") == episode["expression"]
        values = {name: float(value) for name, value in row.items()}
        length = values.pop("duration")
        assert length == pytest.approx(episode["offset"] - episode["onset"], abs=1e-6)
        exact = {name: episode[name] for name in ("onset", "apex", "offset", "peak")}
        frame = episode["place"]["index"]
        assert values == {**exact, "person": person["track"], "apex_frame": frame}
    check_persons(table(report / "persons.csv"), people)


def check_persons(rows, people):
    for row, person in zip(rows, people, strict=True):
        assert row.pop("source") == person["source"]
        counts = [e["expression"] for e in person["episodes"]]
        assert {name: float(value) for name, value in row.items()} == {
            "person": person["track"],
            **{name: person[name] for name in ("first", "until", "seconds", "rows")},
            **{f"share_{name}": share for name, share in person["shares"].items()},
            "share_uncertain": person["answered"]["uncertain"],
            "share_not_a_face": person["answered"]["not a face"],
            **{f"episodes_{name}": counts.count(name) for name in person["shares"]},
        }


def grey(path, frames=5):
    """Write a video of an empty wall, 25 frames a second."""
    with VideoWriter(path, (64, 48), 25) as writer:
        for number in range(frames):
            writer.write(np.full((48, 64, 3), 90, np.uint8), number / 25)
    return path


def test_tables_of_a_video_without_a_face_have_a_header(mien, small_model, tmp_path):
    path, report = grey(tmp_path / "grey.mp4"), tmp_path / "report"
    assert mien("analyze", path, "--model", small_model, "--report", report).code == 0
    for name in ("episodes.csv", "persons.csv"):
        (header,) = (report / name).read_text(encoding="utf-8").splitlines()
        assert header.startswith("source,person,")


def test_no_video_vanishes_from_the_table_of_videos(mien, clip, small_model, tmp_path):
    empty, broken, report = grey(tmp_path / "grey.mp4"), tmp_path / "b.mp4", tmp_path / "report"
    broken.write_text("not a video")
    options = ("--start", "0.1", "--every", "2", "--report", report)
    assert mien("analyze", clip, empty, broken, "--model", small_model, *options).code == 1
    found, nobody, unread = table(report / "videos.csv")
    assert [row["source"] for row in (found, nobody, unread)] == [*map(str, (clip, empty, broken))]
    # Of 30 frames, 20 a second, every second one from .1 s on; of 5, 25 a second, only number 4.
    numbers = ("first", "until", "seconds", "frames", "share_no_face", "persons")
    read = [tuple(float(row[name]) for name in numbers) for row in (found, nobody)]
    assert read[0] == pytest.approx((0.1, 1.5, 1.4, 14, 0, 1))
    assert read[1] == pytest.approx((0.16, 0.2, 0.04, 1, 1, 0))
    assert (found["message"], nobody["message"]) == ("", "")
    assert [unread[name] for name in numbers] == ["", "", "0.0", "0", "", "0"]
    assert "b.mp4 cannot be opened as a video" in unread["message"]
    (below,) = report.rglob("grey.mp4/summary.json")
    assert json.loads(below.read_text(encoding="utf-8"))["share_no_face"] == 1


def test_videos_of_one_name_have_a_report_each(mien, clip, small_model, tmp_path):
    inputs = [tmp_path / name for name in ("a/clip.mp4", "b/clip.mp4", "b/clip.mkv")]
    for path in inputs:
        path.parent.mkdir(exist_ok=True)
        shutil.copy(clip, path)
    report = tmp_path / "report"
    arguments = ("--report", report, "--every", "10")
    assert mien("analyze", *inputs, "--model", small_model, *arguments).code == 0
    for path in inputs:
        folder = report / path.relative_to(tmp_path)
        numbers = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        assert numbers["source"] == str(path)


def test_what_cannot_be_read_is_said_at_the_end(mien, clip, small_model, tmp_path):
    bad = tmp_path / "bad.mp4"
    bad.write_text("not a video")
    out = tmp_path / "r.csv"
    code, _, err = mien("analyze", bad, clip, "--model", small_model, "--out", out)
    assert code == 1
    assert "bad.mp4 cannot be opened as a video" in err
    rows = table(out)
    assert [row["status"] for row in rows] == ["error", *["ok"] * 30]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.mp4"], "missing.mp4 does not exist"),
        (["{clip}", "{portrait}"], "is a video and"),
        (["{portrait}", "--every", "2"], "Options for videos were given"),
        (["{clip}", "--every", "0"], "must be 1 or more"),
        (["{clip}", "--fps", "0"], "must be above 0"),
        (["{clip}", "--fps", "1e308"], "at most 1,000,000"),
        (["{clip}", "--thorough", "1e-320"], "must be 0, or 0.001 or more"),
        (["{clip}", "--start", "2", "--end", "1"], "must be later"),
        (["{clip}", "--detect-every", "0"], "must be 1 or more"),
        (["{clip}", "--smooth", "0"], "must be above 0"),
        (["{clip}", "--uncertain", "2"], "must be 0 to 1"),
        (["{clip}", "--out", "r.json"], "did you mean 'jsonl'"),
        (["{clip}", "--out", "r"], "must end in .csv, .jsonl or .parquet"),
        (["{clip}", "--start", "90"], "no frame"),
        (["{clip}", "--labels", "happy+sad", "--baseline", "--out", "r.csv"], "with neutral"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    mien, clip, portrait, small_model, tmp_path, monkeypatch, arguments, message
):
    monkeypatch.chdir(tmp_path)
    filled = [a.format(clip=clip, portrait=portrait) for a in arguments]
    code, _, err = mien("analyze", *filled, "--model", small_model)
    assert message in " ".join(err.split())
    assert code == 2
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def interrupting(at):
    """What adds to a journal, until it holds so many lines."""
    add = VideoJournal.add

    def interrupt(self, read):
        if len(self) == at:
            raise KeyboardInterrupt
        add(self, read)

    return interrupt


def same_table(one, other):
    """Check that two tables have the same rows, numbers within 1e-5."""
    for left, right in zip(table(one), table(other), strict=True):
        assert left.keys() == right.keys()
        for name in left:
            try:
                assert float(left[name]) == pytest.approx(float(right[name]), abs=1e-5)
            except ValueError:
                assert left[name] == right[name]


def test_an_interrupted_run_is_continued(mien, clip, small_model, tmp_path, monkeypatch):
    out, whole = tmp_path / "r.csv", tmp_path / "whole.csv"
    arguments = ("analyze", clip, "--model", small_model, "--out")
    with monkeypatch.context() as patch:
        patch.setattr(VideoJournal, "add", interrupting(12))
        code, _, err = mien(*arguments, out)
    assert code == 130
    assert "12 frames are done and kept" in err
    assert not out.exists()
    assert mien(*arguments, out).code == 2
    assert mien(*arguments, out, "--resume").code == 0
    assert mien(*arguments, whole).code == 0
    same_table(out, whole)
    code, _, err = mien(*arguments, out, "--resume")
    assert (code, "nothing to resume" in err) == (0, True)


@pytest.mark.parametrize("mended", [False, True])
def test_a_begun_video_goes_on_behind_one_that_failed_and_is_tried_again(
    mien, clip, small_model, tmp_path, monkeypatch, mended
):
    failed, begun = tmp_path / "a.mp4", Path(shutil.copy(clip, tmp_path / "b.mp4"))
    failed.write_bytes(clip.read_bytes()[:2000])
    out, report = tmp_path / "r.csv", tmp_path / "report"
    command = ("analyze", failed, begun, "--model", small_model)
    arguments = (*command, "--out", out, "--report", report, "--resume")
    with monkeypatch.context() as patch:
        patch.setattr(VideoJournal, "add", interrupting(13))
        assert mien(*arguments).code == 130
        if mended:  # and interrupted in it, so that of two videos a part is there
            shutil.copy(clip, failed)
            patch.setattr(VideoJournal, "add", interrupting(20))
            assert mien(*arguments).code == 130
    code = mien(*arguments).code
    whole, reported = tmp_path / "whole.csv", tmp_path / "reported"
    assert code == mien(*command, "--out", whole, "--report", reported).code == (not mended)
    same_table(out, whole)
    for name in ("persons.csv", "episodes.csv", "videos.csv"):
        same_table(report / name, reported / name)
    for path in (failed, begun) if mended else (begun,):
        (person,) = summaries(report, [path])
        assert person["rows"] == 30


def test_an_interrupt_without_out_ends_the_work(mien, clip, small_model, tmp_path, monkeypatch):
    monkeypatch.setattr(VideoJournal, "add", interrupting(12))
    arguments = ("--report", tmp_path / "report", "--annotated", tmp_path / "marked")
    code, out, err = mien("analyze", clip, "--model", small_model, *arguments)
    assert (code, "Interrupted after 12 frames" in err) == (130, True)
    assert "clip.mp4" in out
    assert list(tmp_path.iterdir()) == []


def test_rows_are_kept_when_marking_is_interrupted(mien, clip, small_model, tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    out, marked = tmp_path / "r.csv", tmp_path / "marked"
    command = ("analyze", clip, "--model", small_model, "--annotated", marked)
    with monkeypatch.context() as patch:
        patch.setattr(VideoWriter, "write", interrupt)
        code, _, err = mien(*command, "--out", out)
        assert code == 130
        assert "30 frames are done and" in err
        assert f"kept in {out}.partial. The same command with --resume" in err
        assert mien(*command).code == 130
    assert mien(*command, "--out", out, "--resume").code == 0
    assert len(table(out)) == len(list(Clip(marked / "clip.mp4").frames())) == 30


@pytest.mark.skipif(os.name != "posix", reason="limits the size of files as POSIX does")
def test_rows_are_kept_when_the_disk_is_full(mien, clip, small_model, tmp_path):
    out = tmp_path / "r.csv"
    command = ["analyze", str(clip), "--model", str(small_model), "--out", str(out)]
    done = limited(6000, *command)
    assert done.returncode == 1, done.stderr
    assert "File too large" in done.stderr
    assert "--resume continues" in done.stderr
    assert "Traceback" not in done.stderr
    assert not out.exists()
    assert mien(*command, "--resume").code == 0
    assert [row["frame"] for row in table(out)] == [str(number) for number in range(30)]


@pytest.mark.skipif(os.name != "posix", reason="limits the size of files as POSIX does")
def test_rows_are_written_though_the_marked_copy_cannot_be(clip, small_model, tmp_path):
    out, marked = tmp_path / "r.csv", tmp_path / "marked"
    command = ["analyze", str(clip), "--model", str(small_model), "--every", "6"]
    done = limited(6000, *command, "--out", out, "--annotated", marked)
    assert done.returncode == 1, done.stderr
    assert "clip.mp4 cannot be written: File too large" in done.stderr
    assert len(table(out)) == 5
    assert not marked.exists()


def test_no_rest_is_said_once(mien, clip, small_model, tmp_path, monkeypatch):
    monkeypatch.setattr(summary, "neutral_baseline", lambda _: None)
    monkeypatch.setattr(rows_beside, "neutral_baseline", lambda _: None)
    out, report = tmp_path / "r.csv", tmp_path / "report"
    arguments = ("--baseline", "--out", out, "--report", report, "--every", "10")
    code, _, err = mien("analyze", clip, "--model", small_model, *arguments)
    assert (code, err.count("No rest found for person 1 of clip.mp4: ")) == (0, 1)
    assert {row["change_happiness"] for row in table(out)} == {""}
    assert "No rest found" in (report / "index.html").read_text(encoding="utf-8")
    numbers = json.loads((report / "summary.json").read_text(encoding="utf-8"))
    assert numbers["persons"][0]["rest"] == "no rest found"


def test_folders_of_results_are_checked_before_anything_is_read(
    mien, clip, small_model, tmp_path, monkeypatch
):
    (tmp_path / "file").touch()
    (tmp_path / "mine").mkdir()
    own = tmp_path / "mine" / "index.html"
    own.write_text("mine", encoding="utf-8")
    with monkeypatch.context() as patch:
        patch.setattr(VideoReader, "read_into", lambda *_: pytest.fail("read"))
        arguments = ("--report", own.parent, "--annotated", tmp_path / "file" / "marked")
        code, _, err = mien("analyze", clip, "--model", small_model, *arguments)
    assert code == 2
    assert f"{own.parent} holds other files" in err
    assert f"{tmp_path / 'file' / 'marked'} cannot be written: Not a directory" in err
    assert own.read_text(encoding="utf-8") == "mine"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "index.html", "mine"]


def test_a_report_replaces_an_earlier_one(mien, clip, small_model, tmp_path):
    report = tmp_path / "report"
    command = ("analyze", clip, "--model", small_model, "--every", "10", "--report", report)
    for number in range(2):
        assert mien(*command, "--annotated", report / "marked").code == 0
        (report / "index.html").write_text(str(number), encoding="utf-8")
    assert mien(*command).code == 0
    assert "<html" in (report / "index.html").read_text(encoding="utf-8")


def test_of_an_earlier_run_nothing_stays_but_the_files_of_others(mien, clip, small_model, tmp_path):
    inputs = [Path(shutil.copy(clip, tmp_path / name)) for name in ("a.mp4", "b.mp4")]
    report, marked = tmp_path / "report", tmp_path / "marked"
    options = ("--model", small_model, "--every", "10", "--report", report, "--annotated", marked)
    assert mien("analyze", *inputs, *options).code == 0
    (report / "a.mp4" / "notes.txt").write_text("mine", encoding="utf-8")
    (report / "person-1-for-paper.png").write_text("mine", encoding="utf-8")
    assert mien("analyze", inputs[1], *options).code == 0
    left = {str(path.relative_to(report)) for path in report.rglob("*") if path.is_file()}
    own = {".mien-report", "index.html", "summary.json", "person-1.png"}
    own |= {"episodes.csv", "persons.csv", "videos.csv", "person-1-for-paper.png"}
    assert {row["source"] for row in table(report / "persons.csv")} == {str(inputs[1])}
    assert left == {*own, str(Path("a.mp4", "notes.txt"))}
    assert {path.name for path in marked.iterdir()} == {".mien-marked", "b.mp4"}


def test_an_earlier_copy_that_is_read_is_not_replaced(mien, clip, small_model, tmp_path):
    marked = tmp_path / "marked"
    options = ("--model", small_model, "--every", "10", "--annotated", marked)
    assert mien("analyze", clip, *options).code == 0
    other = shutil.copy(clip, tmp_path / "other.mp4")
    copy = marked / "clip.mp4"
    content = copy.read_bytes()
    assert mien("analyze", copy, other, *options).code == 0
    assert copy.read_bytes() == content


def test_only_what_was_written_is_said_to_be(mien, clip, small_model, tmp_path):
    report, marked = tmp_path / "report", tmp_path / "marked"
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(clip.read_bytes()[:2000])
    options = ("--model", small_model, "--every", "10", "--report", report, "--annotated", marked)
    assert "Wrote" not in mien("analyze", broken, *options).err
    assert mien("analyze", clip, *options).err.count("Wrote") == 2
    page = (report / "index.html").read_bytes()
    # What is not read replaces nothing, and the earlier run's files are not this one's.
    assert "Wrote" not in mien("analyze", broken, *options).err
    assert (report / "index.html").read_bytes() == page
    # A folder in its place: the page is written, and the copy cannot be.
    (marked / "clip.mp4").unlink()
    (marked / "clip.mp4" / "full").mkdir(parents=True)
    err = mien("analyze", clip, *options).err
    assert (f"Wrote {report}" in err, f"Wrote {marked}" in err) == (True, False)
    assert str(marked / "clip.mp4") in err


def test_seconds_do_not_exceed_the_video(mien, clip, small_model, tmp_path):
    report = tmp_path / "report"
    arguments = ("--every", "13", "--report", report)
    code, out, _ = mien("analyze", clip, "--model", small_model, *arguments)
    numbers = json.loads((report / "summary.json").read_text(encoding="utf-8"))
    (person,) = numbers["persons"]
    # Read at 0, .65 and 1.3 of 1.5 s.
    assert (code, person["rows"]) == (0, 3)
    assert (person["seconds"], person["until"]) == pytest.approx((1.5, 1.5))
    assert "0.0–1.5" in out
    arguments = ("--every", "13", "--end", "1.4", "--report", report)
    assert mien("analyze", clip, "--model", small_model, *arguments).code == 0
    numbers = json.loads((report / "summary.json").read_text(encoding="utf-8"))
    assert numbers["persons"][0]["seconds"] == pytest.approx(1.4)


@pytest.fixture
def folder(clip, tmp_path):
    """A folder of videos, and what else may stand beside them."""
    folder = tmp_path / "my videos"
    (folder / "b").mkdir(parents=True)
    for name in ("c.MP4", "b/a.mp4", "a.dat"):
        shutil.copy(clip, folder / name)
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    (folder / "b" / "voice.wav").write_bytes(b"RIFF")
    return folder


def read_of(mien, folder, model, *options):
    """Which files of a folder are read, in order, and what is said."""
    out = folder.parent / "r.csv"
    code, _, err = mien("analyze", folder, "--model", model, "--out", out, *options)
    assert code == 0, err
    found = dict.fromkeys(row["source"] for row in table(out))
    out.unlink()
    return [Path(source).relative_to(folder).as_posix() for source in found], err


def test_a_folder_of_videos_is_read_as_if_they_were_listed(mien, folder, small_model):
    read, err = read_of(mien, folder, small_model)
    assert read == ["a.dat", "b/a.mp4", "c.MP4"]
    assert "Passed over what is no video: 1 .wav, 1 .txt." in err


def test_of_a_folder_with_photos_the_videos_are_read_if_that_is_asked_for(
    mien, folder, portrait, small_model
):
    shutil.copy(portrait, folder / "b" / "me.jpg")
    read, err = read_of(mien, folder, small_model)
    assert read == ["b/me.jpg"]
    said = " ".join(err.split())
    assert "Passed over what has no photo's suffix: " in said
    assert "3 of them are videos; an option for videos reads these instead: mien" in said
    assert f"mien analyze '{folder}' --every 1" in said
    read, err = read_of(mien, folder, small_model, "--every", "1")
    assert read == ["a.dat", "b/a.mp4", "c.MP4"]
    assert "Passed over what is no video: 1 .jpg, 1 .wav, 1 .txt." in " ".join(err.split())


def test_own_results_below_a_folder_are_not_read(mien, folder, small_model):
    options = ("--every", "10", "--report", folder / "report", "--annotated", folder / "marked")
    for _ in range(2):
        read, _ = read_of(mien, folder, small_model, *options)
        assert read == ["a.dat", "b/a.mp4", "c.MP4"]
    videos = [row["source"] for row in table(folder / "report" / "videos.csv")]
    assert [Path(source).name for source in videos] == ["a.dat", "a.mp4", "c.MP4"]


def test_folders_and_files_of_both_kinds_are_told_apart(
    mien, folder, clip, portrait, small_model, tmp_path
):
    photos, empty = tmp_path / "photos", tmp_path / "empty"
    photos.mkdir()
    empty.mkdir()
    shutil.copy(portrait, photos / "me.jpg")

    def said(*arguments):
        code, _, err = mien("analyze", *arguments, "--model", small_model)
        return code, " ".join(err.split())

    code, err = said(folder, photos)
    assert (code, "3 of them are videos" in err) == (0, True)
    code, err = said(clip, photos)
    assert (code, f"{clip} is a video and {photos} is not: read them in two" in err) == (2, True)
    code, err = said(folder, portrait, "--every", "10")
    assert (code, f"a.dat is a video and {portrait} is not" in err) == (2, True)
    code, err = said(photos, "--every", "10")
    assert (code, f"and {photos} holds no video." in err) == (2, True)
    code, err = said(clip, folder)
    assert (code, "a.dat" in err) == (0, False)
    assert said(empty)[0] == 2


def test_videos_of_one_name_are_told_apart_in_the_summary(mien, clip, small_model, tmp_path):
    paths = [tmp_path / folder / "clip.mp4" for folder in "ab"]
    for path in paths:
        path.parent.mkdir()
        shutil.copy(clip, path)
    _, out, _ = mien("analyze", *paths, "--model", small_model, "--every", "10")
    assert [str(Path(folder, "clip.mp4")) in out for folder in "ab"] == [True, True]


def test_a_folder_that_cannot_be_written_is_said_first(mien, clip, small_model, tmp_path):
    (tmp_path / "file").touch()
    out = tmp_path / "file" / "r.csv"
    code, _, err = mien("analyze", clip, "--model", small_model, "--out", out)
    assert code == 2
    assert "cannot be written" in err


def test_a_marked_copy_never_replaces_the_video(mien, clip, small_model, tmp_path):
    own = Path(shutil.copy(clip, tmp_path / "clip.mp4"))
    (tmp_path / ".mien-marked").touch()
    before = own.read_bytes()
    code, _, err = mien("analyze", own, "--model", small_model, "--annotated", tmp_path)
    assert code == 2
    assert "would replace it" in err
    assert own.read_bytes() == before


def test_live_reads_a_played_file(mien, clip, small_model, tmp_path):
    out, record = tmp_path / "live.csv", tmp_path / "live.mp4"
    code, _, err = mien(
        *("live", clip, "--model", small_model, "--view", "terminal"),
        *("--out", out, "--record", record, "--smooth", "0.2"),
    )
    assert (code, err.count("Wrote")) == (0, 2)
    rows = table(out)
    assert {row["status"] for row in rows} == {"ok"}
    assert len(list(Clip(record).frames())) == len(rows)
    # Rows of an earlier session cannot be read again.
    code, _, err = mien("live", clip, "--model", small_model, "--view", "none", "--out", out)
    assert code == 2
    assert "live.csv is there already: name a new file" in " ".join(err.split())
    assert table(out) == rows


def test_live_ends_with_a_line_though_nobody_watches(mien, clip, small_model, tmp_path):
    arguments = ("live", clip, "--model", small_model, "--view", "none")
    code, out, _ = mien(*arguments)
    assert code == 0
    read, dropped = map(
        int, re.match(r"(\d+) frames? read, (\d+) dropped, 1 person; ", out).groups()
    )
    assert 1 <= read <= read + dropped <= 30
    assert mien(*arguments, "--out", tmp_path / "r.csv").out.endswith(f"rows in {tmp_path}/r.csv\n")


def test_live_stops_after_so_many_seconds(mien, portrait, small_model, tmp_path):
    path, out = zoom(tmp_path / "long.mp4", portrait, [0] * 160), tmp_path / "r.csv"
    arguments = ("--model", small_model, "--view", "none", "--seconds", "0.5", "--out", out)
    assert mien("live", path, *arguments).code == 0
    assert 1 <= len(table(out)) < 80
    assert float(table(out)[-1]["time"]) < 4


@pytest.mark.skipif(os.name != "posix", reason="limits the size of files as POSIX does")
def test_live_keeps_what_fits_on_a_full_disk(mien, clip, small_model, tmp_path):
    out = tmp_path / "r.csv"
    command = ["live", clip, "--model", small_model, "--view", "none", "--out"]
    done = limited(5000, *command, out)
    assert done.returncode == 1, done.stderr
    assert f"{out}.partial cannot be written: File too large" in done.stderr
    assert f"Wrote {out}" in done.stderr
    assert 3 <= len(table(out)) < 30
    assert not Path(f"{out}.partial").exists()

    # Rows of JSON take more space than those of the journal.
    out = tmp_path / "r.jsonl"
    done = limited(5000, *command, out)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert f"kept in {out}.partial" in done.stderr
    assert (out.exists(), f"Wrote {out}" in done.stderr) == (False, False)
    code, _, err = mien(*command, out)
    assert (code, "--resume" in err) == (2, False)
    assert f"{out}.partial is what was kept, as JSON lines, of a session" in err


def test_a_live_session_whose_rows_go_to_one_file_is_not_to_be_moved_away(
    mien, clip, small_model, tmp_path
):
    out = tmp_path / "r.csv"
    settings = VideoSettings(
        model="m", model_sha256="a", detector="haar", labels="l", expressions=()
    )
    with VideoJournal.create(Path(f"{out}.partial"), settings) as journal:
        journal.end("camera", [])
        code, _, err = mien("live", clip, "--model", small_model, "--view", "none", "--out", out)
    assert code == 2
    told = " ".join(err.split())
    assert "is being written by another process" in told
    assert "delete" not in told


@pytest.mark.skipif(os.name != "posix", reason="limits the size of files as POSIX does")
def test_live_keeps_the_rows_when_the_recording_fills_the_disk(clip, small_model, tmp_path):
    out, record = tmp_path / "r.csv", tmp_path / "r.mp4"
    command = ["live", clip, "--model", small_model, "--view", "none"]
    done = limited(20_000, *command, "--out", out, "--record", record)
    assert done.returncode == 1, done.stderr
    assert f"{record} cannot be written: File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert f"Wrote {out}" in done.stderr
    assert f"Wrote {record}" not in done.stderr
    assert len(table(out)) >= 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["97"], "Camera 97 cannot be opened"),
        (["missing.mp4"], "missing.mp4 does not exist"),
        (["http://127.0.0.1:9/none"], "cannot be opened as a video"),
        (["rtsp://127.0.0.1:9/none"], "cannot be opened as a video"),
        (["{clip}", "--record", "r.gif"], "must end in .mp4 or .mkv"),
        (["{clip}", "--smooth", "0"], "must be above 0"),
        (["{clip}", "--patience", "-1"], "must be 0 or more"),
        (["{clip}", "--seconds", "0"], "--seconds must be above 0. Got 0"),
        (["{clip}", "--seconds", "nan"], "--seconds must be above 0. Got nan"),
    ],
)
def test_a_live_mistake_is_one_sentence(
    mien, clip, small_model, tmp_path, monkeypatch, arguments, message
):
    monkeypatch.chdir(tmp_path)
    filled = [a.format(clip=clip) for a in arguments]
    code, _, err = mien("live", *filled, "--model", small_model, "--view", "none")
    assert code == 2
    assert message in " ".join(err.split())
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="sends signals as POSIX does")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_live_session_leaves_whole_files(clip, small_model, tmp_path, number):
    out, record = tmp_path / "live.csv", tmp_path / "live.mp4"
    command = ["live", str(clip), "--model", str(small_model), "--view", "none"]
    process = subprocess.Popen(
        [sys.executable, "-c", CLI, *command, "--out", str(out), "--record", str(record)],
        stderr=subprocess.PIPE,
        text=True,
    )
    partial = Path(f"{out}.partial")
    while not (partial.exists() and partial.read_bytes().count(b"\n") > 3):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.02)
    process.send_signal(number)
    assert process.wait(timeout=30) == 0
    # The interrupt may come between a row and its frame.
    assert 0 <= len(table(out)) - len(list(Clip(record).frames())) <= 1
    assert len(table(out)) >= 3


def test_without_the_extra_photos_are_read_and_videos_say_what_to_install(
    clip, portrait, small_model, tmp_path
):
    block = "import sys; sys.modules['av'] = None; sys.modules['scipy'] = None; "
    block += "import importlib.util as u; find = u.find_spec; "
    block += "u.find_spec = lambda n, *a: None if n in ('av', 'scipy') else find(n, *a); "

    def run(path):
        command = [sys.executable, "-c", block + CLI, "analyze", str(path)]
        return subprocess.run(
            [*command, "--model", str(small_model)], capture_output=True, text=True, check=False
        )

    assert run(portrait).returncode == 0
    refused = run(clip)
    assert refused.returncode == 2
    assert "Reading videos needs the extra [video]: pip install '.[video]'" in refused.stderr


def test_a_video_that_was_not_reached_is_not_called_unreadable(tmp_path):
    broken, later = (tmp_path / name for name in ("broken.mp4", "later.mp4"))
    table = persons_table(
        [VideoOutcome(broken, 0, "broken.mp4 is damaged.", []), VideoOutcome(later, 0, "", [])]
    )
    notes = list(table.columns[2].cells)
    assert ["not readable" in note for note in notes] == [True, False]
    assert "not read" in notes[1]
