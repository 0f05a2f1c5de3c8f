"""Codings: what people or programs say of pictures, one word for each."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from mien.data.tables import column_name, csv_rows
from mien.errors import DataError, MienError
from mien.labels import ClassNames, class_key

PICTURES = ("id", "path", "source", "picture", "image", "file", "filename")
"""The column that names the picture is the first of these."""

CATEGORIES = ("label", "answer", "expression", "emotion", "code")
"""The column that says what it shows is the first of these."""

LARGEST = ("", "0")
"""In a column `face`, what stands for the picture: its largest face, which coders look at."""

NOT_CODED = -1

SHORT = 2
"""Letters of a word that is as often a code of an ethogram as an expression."""

_WHOLE = re.compile(r"(\d+)[.,]0+")

_Said = TypeVar("_Said")


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

    @property
    def alone(self) -> list[str]:
        """The pictures that one coder alone codes, and that are therefore not compared."""
        coders = (self.codes != NOT_CODED).sum(0)
        return [name for name, count in zip(self.pictures, coders) if count == 1]


def read_coding(
    path: Path,
    *,
    picture: str | None = None,
    category: str | None = None,
    names: ClassNames | None = None,
) -> Coding:
    """Read a CSV table with a column for the picture and one for what it shows.

    Words are understood as `category_of` does. mien's own results are such tables, too.

    Args:
        path: The table; its name without suffix is the coder's.
        picture: The column of the picture; the first of `PICTURES` where the table lacks it.
        category: The column of what it shows; the first of `CATEGORIES` where the table lacks it.
        names: What words mean beyond the usual spellings.

    Raises:
        DataError: If it cannot be read, lacks a column, or names a picture twice.
    """
    known, said = names or ClassNames(), dict[str, str]()
    columns = columns_of(path)
    at = column_of(columns, named_first(picture, PICTURES), path)
    what = column_of(columns, named_first(category, CATEGORIES), path)
    face = columns.get("face")
    with csv_rows(path) as rows:
        for row in rows:
            if face is not None and plain(row[face]) not in LARGEST:
                continue
            name = same_name(row[at])
            if name in said:
                raise DataError(f"{path}, line {rows.line_num}: names {name!r} a second time.")
            category = category_of(row[what], known) if row[what].strip() else ""
            if category:
                said[name] = category
    if not said:
        raise DataError(f"{path} says of no picture what it shows.")
    return Coding(path.stem, said)


def columns_of(path: Path) -> dict[str, str]:
    """Return a table's columns by their names in lower case.

    Raises:
        DataError: If it cannot be read.
    """
    with csv_rows(path) as rows:
        return {column_name(name): name for name in rows.fieldnames or ()}


def named_first(named: str | None, usual: Sequence[str]) -> Sequence[str]:
    """Return which columns are looked for: the user's before the usual ones."""
    return (named, *usual) if named else usual


def first_of(columns: Mapping[str, str], wanted: Iterable[str]) -> str:
    """Return the first of the wanted columns that a table has; "" if it has none of them."""
    return next((columns[name.lower()] for name in wanted if name.lower() in columns), "")


def column_of(columns: Mapping[str, str], wanted: Sequence[str], path: Path) -> str:
    """Return the first of the wanted columns that a table has; `columns` are keyed in lower case.

    Raises:
        DataError: If it has none; names those it has.
    """
    found = first_of(columns, wanted)
    if not found:
        raise DataError(
            f"{path}: wanted a column {' or '.join(wanted)}, found"
            f" {', '.join(columns.values()) or 'an empty file'}."
        )
    return found


def check_named(tables: Sequence[Path], *named: str | None) -> None:
    """Check that each column that the user named is in one of the tables; others may lack it.

    Raises:
        DataError: If none has it; names those of the first.
    """
    columns = [columns_of(path) for path in tables]
    for name in filter(None, named):
        if columns and not any(first_of(one, (name,)) for one in columns):
            column_of(columns[0], (name,), tables[0])


def category_of(text: str, names: ClassNames) -> str:
    """Return the expression that a word means, or the word itself in lower case.

    Expressions are understood in any usual spelling but those of two letters, which are as often
    the codes of an ethogram: they mean what the user says they do, or themselves. A class that the
    user leaves out is "", as if nothing was said.
    """
    word = class_key(text)
    if names.leaves_out(word):
        return ""
    if len(word) == SHORT and word not in names.own:
        return word
    try:
        return names.expression(word)
    except MienError:
        return word


def same_name(name: str) -> str:
    """Return what names are compared by: macOS stores an accented letter as two characters."""
    return unicodedata.normalize("NFC", name)


def plain(cell: str) -> str:
    """Return a cell without blanks around it; 1.0, as programs write 1 beside gaps, is 1."""
    text = same_name(cell).strip()
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else text


def short_codes(categories: Iterable[str], names: ClassNames) -> list[str]:
    """Return the categories of two letters that a usual spelling is like."""
    return [word for word in categories if len(word) == SHORT and names.knows(word)]


def by_slashes(said: Mapping[str, _Said]) -> Mapping[str, _Said]:
    """Return what is said by names with forward slashes, whichever system wrote them."""
    return {name.replace("\\", "/"): what for name, what in said.items()}


def file_name(path: str) -> str:
    """Return a path's last part; it is of the system that wrote it, with either slash."""
    return PureWindowsPath(same_name(path)).name


def by_file_name(said: Mapping[str, _Said]) -> Mapping[str, _Said]:
    """Return what is said by file names; as it is if two pictures, or videos, have the same."""
    short = {file_name(name): what for name, what in said.items()}
    return short if len(short) == len(said) else said


def together(codings: Sequence[Coding]) -> Codes:
    """Return what several coders say, picture by picture.

    Where one of them names no picture as another does, all are told apart by file names alone, if
    slashes do not make the difference.

    Raises:
        MienError: If there are not two coders, two have one name, or one shares no picture.
    """
    coders = tuple(coding.coder for coding in codings)
    check_coders(coders)
    said = [coding.said for coding in codings]
    for renamed in (by_slashes, by_file_name):
        if strangers(said):
            said = [renamed(words) for words in said]
    apart = strangers(said)
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


def coder_names(paths: Sequence[Path]) -> list[str]:
    """Return what coders are called: as their files, or as the folders of those named alike."""
    stems = [path.stem for path in paths]
    names = [
        stem if stems.count(stem) == 1 else path.parent.resolve().name or stem
        for path, stem in zip(paths, stems)
    ]
    return names if len(set(names)) == len(names) else stems


def check_coders(coders: Sequence[str]) -> None:
    """Check that there are several coders, each with a name of its own.

    Raises:
        MienError: If not.
    """
    repeated = next((name for name in coders if coders.count(name) > 1), None)
    if len(coders) < 2 or repeated is not None:
        got = f"{repeated!r} twice" if repeated else f"{len(coders)}"
        raise MienError(f"Agreement is of two or more coders with names that differ. Got {got}.")


def strangers(said: Sequence[Mapping[str, object]]) -> list[int]:
    """Return the places of the coders who share no picture, or video, with any other."""
    times = Counter(name for words in said for name in words)
    return [coder for coder, words in enumerate(said) if all(times[name] == 1 for name in words)]
