import os
from pathlib import Path

import pytest

from mien.errors import MienError
from mien.files import check_file, check_folder, sha256, whole_file, whole_folder


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "new" / "out.csv"
    with pytest.raises(KeyboardInterrupt), whole_file(path) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert list(path.parent.iterdir()) == []
    with whole_file(path) as temporary:
        temporary.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    assert path.stat().st_mode & 0o077 == 0o044


def test_a_failed_write_leaves_the_old_folder(tmp_path):
    path = tmp_path / "store"
    with whole_folder(path) as temporary:
        (temporary / "a").write_text("old")
    with pytest.raises(OSError, match="disk"), whole_folder(path) as temporary:
        (temporary / "a").write_text("new")
        raise OSError("no space left on disk")
    assert (path / "a").read_text() == "old"
    with whole_folder(path) as temporary:
        (temporary / "b").write_text("new")
    assert [p.name for p in path.iterdir()] == ["b"]
    assert [p.name for p in tmp_path.iterdir()] == ["store"]


def test_sha256_of_the_empty_file(tmp_path):
    (tmp_path / "empty").touch()
    assert sha256(tmp_path / "empty").startswith("e3b0c44298fc1c14")


def test_nothing_is_left_where_a_folder_cannot_be_moved_aside(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OSError), whole_folder(tmp_path / "file"):  # noqa: PT011 — as systems say it
        pass
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "mine"


def test_what_stands_in_a_file_can_be_neither_folder_nor_file(tmp_path):
    (tmp_path / "file").touch()
    check_folder(tmp_path / "new" / "folder")
    check_folder(tmp_path)
    check_file(tmp_path / "new" / "file")
    check_file(tmp_path / "file")
    for path in (tmp_path / "file", tmp_path / "file" / "a" / "b"):
        with pytest.raises(MienError, match=r"file must be a folder to write to\. Got a file"):
            check_folder(path)
    with pytest.raises(MienError, match=r"file must be a folder to write to\. Got a file"):
        check_file(tmp_path / "file" / "a")
    with pytest.raises(MienError, match=r"must be a file to write\. Got a folder"):
        check_file(tmp_path)


def test_a_link_stays_and_its_target_is_replaced(tmp_path):
    (tmp_path / "far").mkdir()
    target = tmp_path / "far" / "data"
    target.write_text("old")
    for name, leads_to in (("near.csv", Path("far", "data")), ("new.csv", Path("none", "yet"))):
        link = tmp_path / name
        link.symlink_to(leads_to)
        check_file(link)
        with whole_file(link) as temporary:
            assert temporary.suffix == ".csv"
            temporary.write_text("new")
        assert link.is_symlink()
        assert (tmp_path / leads_to).read_text() == "new"
    assert [path.name for path in target.parent.iterdir()] == ["data"]


@pytest.mark.skipif(os.name != "posix", reason="makes a pipe as POSIX does")
def test_a_pipe_is_neither_replaced_nor_written_to(tmp_path):
    pipe, link = tmp_path / "pipe.csv", tmp_path / "link.csv"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for path in (pipe, link):
        with pytest.raises(MienError, match=r"csv must be a file to write\. Got a device, a pipe"):
            check_file(path)
        with pytest.raises(OSError, match="Is a device, a pipe or a socket"), whole_file(path):
            pass
    assert pipe.is_fifo()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.csv", "pipe.csv"]


def test_a_name_as_long_as_names_can_be_is_written(tmp_path):
    path = tmp_path / f"{'ü' * 125}.csv"
    with whole_file(path) as temporary:
        temporary.write_text("x")
    assert path.read_text() == "x"
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
