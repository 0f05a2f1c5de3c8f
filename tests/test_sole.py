import errno
import sys

import pytest

from mien.errors import BusyError
from mien.sole import give_back, sole, take


def test_a_second_taker_is_told_and_a_later_one_is_not(tmp_path):
    path = tmp_path / "new" / "a.lock"
    with sole(path, "First."):
        with pytest.raises(BusyError, match=r"^Busy\.$"):
            take(path, "Busy.")
        with sole(path.with_name("b.lock"), "Another."):
            assert len(list(path.parent.iterdir())) == 2
    assert list(path.parent.iterdir()) == []
    with sole(path, "Again."):
        pass


def test_an_error_in_the_block_frees_it(tmp_path):
    with pytest.raises(KeyError), sole(tmp_path / "a", "First."):
        raise KeyError
    give_back(take(tmp_path / "a", "Again."))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="of flock")
def test_a_file_system_without_locks_keeps_nobody_out(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    for _ in range(2):
        assert take(tmp_path / "a", "Busy.") is None
    give_back(None)
    assert list(tmp_path.iterdir()) == []
