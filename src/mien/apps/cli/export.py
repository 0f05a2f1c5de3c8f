"""`mien export`: from a run to an ONNX file with its card inside."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.apps.cli.console import say
from mien.apps.cli.extras import need


def export(
    run: Annotated[Path, typer.Argument(help="A run's folder, as `mien train` leaves it.")],
    out: Annotated[Path, typer.Option("--out", help="The ONNX file to write.")],
    card: Annotated[
        Path | None, typer.Option("--card", help="Write the model card as Markdown here, too.")
    ] = None,
    name: Annotated[str, typer.Option(help="The model's name; the run folder's by default.")] = "",
    description: Annotated[str, typer.Option(help="One sentence for the card.")] = "",
    licence: Annotated[str, typer.Option(help="The licence of your weights.")] = "",
) -> None:
    """Export a run's best epoch as one ONNX file that describes itself.

    Labels, preprocessing, temperatures, recipe, data fingerprint and test figures travel inside;
    the outputs are checked against torch's.
    """
    need("train", "Exporting")
    from mien.export.export import export_run
    from mien.export.model_card import model_card_page
    from mien.files import whole_file
    from mien.training.run import Run

    written = export_run(Run(run), out, name=name, description=description, licence=licence)
    say(f"Wrote {out}: {written.payload_bytes / 1e6:.1f} MB, {written.macs / 1e6:.0f} MMAC")
    if card:
        with whole_file(card) as path:
            path.write_text(model_card_page(written), encoding="utf-8")
        say(f"Wrote {card}")
