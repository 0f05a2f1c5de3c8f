"""The audit of a dataset: one check per file, found by name in `CHECKS`.

To add a check, add a file with a class that has the members of `Check` and register it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from mien.data.audit.evidence import Evidence
from mien.data.dataset import FaceDataset
from mien.errors import DataError
from mien.registry import Registry


@dataclass(frozen=True)
class Finding:
    """One face, or one unreadable file, that a check points at.

    Args:
        check: The check's name.
        index: Position of the face in the dataset; None for a file that could not be read.
        group: Number of the finding's group within the check, -1 where faces stand alone.
        value: What was measured; its unit is the check's.
        drop: Whether `mien data clean --drop CHECK` leaves this face out.
        note: What was found, for people.
    """

    check: str
    index: int | None
    group: int
    value: float
    drop: bool
    note: str


@dataclass(frozen=True)
class Table:
    """Figures beside the findings: what they are, the columns' names and the rows."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str | int, ...], ...]


@dataclass(frozen=True)
class Result:
    """What a check found.

    Args:
        check: The check's name.
        title: A heading.
        explanation: What the check looks for, and what its findings mean here.
        counts: Figures worth knowing, by what they count.
        findings: The faces, the most telling first.
        tables: Further figures.
        missing: A sentence that says what the check lacked, if it could not run.
    """

    check: str
    title: str
    explanation: str
    counts: dict[str, int]
    findings: tuple[Finding, ...]
    tables: tuple[Table, ...] = ()
    missing: str = ""

    @property
    def marked(self) -> int:
        """How many faces are marked for dropping; one may be found for several reasons."""
        return len({finding.index for finding in self.findings if finding.drop})


class Check(Protocol):
    """What an audit check does."""

    def run(self, dataset: FaceDataset, evidence: Evidence, *, progress: bool = False) -> Result:
        """Look at a whole dataset; `progress` shows a bar where it takes long."""


CHECKS: Registry[type[Check]] = Registry("audit check", "mien.data.audit", DataError)


def audit(
    dataset: FaceDataset,
    checks: Sequence[str] | None = None,
    evidence: Evidence | None = None,
    *,
    progress: bool = False,
) -> list[Result]:
    """Run checks over a dataset.

    Args:
        dataset: Any dataset.
        checks: Their names; None for all.
        evidence: What is known beside the dataset; None for nothing.
        progress: Whether to show bars.

    Raises:
        DataError: If there is no check of a name.
    """
    chosen = list(CHECKS) if checks is None else list(dict.fromkeys(checks))
    runs = [CHECKS[name]().run for name in chosen]
    return [run(dataset, evidence or Evidence(), progress=progress) for run in runs]
