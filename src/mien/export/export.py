"""Export a finished run: network, temperatures, recipe and figures into one file."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from mien import __version__
from mien.card import Figure, Head, ModelCard
from mien.errors import MienError
from mien.evaluation.report import REPORT
from mien.export.onnx import write_onnx
from mien.training.run import Run, read_json


def export_run(
    run: Run, path: Path, *, name: str = "", description: str = "", licence: str = ""
) -> ModelCard:
    """Export the best epoch of an evaluated run as ONNX.

    Args:
        run: A run with a `report.json`.
        path: The file to write.
        name: The model's name; the run folder's by default.
        description: One sentence; made from the recipe by default.
        licence: Of the weights; "" to leave it open.

    Returns:
        The card inside the file.

    Raises:
        MienError: If the run was not evaluated.
        ModelError: If ONNX Runtime's outputs differ from torch's.
    """
    heads, figures = _report(run)
    recipe = run.recipe()
    network = run.module().network
    side = recipe.preprocess.size
    card = ModelCard(
        name=name or run.folder.resolve().name,
        mien_version=__version__,
        description=description or f"{recipe.network.name} trained on {run.data()['name']}",
        heads=heads,
        preprocess=recipe.preprocess,
        parameters=sum(p.numel() for p in network.parameters()),
        macs=count_macs(network, side),
        licence=licence,
        recipe=run.recipe_file.read_text(encoding="utf-8"),
        data_fingerprint=run.data()["fingerprint"],
        figures=figures,
    )
    return write_onnx(network, card, path)


def count_macs(network: nn.Module, side: int) -> int:
    """Return the multiply-accumulates of one face of (1, side, side) pixels."""
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        network.eval()(torch.zeros(1, 1, side, side))
    return int(counter.get_total_flops()) // 2


def _report(run: Run) -> tuple[tuple[Head, ...], tuple[Figure, ...]]:
    path = run.folder / REPORT
    if not run.recipe_file.exists():
        raise MienError(f"{run.folder} is not a run: it holds no {run.recipe_file.name}.")
    if not path.exists():
        raise MienError(f"{run.folder} has no {REPORT}: it was not trained to the end.")
    reports = read_json(path)
    heads = tuple(Head.model_validate(report["head"]) for report in reports)
    figures = tuple(Figure.model_validate(f) for report in reports for f in report["figures"])
    return heads, figures
