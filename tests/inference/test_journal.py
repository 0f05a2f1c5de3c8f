from __future__ import annotations

import json
import random

import pytest

from mien.errors import BusyError, MienError
from mien.inference.face import Box, Face, Reading
from mien.inference.journal import Journal, Settings, printable
from mien.labels import label_set
from mien.preprocess import Square

FOUR = label_set("four")
SETTINGS = Settings(
    model="tiny", model_sha256="ab12", detector="haar", labels="four", expressions=FOUR.expressions
)


def reading(source, index=0, seed=0):
    values = random.Random(f"{source}{index}{seed}").choices(range(1, 99), k=4)
    shares = tuple(v / sum(values) for v in values)
    face = Face(Box(10.5, 20, 30, 40), 0.9, Square(x=10, y=20, side=30))
    return Reading(source, index, face, FOUR, shares)


def fill(journal, sources):
    for source in sources:
        if source.startswith("bad"):
            journal.add_error(source, f"{source} is empty.")
        else:
            count = 0 if source.startswith("none") else 1 + len(source) % 2
            journal.add(source, (640, 480), [reading(source, i) for i in range(count)])


SOURCES = ["b.jpg", "a.jpg", "none.png", "bad.png", "über/ñ, 1.jpg", 'quote".jpg']


def test_records_come_by_source_with_all_that_was_written(tmp_path):
    with Journal.create(tmp_path / "j", SETTINGS) as journal:
        fill(journal, SOURCES)
        records = list(journal.records())
    assert [r["source"] for r in records] == sorted(SOURCES)
    by_source = {r["source"]: r for r in records}
    assert by_source["bad.png"] == {
        "source": "bad.png",
        "status": "error",
        "message": "bad.png is empty.",
        "faces": [],
    }
    assert by_source["none.png"]["status"] == "no face"
    assert by_source["none.png"]["faces"] == []
    face = by_source["a.jpg"]["faces"][0]
    assert tuple(face["probabilities"].values()) == reading("a.jpg").probabilities
    assert (by_source["a.jpg"]["width"], by_source["a.jpg"]["height"]) == (640, 480)


def test_every_picture_is_on_disk_at_once(tmp_path):
    journal = Journal.create(tmp_path / "j", SETTINGS)
    for count, source in enumerate(SOURCES, start=2):
        fill(journal, [source])
        assert len((tmp_path / "j").read_bytes().splitlines()) == count
    journal.close()


def test_resuming_knows_what_is_done(tmp_path):
    with Journal.create(tmp_path / "j", SETTINGS) as journal:
        fill(journal, SOURCES[:3])
    with Journal.resume(tmp_path / "j", SETTINGS) as journal:
        assert len(journal) == 3
        assert [source in journal for source in SOURCES] == [True] * 3 + [False] * 3
        with pytest.raises(MienError, match=r"b\.jpg is in .* already"):
            fill(journal, SOURCES[:1])


def test_what_could_not_be_read_is_read_again_by_who_resumes(tmp_path):
    with Journal.create(tmp_path / "j", SETTINGS) as journal:
        fill(journal, ["a.jpg", "bad.png", "bad.jpg"])
        assert "bad.png" in journal
    with Journal.resume(tmp_path / "j", SETTINGS) as journal:
        assert [name in journal for name in ("a.jpg", "bad.png", "bad.jpg")] == [True, False, False]
        journal.add("bad.png", (640, 480), [reading("bad.png")])  # mended
        journal.add_error("bad.jpg", "It is still empty.")
    with Journal.resume(tmp_path / "j", SETTINGS) as journal:
        assert [name in journal for name in ("a.jpg", "bad.png", "bad.jpg")] == [True, True, False]
        fill(journal, ["bad.jpg"])
        found = {record["source"]: record["status"] for record in journal.records()}
    assert found == {"a.jpg": "ok", "bad.png": "ok", "bad.jpg": "error"}


