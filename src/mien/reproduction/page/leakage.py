"""How much of the figures is leakage."""

from __future__ import annotations

from mien.reproduction.findings import Findings
from mien.reproduction.leaks import Leak, leaks
from mien.reproduction.page.markdown import OF, points, section, summarised, table
from mien.reproduction.twins import Twins, own_twins

ABOUT = (
    "Each recipe twice, alike but for the leaks and computed in the same precision: CK+48 divided"
    " at random and by subject, FER2013's official splits with and without the training images that"
    " have an identical twin in PublicTest or PrivateTest; with these go as many images to learn"
    " from. Near copies and people are not kept apart on FER2013, for nobody is named there"
    " ([protocol](protocol.md)). Test accuracy of epochs that validation selected. The difference"
    " is of the same seeds, with Student's 95 % interval over them; of the official test faces,"
    " which every seed shares, it contains the chance of training and not that of the faces. On"
    " CK+48 the two sides have other test faces, too, as their divisions are others."
)

HEADER = ("experiment", "data", "leaks left in", "without", "difference, points")

ON_TWINS = (
    "On the PrivateTest faces alone that have an identical twin in Training or PublicTest, with the"
    " twins in Training left there and without, and what that adds to the figure of all faces. Of"
    " the few whose twin is in PublicTest alone nothing is left out. The other faces have no"
    " identical twin to be known by; they differ by the chance of two trainings, and by what the"
    " near copies and the number of training images do:"
)

ON_TWINS_HEADER = (
    "experiment",
    "twins in training",
    "without",
    "adds to all faces, points",
    "other faces, points",
)

OWN = (
    "The papers' own divisions: all faces that a figure is of, those without an identical twin"
    " among the faces that were trained on, or that chose the epoch of a test, and those with one:"
)

OWN_HEADER = ("experiment", "all faces", "without twins", "twins alone", "how many")

NOTHING = "Not run yet."

NAMES = {"ckplus48": "CK+48", "fer2013": "FER2013"}


def leakage(findings: Findings) -> str:
    """Return the section, from the experiments that were run both ways."""
    found, own = list(leaks(findings)), list(own_twins(findings))
    parts = [ABOUT]
    if found:
        parts.append(table(HEADER, [_cells(findings, leak) for leak in found]))
        parts += [_sentence(found, dataset) for dataset in NAMES]
    twins = [leak for leak in found if leak.twins is not None]
    if twins:
        parts += [ON_TWINS, table(ON_TWINS_HEADER, [_on_twins(findings, leak) for leak in twins])]
    if own:
        parts += [OWN, table(OWN_HEADER, [_own(findings, one) for one in own])]
    return section("How much is leakage", *(parts if len(parts) > 1 else [ABOUT, NOTHING]))


def _named(findings: Findings, one: Leak | Twins) -> str:
    return f"{findings.plans[one.paper].source}: {one.experiment.title}"


def _cells(findings: Findings, leak: Leak) -> tuple[str, ...]:
    between = ""
    if leak.low is not None and leak.high is not None:
        between = f" [{points(leak.low)}, {points(leak.high)}]"
    return (
        _named(findings, leak),
        NAMES[leak.dataset],
        summarised(leak.leaky),
        summarised(leak.honest),
        points(leak.difference) + between,
    )


def _on_twins(findings: Findings, leak: Leak) -> tuple[str, ...]:
    assert leak.twins is not None
    figures = (f"{value:.3f}" for value in (leak.twins.leaky, leak.twins.honest))
    added = leak.twins.difference
    return (_named(findings, leak), *figures, points(added), points(leak.difference - added))


def _own(findings: Findings, own: Twins) -> tuple[str, ...]:
    return (
        f"{_named(findings, own)}, {OF[own.split]}",
        summarised(own.every),
        summarised(own.without),
        f"{own.alone:.3f}",
        f"{own.faces:,}",
    )


def _sentence(found: list[Leak], dataset: str) -> str:
    """Sum up a dataset's rows."""
    found = [leak for leak in found if leak.dataset == dataset]
    differences = sorted(leak.difference for leak in found)
    if not differences:
        return ""
    count, (low, high) = len(differences), (differences[0], differences[-1])
    of = "the one experiment" if count == 1 else f"{count} experiments"
    span = points(low) if count == 1 else f"{points(low)} to {points(high)}"
    lows = [leak.low for leak in found if leak.low is not None]
    said = f"On {NAMES[dataset]} the differences are {span} points, in {of}; {_clear(lows)}."
    return said + _by_twins(found)


def _by_twins(found: list[Leak]) -> str:
    """Say what the faces that have a twin add."""
    made = sorted(leak.twins.difference for leak in found if leak.twins is not None)
    if not made:
        return ""
    span = points(made[0]) if len(made) == 1 else f"{points(made[0])} to {points(made[-1])}"
    return (
        f" The faces that have an identical twin add {span} points to the figures of all: so much"
        " is leakage by identical images."
    )


def _clear(lows: list[float]) -> str:
    """Say how many intervals lie above 0, by their lower ends; a single seed has none."""
    if not lows:
        return "of one seed each, so without intervals"
    return f"intervals that lie above 0: {sum(low > 0 for low in lows)} of {len(lows)}"
