"""Annotations of ELAN: `.eaf` files, whose tiers hold annotations with begin and end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

from mien.errors import DataError, unknown_name
from mien.evaluation.coders.codings import category_of, file_name
from mien.evaluation.coders.stretches import Said, Stretch, TimedCoding, in_order, joined
from mien.labels import ClassNames

SUFFIX = ".eaf"

Slots = dict[str, float | None]


def is_elan(path: Path) -> bool:
    """Say whether a path is an ELAN file or a folder, of which the ELAN files count."""
    return path.is_dir() or _is_file(path)


def _is_file(path: Path) -> bool:
    return path.suffix.lower() == SUFFIX and not path.name.startswith(".")


def read_elan(path: Path, tier: str | None = None, names: ClassNames | None = None) -> TimedCoding:
    """Read one tier of an ELAN file, or of each in a folder: one coder's.

    Args:
        path: The file or folder; its name without suffix is the coder's. A file's video is the
            first of its media.
        tier: The tier's name; by default the only one with annotations.
        names: What words mean beyond the usual spellings.

    Raises:
        DataError: If it is not of ELAN, has no such tier, or several where none is named, the
            tier's annotations have no times of their own, or two files are of one video.
    """
    files = sorted(filter(_is_file, path.iterdir())) if path.is_dir() else [path]
    if not files:
        raise DataError(f"{path} holds no ELAN file (*{SUFFIX}).")
    videos: dict[str, Sequence[Stretch]] = {}
    for file in files:
        video, stretches = _read(file, tier, names or ClassNames())
        if video in videos:
            raise DataError(f"{file} is of the video {video!r}, as another file in {path} is.")
        videos[video] = stretches
    return TimedCoding(path.stem, videos, rests=True)


def _read(path: Path, tier: str | None, names: ClassNames) -> tuple[str, Sequence[Stretch]]:
    try:
        top = ElementTree.parse(path).getroot()
    except OSError as error:
        raise DataError(f"{path} cannot be opened: {error.strerror}.") from error
    except ElementTree.ParseError as error:
        raise DataError(f"{path} is not an ELAN file: {error}.") from error
    media = top.find("HEADER/MEDIA_DESCRIPTOR")
    about = {} if media is None else media.attrib
    slots = _slots(top, _seconds(about.get("TIME_ORIGIN", "0"), path), path)
    found = [
        Said(f"{path}, annotation {one.get('ANNOTATION_ID')}", _stretch(one, slots, names, path))
        for one in _annotations(top, tier, path)
    ]
    return file_name(unquote(about.get("MEDIA_URL", ""))), joined(in_order(found))


def _annotations(
    top: ElementTree.Element, tier: str | None, path: Path
) -> Sequence[ElementTree.Element]:
    tiers = {one.get("TIER_ID", ""): one for one in top.iter("TIER")}
    if not tiers:
        raise DataError(f"{path} is not an ELAN file with a tier.")
    if tier is not None and tier not in tiers:
        raise DataError(f"{path}: {unknown_name('tier', tier, tiers)}")
    used = [name for name, one in tiers.items() if one.find("ANNOTATION") is not None]
    if tier is None and len(used) > 1:
        raise DataError(f"{path} has the tiers {', '.join(used)}: name one with --tier.")
    chosen = tier if tier is not None else (used or list(tiers))[0]
    found = tiers[chosen].findall("ANNOTATION/ALIGNABLE_ANNOTATION")
    if len(found) != len(tiers[chosen].findall("ANNOTATION")):
        raise DataError(
            f"{path}: the annotations of the tier {chosen!r} have no times of their own: name the"
            " tier that they refer to, or give them times in ELAN."
        )
    return found


def _slots(top: ElementTree.Element, origin: float, path: Path) -> Slots:
    """Return the times that annotations refer to, in seconds; None where ELAN knows none.

    Args:
        top: The file's root.
        origin: Which time of the video ELAN counts from.
        path: The file, for the error.
    """
    slots: Slots = {}
    for slot in top.iter("TIME_SLOT"):
        value = slot.get("TIME_VALUE")
        slots[slot.get("TIME_SLOT_ID", "")] = (
            None if value is None else _seconds(value, path) + origin
        )
    return slots


def _seconds(milliseconds: str, path: Path) -> float:
    try:
        return int(milliseconds) / 1000
    except ValueError:
        raise DataError(
            f"{path}: a time must be whole milliseconds. Got {milliseconds!r} instead."
        ) from None


def _stretch(one: ElementTree.Element, slots: Slots, names: ClassNames, path: Path) -> Stretch:
    start, end = (slots.get(one.get(f"TIME_SLOT_REF{place}", "")) for place in (1, 2))
    if start is None or end is None or end < start:
        raise DataError(
            f"{path}: the annotation {one.get('ANNOTATION_ID')} has no begin or end, or they are"
            " exchanged."
        )
    text = one.findtext("ANNOTATION_VALUE") or ""
    return Stretch(start, end, category_of(text, names) if text.strip() else "")
