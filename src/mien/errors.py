"""The errors of mien: one sentence each, naming what is wrong and the nearest right name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class MienError(ValueError):
    """A user's mistake or bad input. Its text is one sentence a user can act on."""


class DataError(MienError):
    """A dataset file, row or folder that cannot be read as what it claims to be."""


class ImageError(MienError):
    """A picture that cannot be decoded."""


class VideoError(MienError):
    """A video or a camera that cannot be opened or decoded."""


class ModelError(MienError):
    """A model file that is missing, corrupt or was not exported by mien."""


class RecipeError(MienError):
    """A recipe with an unknown key, a wrong type or an impossible combination."""


class TrainingError(MienError):
    """A training that cannot go on."""


class BusyError(MienError):
    """A file or folder that another process is writing."""


class MissingExtraError(MienError):
    """A feature whose optional dependencies are not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(
            f"{feature} needs the extra [{extra}]: pip install '.[{extra}]' in mien's folder."
        )
        self._given = (feature, extra)

    def __reduce__(self) -> tuple[type[MissingExtraError], tuple[str, str]]:
        # By its text alone it could not be made again in the process that receives it.
        return type(self), self._given


def unknown_name(kind: str, name: object, known: Iterable[str]) -> str:
    """Return the sentence for a name that is not among the known ones.

    Args:
        kind: What the name should have been, such as "detector".
        name: What was found.
        known: The valid names.
    """
    names = sorted(known)
    near = difflib.get_close_matches(str(name).lower(), names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names) or 'none'}."
    return f"Unknown {kind} {name!r}: {hint}"
