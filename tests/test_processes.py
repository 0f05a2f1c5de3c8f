"""How many processors there are to use."""

from __future__ import annotations

import math
import os

import pytest

from mien import processes
from mien.processes import cpu_quota, usable_cpus


@pytest.mark.parametrize(
    ("content", "quota"),
    [
        ("150000 100000\n", 1.5),
        ("400000 100000\n", 4.0),
        ("max 100000\n", math.inf),
        ("", math.inf),
        ("nonsense\n", math.inf),
        (None, math.inf),
    ],
)
def test_a_groups_quota(tmp_path, content, quota):
    if content is not None:
        (tmp_path / "cpu.max").write_text(content)
    assert cpu_quota(tmp_path) == quota


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """The process in a group of its own, on a machine of eight processors."""
    (tmp_path / "system.slice" / "mien.service").mkdir(parents=True)
    (tmp_path / "cgroup").write_text("3:cpuset:/\n0::/system.slice/mien.service\n")
    monkeypatch.setattr(processes, "GROUPS", tmp_path)
    monkeypatch.setattr(processes, "OWN_GROUP", tmp_path / "cgroup")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    return tmp_path


def test_the_smallest_quota_of_all_groups_holds(groups):
    assert usable_cpus() == 8
    (groups / "cpu.max").write_text("max 100000\n")
    assert usable_cpus() == 8
    (groups / "system.slice" / "cpu.max").write_text("350000 100000\n")
    assert usable_cpus() == 3
    (groups / "system.slice" / "mien.service" / "cpu.max").write_text("20000 100000\n")
    assert usable_cpus() == 1
    (groups / "cgroup").write_text("0::/\n")  # as a container sees itself
    assert usable_cpus() == 8
    (groups / "cpu.max").write_text("200000 100000\n")
    assert usable_cpus() == 2


def test_without_groups_the_processors_count(groups):
    (groups / "cgroup").unlink()
    assert usable_cpus() == 8
