import pytest

from mien.files import sha256, whole_file, whole_folder


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
