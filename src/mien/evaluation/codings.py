"""Codings: what people or programs say of pictures, one word for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

import numpy as np
from numpy.typing import NDArray

from mien.data.tables import csv_rows
from mien.errors import DataError, MienError
from mien.labels import ClassNames

PICTURES = ("id", "path", "source", "picture", "image", "file", "filename")
"""The column that names the picture is the first of these."""

CATEGORIES = ("label", "answer", "expression", "emotion", "code")
"""The column that says what it shows is the first of these."""

LARGEST = ("", "0")
"""In a column `face`, what stands for the picture: its largest face, which coders look at."""

NOT_CODED = -1


@dataclass(frozen=True)
class Coding:
    """What one coder says.

    Args:
        coder: The coder's name.
        said: The category by picture; pictures that are not coded are not there.
    """

    coder: str
    said: Mapping[str, str]


@dataclass(frozen=True)
class Codes:
    """What several coders say of the same pictures.

    Args:
        coders: K names.
        pictures: U names, each coded by one of them or more.
        categories: C names.
        codes: int (K, U), from 0; `NOT_CODED` where a coder says nothing.
    """

    coders: tuple[str, ...]
    pictures: tuple[str, ...]
    categories: tuple[str, ...]
    codes: NDArray[np.int64]


def read_coding(
    path: Path,
    *,
    picture: str | None = None,
    category: str | None = None,
    names: ClassNames | None = None,
) -> Coding:
    """Read a CSV table with a column for the picture and one for what it shows.

    Expressions are understood in any usual spelling; other words are categories of their own.
    mien's own results are such tables, too.

    Args:
        path: The table; its name without suffix is the coder's.
        picture: The column of the picture; by default the first of `PICTURES`.
        category: The column of what it shows; by default the first of `CATEGORIES`.
        names: What words mean beyond the usual spellings.

    Raises:
        DataError: If it cannot be read, lacks a column, or names a picture twice.
    """
    known, said = names or ClassNames(), dict[str, str]()
    with csv_rows(path) as rows:
        columns = {name.strip().lower(): name for name in rows.fieldnames or ()}
        at = column_of(columns, (picture,) if picture else PICTURES, path)
        what = column_of(columns, (category,) if category else CATEGORIES, path)
        face = columns.get("face")
        for row in rows:
            if face is not None and row[face].strip() not in LARGEST:
                continue
            if row[at] in said:
                raise DataError(f"{path}, line {rows.line_num}: names {row[at]!r} a second time.")
            if row[what].strip():
                said[row[at]] = category_of(row[what], known)
    if not said:
        raise DataError(f"{path} says of no picture what it shows.")
    return Coding(path.stem, said)


def column_of(columns: Mapping[str, str], wanted: Sequence[str], path: Path) -> str:
    """Return the first of the wanted columns that a table has; `columns` are keyed in lower case.

    Raises:
        DataError: If it has none; names those it has.
    """
    found = next((columns[name.lower()] for name in wanted if name.lower() in columns), None)
    if found is None:
        raise DataError(
            f"{path}: wanted a column {' or '.join(wanted)}, found"
            f" {', '.join(columns.values()) or 'an empty file'}."
        )
    return found


def category_of(text: str, names: ClassNames) -> str:
    """Return the expression that a word means, or the word itself in lower case."""
    try:
        return names.expression(text)
    except MienError:
        return text.strip().lower()


def together(codings: Sequence[Coding]) -> Codes:
    """Return what several coders say, picture by picture.

    Where one of them names no picture as another does, all are told apart by file names alone.

    Raises:
        MienError: If there are not two coders, two have one name, or one shares no picture.
    """
    coders = tuple(coding.coder for coding in codings)
    check_coders(coders)
    said = [coding.said for coding in codings]
    if alone(said):
        said = [_by_file_name(coding).said for coding in codings]
    apart = alone(said)
    if apart:
        first = next(iter(said[apart[0]]))
        raise MienError(
            f"{coders[apart[0]]} names no picture as another coder does, {first!r} first."
        )
    pictures = tuple(sorted(set().union(*said)))
    categories = tuple(sorted({category for words in said for category in words.values()}))
    index = {category: number for number, category in enumerate(categories)}
    codes = [[index.get(words.get(name, ""), NOT_CODED) for name in pictures] for words in said]
    return Codes(coders, pictures, categories, np.array(codes, dtype=np.int64))


def check_coders(coders: Sequence[str]) -> None:
    """Check that there are several coders, each with a name of its own.

    Raises:
        MienError: If not.
    """
    repeated = next((name for name in coders if coders.count(name) > 1), None)
    if len(coders) < 2 or repeated is not None:
        got = f"{repeated!r} twice" if repeated else f"{len(coders)}"
        raise MienError(f"Agreement is of two or more coders with names that differ. Got {got}.")


def alone(said: Sequence[Mapping[str, object]]) -> list[int]:
    """Return the places of the coders who share no picture, or video, with any other."""
    times = Counter(name for words in said for name in words)
    return [coder for coder, words in enumerate(said) if all(times[name] == 1 for name in words)]


def _by_file_name(coding: Coding) -> Coding:
    """Return a coding by file names; as it is if two pictures have the same."""
    short = {PurePath(name).name: category for name, category in coding.said.items()}
    return replace(coding, said=short) if len(short) == len(coding.said) else coding