def test_a_resumed_journal_is_byte_identical_wherever_it_was_cut(tmp_path):
    sources = [source for source in SOURCES if not source.startswith("bad")]
    with Journal.create(tmp_path / "whole", SETTINGS) as journal:
        fill(journal, sources)
    whole = (tmp_path / "whole").read_bytes()
    for length in range(len(whole) + 1):
        (tmp_path / "cut").write_bytes(whole[:length])
        with Journal.resume(tmp_path / "cut", SETTINGS) as journal:
            fill(journal, [source for source in sources if source not in journal])
        assert (tmp_path / "cut").read_bytes() == whole


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"detector": "yunet"}, "begun with detector 'haar', and this run has 'yunet'"),
        ({"model_sha256": "cd"}, "begun with model_sha256 'ab12', and this run has 'cd'"),
        ({"labels": "basic7"}, "begun with labels 'four'"),
    ],
)
def test_other_settings_are_an_error_that_names_them(tmp_path, change, complaint):
    with Journal.create(tmp_path / "j", SETTINGS) as journal:
        fill(journal, SOURCES)
    before = (tmp_path / "j").read_bytes()
    with pytest.raises(MienError, match=complaint):
        Journal.resume(tmp_path / "j", SETTINGS.model_copy(update=change))
    assert (tmp_path / "j").read_bytes() == before


@pytest.mark.parametrize("content", ["a,b\n1,2\n", "[]\n", '{"journal": 1}\n', "\xff\xfe\n"])
def test_a_file_that_is_no_journal_is_left_alone(tmp_path, content):
    (tmp_path / "j").write_text(content, encoding="latin-1")
    with pytest.raises(MienError, match="does not hold the results of an interrupted run"):
        Journal.resume(tmp_path / "j", SETTINGS)
    assert (tmp_path / "j").read_text(encoding="latin-1") == content


def test_a_journal_of_another_version(tmp_path):
    header = {"journal": 99, "settings": SETTINGS.model_dump(mode="json")}
    (tmp_path / "j").write_text(json.dumps(header) + "\n")
    with pytest.raises(MienError, match="another version of mien"):
        Journal.resume(tmp_path / "j", SETTINGS)


def test_a_damaged_line_is_named(tmp_path):
    with Journal.create(tmp_path / "j", SETTINGS) as journal:
        fill(journal, SOURCES)
    lines = (tmp_path / "j").read_text().splitlines(keepends=True)
    lines[2] = lines[2][:20] + "\n"
    (tmp_path / "j").write_text("".join(lines))
    with pytest.raises(MienError, match="Line 3 of"):
        Journal.resume(tmp_path / "j", SETTINGS)


def test_starting_anew_does_not_lose_finished_pictures(tmp_path):
    with Journal.create(tmp_path / "j", SETTINGS) as journal:
        fill(journal, SOURCES)
    with pytest.raises(MienError, match="continue it with --resume, or delete the file"):
        Journal.create(tmp_path / "j", SETTINGS)
    assert len((tmp_path / "j").read_bytes().splitlines()) == len(SOURCES) + 1


def test_a_journal_with_nothing_finished_is_replaced(tmp_path):
    Journal.create(tmp_path / "j", SETTINGS).close()
    other = SETTINGS.model_copy(update={"detector": "yunet"})
    Journal.create(tmp_path / "j", other).close()
    Journal.resume(tmp_path / "j", other).close()


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(MienError, match="cannot be written"):
        Journal.create(tmp_path / "file" / "j", SETTINGS)


def test_names_that_are_no_utf8_can_be_written(tmp_path):
    source = b"caf\xe9.jpg".decode("utf-8", "surrogateescape")
    assert printable(source) == r"caf\xe9.jpg"
    with Journal.create(tmp_path / "j", SETTINGS) as journal:
        journal.add(source, (1, 1), [])
        assert source in journal
        assert next(journal.records())["source"] == r"caf\xe9.jpg"


def test_a_journal_has_one_writer_at_a_time(tmp_path):
    path = tmp_path / "j"
    with Journal.create(path, SETTINGS) as journal:
        fill(journal, SOURCES[:2])
        for start in (Journal.create, Journal.resume):
            with pytest.raises(BusyError, match="j is being written by another process"):
                start(path, SETTINGS)
        fill(journal, SOURCES[2:4])
    with Journal.resume(path, SETTINGS) as journal:
        assert len(journal) == 3  # what failed is tried again
    with pytest.raises(MienError, match="--resume"):
        Journal.create(path, SETTINGS)
    assert [left.name for left in tmp_path.iterdir()] == ["j"]
