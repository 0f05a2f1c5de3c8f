"""JSON that is checked while it is read."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterator

DECODER = json.JSONDecoder()

SPACE = re.compile(r"[ \t\n\r]*")

STARTS = {"{": "an object", "[": "a list", '"': "a string"}
"""What begins with what."""

OTHERS = frozenset("-0123456789tfn")
"""What numbers, true, false and null begin with."""


class JsonMistakeError(Exception):
    """What is wrong in a JSON text, in words that follow its place.

    Args:
        place: Where it is, such as `images.0.data`; empty for the whole.
        found: What is wrong.
    """

    def __init__(self, place: str, found: str) -> None:
        super().__init__(found)
        self.place = place
        self.found = found


class JsonScanner:
    """Reads objects, lists and strings, and stops at the first thing that is not wanted.

    A parser that makes values of whatever comes needs up to fifty times the text's own memory, for
    values that nobody wants. Here there are only those that are asked for.

    Args:
        text: The JSON.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._place: list[str] = []

    def members(self, names: Container[str]) -> Iterator[str]:
        """Give the names of an object's members; each value must be read before the next name.

        Args:
            names: Those that there may be.

        Raises:
            JsonMistakeError: If there is no object, or it has another name or one twice.
        """
        self._begin("{")
        seen: set[str] = set()
        more = not self._take("}")
        while more:
            name = self.string()
            if name not in names:
                raise JsonMistakeError(self._where(name), "There may be no such field")
            if name in seen:
                raise JsonMistakeError(self._where(name), "Given twice")
            seen.add(name)
            self._need(":")
            self._place.append(name)
            yield name
            self._place.pop()
            more = self._goes_on("}")

    def items(self) -> Iterator[int]:
        """Give the numbers of a list's items; each value must be read before the next number.

        Raises:
            JsonMistakeError: If there is no list.
        """
        self._begin("[")
        number = 0
        more = not self._take("]")
        while more:
            self._place.append(str(number))
            yield number
            self._place.pop()
            number += 1
            more = self._goes_on("]")

    def string(self) -> str:
        """Read a string.

        Raises:
            JsonMistakeError: If there is none.
        """
        self._expect('"')
        try:
            found, self._at = DECODER.raw_decode(self._text, self._at)
        except json.JSONDecodeError as error:
            raise self._invalid(error.pos) from None
        return str(found)

    def end(self) -> None:
        """Check that nothing follows.

        Raises:
            JsonMistakeError: If something does.
        """
        if self._next():
            raise self._invalid(self._at)

    def missing(self, name: str) -> JsonMistakeError:
        """Return what to raise where an object should have had a member."""
        return JsonMistakeError(self._where(name), "Field required")

    def _begin(self, mark: str) -> None:
        self._expect(mark)
        self._at += 1

    def _expect(self, mark: str) -> None:
        found = self._next()
        if found == mark:
            return
        if found and (found in STARTS or found in OTHERS):
            raise JsonMistakeError(self._where(), f"It must be {STARTS[mark]}")
        raise self._invalid(self._at)

    def _goes_on(self, last: str) -> bool:
        if self._take(last):
            return False
        self._need(",")
        return True

    def _need(self, mark: str) -> None:
        if not self._take(mark):
            raise self._invalid(self._at)

    def _take(self, mark: str) -> bool:
        taken = self._next() == mark
        self._at += taken
        return taken

    def _next(self) -> str:
        """Return the next character that is no space; "" at the end."""
        space = SPACE.match(self._text, self._at)
        self._at = space.end() if space else self._at
        return self._text[self._at : self._at + 1]

    def _where(self, *more: str) -> str:
        return ".".join([*self._place, *more])

    def _invalid(self, at: int) -> JsonMistakeError:
        return JsonMistakeError(self._where(), f"Invalid JSON at character {at + 1}")
