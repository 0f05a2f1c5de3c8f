"""Registries that find their entries by themselves: one file per entry, one decorator per file."""

from __future__ import annotations

import importlib
import pkgutil
import threading
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from mien.errors import MienError, unknown_name

T = TypeVar("T")


class Registry(Generic[T]):
    """Named entries that live one per module inside a package.

    The package's modules are imported on first use, so adding an entry means adding a file.

    Args:
        kind: What an entry is, for error sentences ("detector").
        package: Dotted name of the package whose modules register themselves.
        error: The error class raised for an unknown name.
    """

    def __init__(self, kind: str, package: str, error: type[MienError] = MienError) -> None:
        self.kind = kind
        self._package = package
        self._error = error
        self._entries: dict[str, T] = {}
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
            raise self._error(unknown_name(self.kind, name, self._entries))
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        self._discover()
        return iter(sorted(self._entries))

    def __len__(self) -> int:
        self._discover()
        return len(self._entries)

    def _discover(self) -> None:
        if self._discovered:
            return
        with self._lock:
            package = importlib.import_module(self._package)
            for module in pkgutil.iter_modules(package.__path__):
                importlib.import_module(f"{self._package}.{module.name}")
            self._discovered = True
