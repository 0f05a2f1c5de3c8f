from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest
from clips import settled

from mien.inference.video.ahead import Ahead, check_wanted


def counting(taken, most=10_000):
    for number in range(most):
        taken.append(number)
        yield number


def test_items_come_in_order():
    with Ahead(iter(range(1000)), size=3) as ahead:
        assert list(ahead) == list(range(1000))


def test_no_more_than_so_many_items_wait():
    taken = []
    with Ahead(counting(taken), size=5) as ahead:
        assert settled(taken) == 6  # five wait, one is in the hand
        assert ahead.take(3) == [0, 1, 2]
        assert settled(taken) == 9


def test_what_is_ready_is_taken_at_once():
    taken = []
    with Ahead(counting(taken, 10), size=20) as ahead:
        settled(taken)
        assert ahead.take(4) == [0, 1, 2, 3]
        assert ahead.take(100) == [4, 5, 6, 7, 8, 9]
        assert ahead.take(100) == []
        assert ahead.take(100) == []


def test_an_error_comes_after_the_items_before_it():
    def broken():
        yield 1
        raise ValueError("broken")

    with Ahead(broken(), size=5) as ahead:
        time.sleep(0.05)
        assert ahead.take(10) == [1]
        with pytest.raises(ValueError, match="broken"):
            ahead.take(10)


def test_leaving_ends_the_thread_and_closes_the_iterator():
    closed = threading.Event()

    def endless():
        try:
            while True:
                yield 0
        finally:
            closed.set()

    before = threading.active_count()
    with Ahead(endless(), size=2) as ahead:
        ahead.take(1)
    assert closed.is_set()
    assert threading.active_count() == before


def test_several_iterators_keep_each_their_order():
    numbers = [[(who, number) for number in range(200)] for who in range(3)]
    with Ahead(*numbers, size=4) as ahead:
        found = list(ahead)
    assert sorted(found) == [item for items in numbers for item in items]
    for who in range(3):
        assert [number for owner, number in found if owner == who] == list(range(200))


HELD = """
import atexit, time
left = []
# What is registered first is called last.
atexit.register(lambda: print([thread.is_alive() for thread in left]))
from mien.inference.live.latest import Latest
from mien.inference.live.sources import Shot
from mien.inference.video.ahead import Ahead

def numbers():
    while True:
        time.sleep(0.01)
        yield 1

class Source:
    name, returns = "source", True
    def shots(self):
        for number in numbers():
            yield Shot(None, 0.0)

def stream():
    with Ahead(numbers(), size=2) as first, Ahead(iter(first), size=2) as second:
        left.extend(first._threads + second._threads)
        with Latest(Source(), 1.0) as latest:
            left.append(latest._thread)
            while True:
                latest.take(1)
                yield from second.take(1)

held = stream()
print(next(held))
"""


def test_threads_end_before_python_does():
    done = subprocess.run(
        [sys.executable, "-c", HELD], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split("\n") == ["1", "[False, False, False]", ""]


def test_who_waits_for_what_was_stopped_waits_no_longer():
    never = threading.Event()

    def waiting():
        never.wait(20)
        yield 1

    ahead = Ahead(waiting(), size=1).__enter__()
    threading.Timer(0.2, ahead.stop, (0.1,)).start()
    assert ahead.take(1) == []
    never.set()


def test_leaving_ends_work_that_has_no_item_yet():
    begun = threading.Event()

    def nothing_yet():
        while True:
            begun.set()
            check_wanted()
            time.sleep(0.01)
            yield from ()

    def leave():
        with Ahead(nothing_yet(), size=2) as first, Ahead(iter(first), size=2):
            begun.wait()

    leaving = threading.Thread(target=leave, daemon=True)
    leaving.start()
    leaving.join(timeout=20)
    assert not leaving.is_alive()


def test_who_is_in_no_thread_of_its_own_is_always_wanted():
    check_wanted()
