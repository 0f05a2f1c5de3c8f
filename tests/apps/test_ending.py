"""Commands that a signal ends as Ctrl-C does."""

import os
import signal
import subprocess
import sys

import pytest

BLOCK = """
import os, signal, sys, time
from mien.apps.cli.ending import ended_as_by_ctrl_c
if "ignored" in sys.argv:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
try:
    with ended_as_by_ctrl_c():
        try:
            for name in sys.argv[1].split(","):
                os.kill(os.getpid(), getattr(signal, name))
            time.sleep(0.2)
            print("went on")
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.2)
            print("closed whole")
except KeyboardInterrupt:
    print("interrupted")
"""


def said(*arguments):
    command = [sys.executable, "-c", BLOCK, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.split("\n")


@pytest.mark.skipif(os.name != "posix", reason="sends signals as POSIX does")
@pytest.mark.parametrize("names", ["SIGTERM", "SIGHUP", "SIGHUP,SIGHUP"])
def test_a_second_signal_does_not_break_off_the_end(names):
    assert said(names) == ["closed whole", "interrupted", ""]


@pytest.mark.skipif(os.name != "posix", reason="sends signals as POSIX does")
def test_a_hang_up_that_is_ignored_stays_so():
    assert said("SIGHUP", "ignored")[0] == "went on"


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there is no SIGHUP")
def test_handlers_are_given_back():
    from mien.apps.cli.ending import ended_as_by_ctrl_c

    before = [signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGHUP)]
    with ended_as_by_ctrl_c():
        assert signal.getsignal(signal.SIGTERM) != before[0]
    assert [signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGHUP)] == before
