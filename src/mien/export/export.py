"""Export a finished run or an ensemble: network, temperatures, recipe and figures in one file."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from mien import __version__
from mien.card import Figure, Head, Member, ModelCard, Views
from mien.data.prepare.settings import done_before
from mien.errors import MienError
from mien.evaluation.average.ensemble import Ensemble, EnsembleMember
from mien.evaluation.average.views import with_views
from mien.evaluation.doubt import DoubtReport
from mien.evaluation.report import doubt_name
from mien.export.ancestors import ancestors_of, is_shipped
from mien.export.naming import check_name
from mien.export.onnx import write_onnx
from mien.files import read_json
from mien.models.cost import count_macs
from mien.training.run import Run, report_name


def export_run(
    run: Run,
    path: Path,
    *,
    name: str = "",
    description: str = "",
    licence: str = "",
    views: Views = "none",
) -> ModelCard:
    """Export the best epoch of an evaluated run as ONNX.

    Args:
        run: A run with the report of these views.
        path: The file to write.
        name: The model's name; the run folder's by default.
        description: One sentence; made from the recipe by default.
        licence: Of the weights; "" to leave it open.
        views: What the graph sees of a face.

    Returns:
        The card inside the file.

    Raises:
        MienError: If the run was not evaluated with these views, or another model that ships with
            mien has the name.
        ModelError: If ONNX Runtime's outputs differ from torch's.
    """
    heads, figures, doubt = _report(run, views)
    recipe, recipe_text = run.recipe(), run.recipe_file.read_text(encoding="utf-8")
    name = name or run.folder.resolve().name
    check_name(name, [recipe_text])
    network = with_views(run.module().network, views)
    card = ModelCard(
        name=name,
        mien_version=__version__,
        description=_description(run, description),
        heads=heads,
        signals=doubt.signals,
        doubt=doubt.doubt,
        preprocess=recipe.preprocess,
        parameters=sum(p.numel() for p in network.parameters()),
        macs=count_macs(network, recipe.preprocess.size),
        licence=licence,
        recipe=recipe_text,
        data_fingerprint=run.data()["fingerprint"],
        ancestors=ancestors_of([recipe_text]),
        views=views,
        figures=(*figures, *doubt.figures),
    )
    return write_onnx(network, card, path)


def _description(run: Run, given: str) -> str:
    """Return the sentence for the card, and what was done to the faces but is not to photos."""
    data = run.data()
    said = given or f"{run.recipe().network.name} trained on {data['name']}"
    treated = " and ".join(done_before(data["history"]))
    if not treated:
        return said
    return (
        f"{said.rstrip('.')}. Trained on faces prepared with {treated}: photos given to this model"
        " are not treated so"
    )


def export_ensemble(
    ensemble: Ensemble, path: Path, *, name: str = "", description: str = "", licence: str = ""
) -> ModelCard:
    """Export an ensemble as one ONNX file; the members that do not count are left out.

    Args:
        ensemble: Measured.
        path: The file to write.
        name: The model's name; the file's by default.
        description: One sentence; names the members by default.
        licence: Of the weights; "" to leave it open.

    Returns:
        The card inside the file.

    Raises:
        MienError: If another model that ships with mien has the name.
        ModelError: If ONNX Runtime's outputs differ from torch's.
    """
    sources = [member.source for member in ensemble.members]
    name = name or path.stem
    check_name(name, [source.recipe_text for source in sources])
    network = ensemble.network()
    preprocess = sources[0].recipe.preprocess
    names = ", ".join(source.name for source in sources)
    card = ModelCard(
        name=name,
        mien_version=__version__,
        description=description or f"Mean of the {ensemble.averaging} of {names}",
        heads=tuple(report.head for report in ensemble.reports),
        signals=ensemble.doubt.signals,
        doubt=ensemble.doubt.doubt,
        preprocess=preprocess,
        parameters=sum(p.numel() for p in network.parameters()),
        macs=count_macs(network, preprocess.size),
        licence=licence,
        recipe="",
        data_fingerprint=sources[0].data_fingerprint,
        ancestors=ancestors_of(s.recipe_text for s in sources if not is_shipped(s.sha256)),
        views=ensemble.views,
        averaging=ensemble.averaging,
        members=tuple(_member(member) for member in ensemble.members),
        figures=(
            *(figure for report in ensemble.reports for figure in report.figures),
            *ensemble.doubt.figures,
        ),
    )
    return write_onnx(network, card, path)


def _member(member: EnsembleMember) -> Member:
    source = member.source
    return Member(
        name=source.name,
        sha256=source.sha256,
        weights=member.shares,
        temperatures=member.temperatures,
        recipe=source.recipe_text,
    )


def _report(run: Run, views: Views) -> tuple[tuple[Head, ...], tuple[Figure, ...], DoubtReport]:
    if not run.recipe_file.exists():
        raise MienError(f"{run.folder} is not a run: it holds no {run.recipe_file.name}.")
    path = run.folder / report_name(views)
    if not path.exists() and views == "none":
        raise MienError(
            f"{run.folder} has no {path.name}: it was not measured; mien train with --resume does"
            " that, or mien evaluate."
        )
    if not path.exists():
        raise MienError(
            f"{run.folder} has no {path.name}: measure it first, with"
            f" mien evaluate {run.folder} --tta {views} --data DATA."
        )
    doubt = run.folder / doubt_name(views)
    try:
        reports = read_json(path)
        heads = tuple(Head.model_validate(report["head"]) for report in reports)
        figures = tuple(Figure.model_validate(f) for report in reports for f in report["figures"])
        return heads, figures, DoubtReport.model_validate(read_json(doubt))
    except (ValidationError, TypeError, KeyError) as error:
        raise MienError(
            f"{path.name} or {doubt.name} of {run.folder} is not what mien train wrote: measure"
            f" the run again, with mien evaluate {run.folder} --data DATA."
        ) from error
