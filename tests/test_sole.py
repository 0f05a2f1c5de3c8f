import errno
import multiprocessing
import sys
import time

import pytest

from mien.errors import BusyError
from mien.sole import Sole, is_taken


def test_a_second_taker_is_told_and_a_later_one_is_not(tmp_path):
    path = tmp_path / "new" / "a.lock"
    with Sole(path, "First."):
        assert is_taken(path)
        with pytest.raises(BusyError, match=r"^Busy\.$"):
            Sole(path, "Busy.")
        with Sole(path.with_name("b.lock"), "Another."):
            assert len(list(path.parent.iterdir())) == 2
    assert list(tmp_path.iterdir()) == []
    assert not is_taken(path)
    with Sole(path, "Again."):
        pass


def test_an_error_in_the_block_frees_it_and_what_is_there_stays(tmp_path):
    with pytest.raises(KeyError), Sole(tmp_path / "new" / "a", "First."):
        (tmp_path / "new" / "file").touch()
        raise KeyError
    Sole(tmp_path / "new" / "a", "Again.").give_back()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["file"]


def test_folders_that_were_made_for_nothing_go(tmp_path):
    Sole(tmp_path / "a" / "b" / "c" / "lock", "Busy.").give_back()
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_cannot_be_made_is_no_endless_loop(tmp_path):
    (tmp_path / "lock").symlink_to(tmp_path / "missing" / "file")
    with pytest.raises(OSError, match="lock"):
        Sole(tmp_path / "lock", "Busy.")


def test_a_file_left_by_a_kill_locks_nothing(tmp_path):
    (tmp_path / "a").touch()
    assert not is_taken(tmp_path / "a")
    with Sole(tmp_path / "a", "First."):
        pass


def count(path, counter, together):
    """Have the lock fifty times, and add one to a file's number each time."""
    had = 0
    together.wait(60)
    while had < 50:
        try:
            with Sole(path, "Busy."):
                counter.write_text(str(int(counter.read_text()) + 1))
            had += 1
        except BusyError:
            time.sleep(0.0005)


def test_processes_never_have_it_together(tmp_path):
    """Two that count at once lose a count. The lock's file comes and goes all the while."""
    counter = tmp_path / "counter"
    counter.write_text("0")
    context = multiprocessing.get_context("spawn")
    given = (tmp_path / "lock", counter, context.Barrier(3))
    processes = [context.Process(target=count, args=given) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
        assert process.exitcode == 0
    assert int(counter.read_text()) == 150


@pytest.mark.skipif(sys.platform == "win32", reason="of flock")
@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP])
def test_a_file_system_without_locks_keeps_nobody_out(tmp_path, monkeypatch, number):
    def refuse(*_):
        raise OSError(number, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    with Sole(tmp_path / "a", "Busy."), Sole(tmp_path / "a", "Busy."):
        pass
    assert list(tmp_path.iterdir()) == []
