"""Results that are gathered in a journal and put in place when a run ends without error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, TypeVar

from mien.errors import MienError
from mien.files import whole_file
from mien.inference.lines import Lines

AnyJournal = TypeVar("AnyJournal", bound=Lines)
AnyGathered = TypeVar("AnyGathered", bound="Gathered[Any]")


class Gathered(Generic[AnyJournal]):
    """Turns a journal into a results file when its block ends without error.

    Until then the results stand in the journal, which an interrupted run leaves behind.

    Args:
        out: The file to write.
        journal: What is finished so far.
        write: Writes what the journal holds to a path.

    Attributes:
        journal: The journal.
    """

    def __init__(
        self, out: Path, journal: AnyJournal, write: Callable[[AnyJournal, Path], None]
    ) -> None:
        self.journal = journal
        self._out, self._write = out, write

    def __enter__(self: AnyGathered) -> AnyGathered:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self.journal:
            if error is None:
                self._put_in_place()
            if error is None or not len(self.journal):
                self.journal.discard()

    def _put_in_place(self) -> None:
        try:
            with whole_file(self._out) as temporary:
                self._write(self.journal, temporary)
        except OSError as error:
            raise MienError(f"{self._out} cannot be written: {error.strerror}.") from error


def partial_path(out: Path) -> Path:
    """Return where the journal of an unfinished results file stands."""
    return out.with_name(out.name + ".partial")
