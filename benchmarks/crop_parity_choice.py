"""Choosing the framing and the rotation on PublicTest, and showing both on other faces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product

from crop_parity_faces import Faces, Setting
from crop_parity_looks import Cut
from crop_parity_measures import SHIPPED, Bench, Row, Seen, pooled, rows
from crop_parity_scenes import SIZES, TILTS
from rich.progress import Progress

from mien.evaluation.metrics import accuracy
from mien.evaluation.paired import Difference
from mien.inference.detectors import Framing

ALIGNS = ("yunet",)
"""Detectors that tell where the eyes are."""

SCALES = (0.8, 0.88, 0.94, 1.0, 1.06, 1.12, 1.2, 1.32)
"""Sides of the square over the shipped framing's."""

SHIFTS = (-0.08, -0.04, 0.0, 0.04, 0.08)
"""Widths of the box by which the square lies lower than the shipped framing's."""

LEVELS = (0.0, 10.0, 20.0)
"""Degrees of tilt beyond which faces are rotated to level eyes."""

NEVER = "never"
"""The name of the shipped framing without rotation among `levelling`."""

UPRIGHT = Setting()
TILTED = [Setting(tilt=tilt) for tilt in TILTS]
REPORTED = [*(Setting(side=side) for side in SIZES), *TILTED]


@dataclass(frozen=True)
class Choice:
    """What PublicTest says of a detector's framing and of rotation.

    Args:
        framing: The most accurate of the grid.
        gain: Its accuracy less the shipped framing's.
        level: The best of `LEVELS`; None where not rotating is best, or eyes are not known.
        own: Accuracy on the own crops of the faces it found.
        grid: Accuracy less that of the own crops, by scale (rows) and shift.
        levels: The same in each setting by the tilt from which faces are rotated.
    """

    framing: Framing
    gain: Difference
    level: float | None
    own: float
    grid: list[list[Difference]]
    levels: dict[str, dict[str, Difference]]


def grid(name: str) -> dict[str, Cut]:
    """Return the framings that are tried with a detector, by scale and shift, in that order."""
    shipped = SHIPPED[name]
    return {
        f"{scale} {shift}": Cut(Framing(shipped.scale * scale, shipped.shift + shift))
        for scale, shift in product(SCALES, SHIFTS)
    }


def levelling(name: str) -> dict[str, Cut]:
    """Return the shipped framing without rotation and, where eyes are known, with it."""
    cuts = {NEVER: Cut(SHIPPED[name])}
    if name in ALIGNS:
        cuts |= {f"beyond {level:.0f}°": Cut(SHIPPED[name], level) for level in LEVELS}
    return cuts


def choose(bench: Bench, faces: Faces, bar: Progress) -> dict[str, Choice]:
    """Choose each detector's framing and rotation by accuracy on PublicTest."""
    cuts = {name: {**grid(name), **levelling(name)} for name in SHIPPED}
    upright = bench.see(faces, UPRIGHT, cuts, bar)
    levels = {name: levelling(name) for name in ALIGNS}
    tilted = {setting: bench.see(faces, setting, levels, bar) for setting in TILTED}
    found = {}
    for name, seen in upright.items():
        settings = {UPRIGHT: seen} | {s: by[name] for s, by in tilted.items() if name in by}
        found[name] = _choice(name, seen, settings)
    return found


def _choice(name: str, upright: Seen, settings: Mapping[Setting, Seen]) -> Choice:
    cuts = grid(name)
    figures = {cut: upright.less_own(cut) for cut in cuts}
    best = max(figures, key=lambda cut: figures[cut].value)
    levels = {
        setting.name: {level: seen.less_own(level) for level in levelling(name)}
        for setting, seen in settings.items()
    }
    total = {level: sum(by[level].value for by in levels.values()) for level in levelling(name)}
    level = max(total, key=total.__getitem__)
    ordered = list(figures.values())
    return Choice(
        framing=cuts[best].framing,
        gain=upright.gain(NEVER, best),
        level=levelling(name)[level].level,
        own=accuracy(upright.truth, upright.own),
        grid=[ordered[i : i + len(SHIFTS)] for i in range(0, len(ordered), len(SHIFTS))],
        levels=levels,
    )


def compared(name: str, choice: Choice) -> dict[str, Cut]:
    """Return the ways that PrivateTest and CK+48 show, by name.

    Rotation is shown where eyes are known, also if not rotating was best.
    """
    level = LEVELS[0] if choice.level is None and name in ALIGNS else choice.level
    cuts = {"shipped": Cut(SHIPPED[name]), "chosen": Cut(choice.framing)}
    if level is not None:
        cuts |= {f"{cut}, level": replace(cuts[cut], level=level) for cut in ("shipped", "chosen")}
    return cuts


def report(bench: Bench, faces: Faces, choices: Mapping[str, Choice], bar: Progress) -> list[Row]:
    """Return the figures of PrivateTest: each size, all of them together, and tilted faces."""
    cuts = {name: compared(name, choice) for name, choice in choices.items()}
    seen = {setting: bench.see(faces, setting, cuts, bar) for setting in REPORTED}
    found = []
    for name in cuts:
        for setting in REPORTED:
            found += rows(name, setting, seen[setting][name])
        found += pooled(name, UPRIGHT, [seen[s][name] for s in REPORTED if s.side])
    return found


def report_ckplus(
    bench: Bench, faces: Faces, choices: Mapping[str, Choice], bar: Progress
) -> list[Row]:
    """Return the figures of CK+48, its faces at all sizes in turn."""
    cuts = {name: compared(name, choice) for name, choice in choices.items()}
    seen = bench.see(faces, UPRIGHT, cuts, bar)
    return [row for name in cuts for row in rows(name, UPRIGHT, seen[name])]
