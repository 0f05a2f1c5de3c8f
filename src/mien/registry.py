"""Registries that find their entries by themselves: one file per entry, one decorator per file.

Installed packages add entries of their own by entry points, without a change of these files.
"""

from __future__ import annotations

import importlib
import pkgutil
import threading
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from mien.errors import MienError, unknown_name

T = TypeVar("T")


class Registry(Generic[T]):
    """Named entries that live one per module inside a package, or in packages installed beside it.

    The package's modules are imported on first use, so adding an entry means adding a file. Entry
    points of other distributions, in the group that has the package's name, are imported one by
    one, when they are asked for.

    Args:
        kind: What an entry is, for error sentences ("detector").
        package: Dotted name of the package whose modules register themselves.
        error: The error class raised for an unknown name, an entry of another distribution that
            cannot be imported, and two entries of one name, of which one is such.
    """

    def __init__(self, kind: str, package: str, error: type[MienError] = MienError) -> None:
        self.kind = kind
        self._package = package
        self._error = error
        self._entries: dict[str, T] = {}
        self._offered: dict[str, EntryPoint] = {}
        self._discovered = False
        self._lock = threading.RLock()

    def register(self, name: str) -> Callable[[T], T]:
        """Return a decorator that registers a class, function or object under `name`."""

        def add(entry: T) -> T:
            if name in self._entries:
                raise RuntimeError(f"The {self.kind} {name!r} is registered twice.")
            self._entries[name] = entry
            return entry

        return add

    def __getitem__(self, name: str) -> T:
        self._discover()
        if name not in self._entries:
            self._entries[name] = self._load(name)
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        self._discover()
        return iter(sorted({*self._entries, *self._offered}))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _discover(self) -> None:
        if self._discovered:
            return
        with self._lock:
            package = importlib.import_module(self._package)
            for module in pkgutil.iter_modules(package.__path__):
                importlib.import_module(f"{self._package}.{module.name}")
            self._offered = self._entry_points()
            self._discovered = True

    def _entry_points(self) -> dict[str, EntryPoint]:
        """Return what other distributions offer, by name."""
        holders = dict.fromkeys(self._entries, f"mien's own in {self._package}")
        found = {}
        for point in entry_points(group=self._package):
            if point.name in holders:
                raise self._error(
                    f"The {self.kind} {point.name!r} is there twice: {holders[point.name]} and"
                    f" {_described(point)}; the latter must be renamed or uninstalled."
                )
            holders[point.name] = _described(point)
            found[point.name] = point
        return found

    def _load(self, name: str) -> T:
        if name not in self._offered:
            raise self._error(unknown_name(self.kind, name, self))
        point = self._offered[name]
        try:
            entry: T = point.load()
        except Exception as error:  # whatever another's module may do when it is imported
            raise self._error(
                f"The {self.kind} {name!r}, {_described(point)}, cannot be imported: {error}."
            ) from error
        return entry


def _described(point: EntryPoint) -> str:
    return f"{point.value} of {point.dist.name if point.dist else 'another distribution'}"
