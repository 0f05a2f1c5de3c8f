"""The one vocabulary of expressions, and the label sets that give an index its meaning."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.errors import DataError, MienError, unknown_name

EXPRESSIONS = (
    "anger",
    "contempt",
    "disgust",
    "fear",
    "happiness",
    "neutral",
    "sadness",
    "surprise",
)
"""Every expression mien knows, in the order all label sets keep."""

VOTES = (*EXPRESSIONS, "unknown", "not_a_face")
"""The columns of a vote table: FER+ raters could also say "unknown" and "not a face" (NF)."""

OWN = "+"
"""Joins the expressions in the name of a label set of one's own."""

SPELLINGS = {
    "anger": ("angry", "an", "ang", "marah"),
    "contempt": ("contemptuous", "scorn", "co"),
    "disgust": ("disgusted", "di", "dis", "jijik"),
    "fear": ("fearful", "afraid", "scared", "fe", "fea", "takut"),
    "happiness": ("happy", "joy", "joyful", "ha", "hap", "senang", "bahagia", "gembira"),
    "neutral": ("neutrality", "ne", "neu", "netral"),
    "sadness": ("sad", "sa", "sedih"),
    "surprise": ("surprised", "su", "sur", "terkejut", "kaget"),
}
"""Other spellings found in datasets and papers, also Indonesian ones, by expression."""

_BY_SPELLING = {
    spelling: expression
    for expression, others in SPELLINGS.items()
    for spelling in (expression, *others)
}


def class_key(name: str) -> str:
    """Return what a name is compared by: macOS stores an accented letter as two characters."""
    return unicodedata.normalize("NFC", name).strip().lower()


def parse_expression(text: str) -> str:
    """Return the vocabulary's name for an expression in any known spelling.

    Raises:
        MienError: If the spelling is not known; names the nearest one.
    """
    key = class_key(text)
    if key not in _BY_SPELLING:
        raise MienError(unknown_name("expression", text, EXPRESSIONS))
    return _BY_SPELLING[key]


class ClassNames:
    """What a dataset's class names mean: the known spellings, and the user's own.

    Args:
        own: Expression by class name, such as `{"freude": "happiness"}`, or "" to leave the faces
            of that class out; case does not matter.

    Raises:
        MienError: If one of the user's names stands for no known expression.
    """

    def __init__(self, own: Mapping[str, str] | None = None) -> None:
        given = (own or {}).items()
        self._own = {class_key(name): parse_expression(e) if e else "" for name, e in given}
        self._meant: Mapping[str, str] = _BY_SPELLING

    @property
    def own(self) -> Mapping[str, str]:
        """What the user's own names mean, by the names as they are compared."""
        return self._own

    def with_codes(self, expressions: Iterable[str]) -> ClassNames:
        """Return the names with codes, 0 and on, beside them; the user's own go before."""
        names = ClassNames(self._own)
        codes = {str(code): expression for code, expression in enumerate(expressions)}
        names._meant = {**self._meant, **codes}
        return names

    def knows(self, name: str) -> bool:
        """Say whether a class name means an expression, or is to be left out."""
        key = class_key(name)
        return key in self._own or key in self._meant

    def leaves_out(self, name: str) -> bool:
        """Say whether the faces of a class are to be left out."""
        return self._own.get(class_key(name)) == ""

    def expression(self, name: str) -> str:
        """Return the expression that a class name means.

        Raises:
            MienError: If it means none, and then the nearest known one; or is to be left out.
        """
        if self.leaves_out(name):
            raise MienError(f"The class {name!r} is to be left out: it means no expression here.")
        key = class_key(name)
        return self._own.get(key) or self._meant.get(key) or parse_expression(name)

    def check(self, names: Iterable[str], where: str) -> None:
        """Check that every class name means an expression.

        Raises:
            DataError: Listing those that do not.
        """
        unknown = sorted({name for name in names if not self.knows(name)})
        if unknown:
            raise DataError(
                f"{where}: unknown class names {', '.join(map(repr, unknown))}; known are"
                f" {', '.join(EXPRESSIONS)} in usual spellings, others can be given with --name"
                " (--name unknown= leaves a class out)."
            )


