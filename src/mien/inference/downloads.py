"""Files that are fetched once and kept: where they lie, and how they are checked."""

from __future__ import annotations

import hashlib
import http.client
import os
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from mien.errors import ModelError
from mien.files import sha256, whole_file

TIMEOUT = 20.0
"""Seconds without an answer after which a download is given up."""


def home() -> Path:
    """Return the folder for downloaded files: `$MIEN_HOME`, else `mien` in the user's cache."""
    if folder := os.environ.get("MIEN_HOME"):
        return Path(folder).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "mien"


@dataclass(frozen=True)
class Download:
    """A file on the network whose content is known.

    Args:
        name: Its name in `home()`.
        url: Where it is fetched from.
        sha256: What it must hash to, in hexadecimal.
        purpose: What needs it, for error sentences.
    """

    name: str
    url: str
    sha256: str
    purpose: str

    def path(self) -> Path:
        """Return the file's path, downloading it if `home()` does not hold it yet.

        Raises:
            ModelError: If it cannot be fetched or stored, or has not the content it should.
        """
        path = home() / self.name
        if not path.exists():
            self._store(self._fetch(), path)
        elif sha256(path) != self.sha256:
            raise ModelError(
                f"{path} is not the file that {self.purpose} needs (its sha256 is not "
                f"{self.sha256[:12]}…): delete it, or name yours with --detector-weights."
            )
        return path

    def _fetch(self) -> bytes:
        try:
            with urllib.request.urlopen(self.url, timeout=TIMEOUT) as answer:
                content: bytes = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise ModelError(
                f"The weights of {self.purpose} could not be downloaded from {self.url} ({error}): "
                f"put {self.name} into {home()} or another folder named by MIEN_HOME, or give its "
                f"path with --detector-weights."
            ) from error
        if (found := hashlib.sha256(content).hexdigest()) != self.sha256:
            raise ModelError(
                f"The file at {self.url} has sha256 {found[:12]}…, and {self.purpose} needs "
                f"{self.sha256[:12]}…: nothing was stored."
            )
        return content

    def _store(self, content: bytes, path: Path) -> None:
        try:
            with whole_file(path) as temporary:
                temporary.write_bytes(content)
        except OSError as error:
            raise ModelError(
                f"The weights of {self.purpose} cannot be stored as {path} ({error.strerror}): "
                f"name a writable folder with MIEN_HOME."
            ) from error
