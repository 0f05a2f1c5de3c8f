"""`mien export`: from a run to an ONNX file with its card inside."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.apps.cli.also import Also, judge_also, other_datasets
from mien.apps.cli.console import say
from mien.apps.cli.extras import need
from mien.errors import MienError

if TYPE_CHECKING:
    from mien.card import ModelCard
    from mien.training.run import Run

Card = Annotated[
    Path | None, typer.Option("--card", help="Write the model card as Markdown here, too.")
]
ClassNames = Annotated[
    list[str] | None,
    typer.Option(
        "--class-name",
        help="Understand a class name of the dataset: --class-name freude=happiness. Repeatable.",
    ),
]
"""As `--name` elsewhere, which is the model's name where a model is written."""

Tta = Annotated[
    str,
    typer.Option(
        "--tta",
        help="Test-time augmentation: flip sees each face mirrored, too; ten-crop ten parts of it.",
    ),
]


def export(
    run: Annotated[Path, typer.Argument(help="A run's folder, as `mien train` leaves it.")],
    out: Annotated[Path, typer.Option("--out", help="The ONNX file to write.")],
    card: Card = None,
    name: Annotated[
        str,
        typer.Option(
            help="The model's name; by default the run folder's, or the file's where a model that"
            " ships with mien has that."
        ),
    ] = "",
    description: Annotated[str, typer.Option(help="One sentence for the card.")] = "",
    licence: Annotated[str, typer.Option(help="The licence of your weights.")] = "",
    tta: Tta = "none",
    also: Also = None,
) -> None:
    """Export a run's best epoch as one ONNX file that describes itself.

    Labels, preprocessing, temperatures, recipe, data fingerprint and test figures travel inside;
    the outputs are checked against torch's.
    """
    need("train", "Exporting")
    from mien.evaluation.average.views import known_views
    from mien.export.export import export_run
    from mien.training.run import Run

    check_files(out, card)
    views, found = known_views(tta), Run(run)
    found.check_finished()
    others = other_datasets(also, found.data()["name"])
    name = name or _own_name(found, out)
    written = export_run(
        found, out, name=name, description=description, licence=licence, views=views
    )
    say_written(judge_also(out, written, others), out, card)


def _own_name(run: Run, out: Path) -> str:
    """Return the name of a model to whom none was given."""
    from mien.inference.zoo import shipped_models

    own = run.folder.resolve().name
    if own not in shipped_models() or out.stem in shipped_models():
        return own
    say(f"{own} is a model that ships with mien: this one is called {out.stem}, after its file.")
    return out.stem


def check_files(out: Path, card: Path | None) -> None:
    """Check where a model and its card are to go, before anything long begins.

    Raises:
        MienError: If one is a folder, or both are one file.
    """
    from mien.files import check_file

    if card is not None and card.resolve() == out.resolve():
        raise MienError(f"--card must be another file than the model. Got {card} for both.")

    for path in filter(None, (out, card)):
        check_file(path)


def say_written(written: ModelCard, out: Path, card: Path | None) -> None:
    """Say what an exported file weighs and costs, and write its card as a page, if wanted."""
    from mien.export.model_card import model_card_page
    from mien.files import whole_file

    say(f"Wrote {out}: {written.payload_bytes / 1e6:.1f} MB, {written.macs / 1e6:.0f} MMAC")
    if card:
        with whole_file(card) as path:
            path.write_text(model_card_page(written), encoding="utf-8")
        say(f"Wrote {card}")
