"""How each kind of experiment that trains is run, one file each.

To add one, add a file with a function that is called with a job and a bench and returns a
`Measured`, and register it; `mien.reproduction.plan` says what such an experiment must name.
"""

from __future__ import annotations

from collections.abc import Callable

from mien.registry import Registry
from mien.reproduction.bench import Bench
from mien.reproduction.job import Job
from mien.reproduction.measured import Measured

Runner = Callable[[Job, Bench], Measured]
"""Runs a job, or goes on where it was interrupted."""

KINDS: Registry[Runner] = Registry("kind of experiment", "mien.reproduction.kinds")
