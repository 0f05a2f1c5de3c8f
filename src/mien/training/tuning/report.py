"""A search as a page, a table and a recipe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import tomli_w
from matplotlib.figure import Figure

from mien import pages
from mien.figures import png
from mien.files import whole_file
from mien.recipe import Recipe
from mien.training.schedules import direction
from mien.training.tuning.bar import shown
from mien.training.tuning.pictures import history_plot, importance_plot, parallel_plot
from mien.training.tuning.records import Record, write_table
from mien.training.tuning.space import Space, with_values

PAGE, TABLE, BEST = "tuning.html", "trials.csv", "best.toml"

HOW = (
    "Trials were compared by the best epoch's figure on validation; test faces were not looked at."
    " The best of many trials is good partly by luck: its figure on validation is too good. Train"
    " the best recipe and measure it once on test."
)

VARIANCE = (
    "How much of the variance of the figure each key explains by itself, over the complete trials"
    " (functional analysis of variance over a random forest, Hutter et al., 2014)."
)


@dataclass(frozen=True)
class Tuned:
    """A search as far as it is.

    Args:
        recipe: What was trained with other values.
        space: What was searched.
        records: The trials of all workers.
        best: The best complete one.
        importances: Share of variance by key, the largest first; empty where nothing can be said.
        how: Sampler, pruning and so on, as a piece of a sentence.
    """

    recipe: Recipe
    space: Space
    records: tuple[Record, ...]
    best: Record | None
    importances: dict[str, float]
    how: str

    @property
    def smallest(self) -> bool:
        """Whether the smallest figure is the best."""
        return direction(self.recipe.training.select) == "min"

    def ranked(self) -> list[Record]:
        """Return the complete trials, the best first."""
        complete = [r for r in self.records if r.state == "complete"]
        return sorted(complete, key=lambda r: r.value or 0.0, reverse=not self.smallest)

    def counts(self) -> str:
        """Say how many trials ended how."""
        states = Counter(record.state for record in self.records)
        return ", ".join(f"{count} {state}" for state, count in states.items()) or "none"


def write_report(tuned: Tuned, folder: Path) -> None:
    """Write `tuning.html`, `trials.csv` and, where a trial is complete, `best.toml`."""
    write_table(tuned.records, tuned.space, folder / TABLE)
    with whole_file(folder / PAGE) as path:
        title = f"Tuning of {tuned.recipe.name}"
        path.write_text(pages.page(title, _sections(tuned)), encoding="utf-8")
    if tuned.best is not None:
        _write_best(tuned.recipe, tuned.best, folder / BEST)


def _write_best(recipe: Recipe, best: Record, path: Path) -> None:
    changed = with_values(recipe, best.values, str(path))
    content = changed.model_dump(mode="json", exclude_none=True, exclude={"expected"})
    head = (
        f"# Trial {best.number} of a search: {recipe.training.select} {best.value:.4f} on"
        f" validation.\n# Changed: {', '.join(best.values)}.\n\n"
    )
    with whole_file(path) as temporary:
        temporary.write_text(head + tomli_w.dumps(content), encoding="utf-8")


def _sections(tuned: Tuned) -> Iterator[str]:
    select = tuned.recipe.training.select
    yield pages.paragraph(f"{tuned.how}: {tuned.counts()}.")
    yield pages.paragraph(HOW, note=True)
    if tuned.best is not None:
        best = tuned.best
        yield pages.section(
            "Best",
            pages.paragraph(f"Trial {best.number}: {select} {best.value:.4f}, written to {BEST}."),
            pages.table(("key", "value"), [(k, shown(v)) for k, v in best.values.items()]),
        )
        yield from _pictures(tuned)
    yield _trials(tuned)


def _pictures(tuned: Tuned) -> Iterator[str]:
    select, smallest = tuned.recipe.training.select, tuned.smallest
    history = history_plot(tuned.records, select, smallest=smallest)
    yield pages.section("History", _picture(history, "The figure of each trial"))
    lines = parallel_plot(tuned.records, tuned.space, select, smallest=smallest)
    yield pages.section("Values", _picture(lines, "Complete trials as lines through their values"))
    if tuned.importances:
        bars = importance_plot(tuned.importances)
        yield pages.section(
            "Importance",
            _picture(bars, "Importance of each key"),
            pages.paragraph(VARIANCE, note=True),
        )


def _trials(tuned: Tuned) -> str:
    ranked = [*tuned.ranked(), *(r for r in tuned.records if r.state != "complete")]
    header = ("trial", "state", tuned.recipe.training.select, "epochs", *tuned.space, "reason")
    return pages.section("Trials", pages.table(header, [_row(r, tuned.space) for r in ranked]))


def _row(record: Record, space: Space) -> tuple[str | int, ...]:
    value = "" if record.value is None else f"{record.value:.4f}"
    values = (shown(record.values.get(key, "")) for key in space)
    return (record.number, record.state, value, record.epochs, *values, record.reason)


def _picture(figure: Figure, alt: str) -> str:
    return pages.picture(png(figure), alt)