@dataclass(frozen=True)
class LabelSet:
    """An ordered set of expressions: the only place where an index means an expression.

    Args:
        name: How recipes, datasets and models refer to it.
        expressions: At least two expressions, each once, in the vocabulary's order.
    """

    name: str
    expressions: tuple[str, ...]

    def __post_init__(self) -> None:
        for expression in self.expressions:
            if expression not in EXPRESSIONS:
                raise MienError(unknown_name("expression", expression, EXPRESSIONS))
        ordered = tuple(e for e in EXPRESSIONS if e in self.expressions)
        if len(self.expressions) < 2 or self.expressions != ordered:
            raise MienError(
                f"The expressions of label set {self.name!r} must be two or more of "
                f"{', '.join(EXPRESSIONS)}, each once and in this order. "
                f"Got {', '.join(self.expressions) or 'none'} instead."
            )

    def __len__(self) -> int:
        return len(self.expressions)

    def index(self, expression: str) -> int:
        """Return the index of an expression in any known spelling.

        Raises:
            MienError: If this label set does not hold the expression.
        """
        name = parse_expression(expression)
        if name not in self.expressions:
            raise MienError(
                f"Label set {self.name!r} has no {name!r}: it holds {', '.join(self.expressions)}."
            )
        return self.expressions.index(name)

    def positions_in(self, wider: LabelSet) -> NDArray[np.intp]:
        """Return, for each expression of this set, its index in a set that holds them all.

        Raises:
            MienError: If `wider` lacks one of the expressions.
        """
        return np.array([wider.index(e) for e in self.expressions], dtype=np.intp)


def _label_sets(sets: Iterable[tuple[str, tuple[str, ...]]]) -> dict[str, LabelSet]:
    return {name: LabelSet(name, expressions) for name, expressions in sets}


LABEL_SETS = _label_sets(
    [
        ("ferplus8", EXPRESSIONS),
        ("basic7", tuple(e for e in EXPRESSIONS if e != "contempt")),
        ("ckplus7", tuple(e for e in EXPRESSIONS if e != "neutral")),
        ("four", ("anger", "happiness", "neutral", "sadness")),
    ]
)
"""The label sets of the datasets and papers: FER+, FER2013, CK+ and the four-class papers."""


def smallest_label_set(expressions: Iterable[str]) -> LabelSet:
    """Return the smallest named label set that holds all the expressions.

    Raises:
        MienError: If one of them is not in the vocabulary.
    """
    wanted = {parse_expression(expression) for expression in expressions}
    fitting = (labels for labels in LABEL_SETS.values() if wanted <= set(labels.expressions))
    return min(fitting, key=len)


def label_set(name: str) -> LabelSet:
    """Return a label set by name, or one's own from its expressions.

    Args:
        name: One of `LABEL_SETS`, or expressions in any known spelling and order, joined by "+",
            such as "happy+sad+neutral".

    Raises:
        MienError: If there is none of that name, or an expression is not known or occurs twice;
            names the nearest one.
    """
    if OWN in name:
        return _own_label_set(name)
    if name not in LABEL_SETS:
        raise MienError(unknown_name("label set", name, LABEL_SETS))
    return LABEL_SETS[name]


def _own_label_set(name: str) -> LabelSet:
    given = [parse_expression(part) for part in name.split(OWN)]
    if len(set(given)) < len(given):
        raise MienError(f"Label set {name!r} names an expression more than once.")
    chosen = tuple(e for e in EXPRESSIONS if e in given)
    known = (labels for labels in LABEL_SETS.values() if labels.expressions == chosen)
    return next(known, LabelSet(OWN.join(chosen), chosen))
