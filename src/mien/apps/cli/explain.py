"""`mien explain`: what a network looks at, in the faces of a photo or of a dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from mien.apps.cli.console import results, say
from mien.apps.cli.data import Layout, Names, load
from mien.apps.cli.extras import need
from mien.apps.cli.options import Detector, DetectorWeights, given
from mien.errors import ImageError, MienError, unknown_name
from mien.files import check_folder
from mien.inference.folders import REPORT_MARK
from mien.inference.own_folder import OwnFolder
from mien.inference.percent import percent

if TYPE_CHECKING:
    from mien.data.dataset import FaceDataset
    from mien.explanation.explainer import ExplainedFace
    from mien.explanation.faces import Chosen
    from mien.explanation.output import Output
    from mien.explanation.settings import Settings
    from mien.explanation.summary import Trust
    from mien.inference.detectors import Detector as Finder

ALL = "all"
"""Stands for every method."""

METHOD_OF = {
    "patch": "occlusion",
    "stride": "occlusion",
    "layer": "grad-cam",
    "steps": "integrated-gradients",
}
"""Whose an option is, where it is of one method alone."""

SHOWN = 3
"""Regions named for each face on the terminal."""


def explain(
    model: Annotated[str, typer.Argument(help="A shipped model, an ONNX file, or a run's folder.")],
    source: Annotated[Path, typer.Argument(help="A photo, or a dataset as `mien data` reads it.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the report.")] = Path("explain"),
    methods: Annotated[
        list[str] | None,
        typer.Option(
            "--method",
            help="occlusion (the default); grad-cam, integrated-gradients (extra \\[train]); or"
            " all. Repeatable. Regions are always explained.",
        ),
    ] = None,
    expression: Annotated[
        str | None,
        typer.Option("--expression", help="What is explained; each face's most probable if not."),
    ] = None,
    head: Annotated[
        str | None, typer.Option("--head", help="The model's output; its first if not.")
    ] = None,
    layer: Annotated[
        str | None,
        typer.Option(
            "--layer", help="The layer of --method grad-cam, such as stages.3; the last map if not."
        ),
    ] = None,
    fill: Annotated[
        str, typer.Option("--fill", help="What is taken away becomes blur, mean or black.")
    ] = "blur",
    patch: Annotated[
        int | None, typer.Option("--patch", help="Side of occlusion's square, pixels; 8 if not.")
    ] = None,
    stride: Annotated[
        int | None, typer.Option("--stride", help="Pixels from square to square; 4 if not.")
    ] = None,
    steps: Annotated[
        int | None, typer.Option("--steps", help="Of integrated gradients; 32 if not.")
    ] = None,
    faces: Annotated[
        int | None,
        typer.Option("--faces", help="How many faces of a dataset, drawn at random; 50 if not."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="Seeds the draw; 0 if not.")
    ] = None,
    split: Annotated[
        str | None,
        typer.Option("--split", help="Draw from train, val, test or all; test if there is one."),
    ] = None,
    balanced: Annotated[
        bool, typer.Option("--balanced", help="Draw as many faces of each class.")
    ] = False,
    places: Annotated[
        str | None,
        typer.Option(
            "--regions",
            help="canonical: at their usual places (of a dataset, the default). own: by each"
            " face's landmarks, where --detector tells them (of a photo, the default). median: by"
            " the median landmarks of the drawn faces.",
        ),
    ] = None,
    detector: Detector = "haar",
    detector_weights: DetectorWeights = None,
    layout: Layout = None,
    names: Names = None,
    feature_maps: Annotated[
        list[str] | None,
        typer.Option("--feature-maps", help="Draw the maps of this layer, too. Repeatable."),
    ] = None,
    filters: Annotated[
        list[int] | None,
        typer.Option("--filter", help="Only this filter's maps. Repeatable."),
    ] = None,
    projections: Annotated[
        list[str] | None,
        typer.Option(
            "--projection",
            help="Draw features of a dataset as points: pca, or t-sne (extra \\[train])."
            " Repeatable.",
        ),
    ] = None,
) -> None:
    """Show what a model looks at: heatmaps, facial regions, and how far both can be trusted.

    Leaves a page (explain.html, opens without a network), its figures as PNG and SVG, all numbers
    as JSON and the heatmaps for NumPy. Of a photo every face is explained, of a dataset a sample,
    with means by expression; faces that the model was trained on, where its recipe divided the
    dataset anew, are not drawn.
    """
    from mien.evaluation.learnt import unlearnt
    from mien.explanation.explainer import Explainer
    from mien.explanation.faces import in_split, study
    from mien.explanation.inside import add_feature_maps, add_projections, check_projections
    from mien.explanation.opening import open_output
    from mien.explanation.record import About
    from mien.explanation.report import PAGE, dataset_report, photo_report, write_data
    from mien.inference.detectors import DETECTORS

    photo = _is_photo(source)
    wanted = _methods(methods)
    settings = _settings(fill, wanted, given(patch=patch, stride=stride, layer=layer, steps=steps))
    _check(model, photo, feature_maps, filters, projections)
    if photo:
        _check_of_photo(source, faces, seed, split, balanced or None, layout, names or None)
    check_folder(out)
    folder = OwnFolder(out, REPORT_MARK)
    output = open_output(model, head)
    _check_output(output, expression, settings.patch, feature_maps, filters or ())
    explainer = Explainer(output, wanted, settings)
    find = DETECTORS[detector](detector_weights)
    if photo:
        chosen = _in_photo(source, find, output, places)
    else:
        whole = load(source, None, layout, names)
        dataset, told = unlearnt(model, whole, in_split(whole, split), progress=True)
        check_projections(dataset, projections or ())
        drawing = given(count=faces, seed=seed)
        chosen = _in_dataset(dataset, find, output, places, told, balanced=balanced, **drawing)
    explained = study(explainer, chosen.faces, expression, progress=True)
    about = About(output, wanted, settings, str(source), chosen.drawn, chosen.places)
    with folder, folder.filling():
        write_data(about, explained, out)
        report = (photo_report if photo else dataset_report)(about, explained, out)
        if feature_maps:
            add_feature_maps(report, output, explained, feature_maps, filters or ())
        if projections and not photo:
            add_projections(report, output, dataset, projections, **given(seed=seed))
        report.write()
    results.print(_faces_table(explained) if photo else _trust_table(explained))
    say(f"Look at {out / PAGE}; figures, numbers and heatmaps are beside it.")


def _is_photo(source: Path) -> bool:
    """Return whether a photo is meant and not a dataset; a video is refused."""
    from mien.inference import pictures
    from mien.inference.video import kind

    suffix = source.suffix.lower()
    if suffix in kind.SUFFIXES:
        raise MienError(f"{source} is a video: mien explain takes a photo or a dataset.")
    return suffix in pictures.SUFFIXES


def _in_photo(source: Path, find: Finder, output: Output, places: str | None) -> Chosen:
    from mien.explanation.faces import in_photo
    from mien.inference.pictures import read_picture

    picture = read_picture(source)
    try:
        return in_photo(picture, find, output.preprocess, places or "own")
    except ImageError as error:
        raise ImageError(f"{source}: {error}") from error


def _in_dataset(
    dataset: FaceDataset,
    find: Finder,
    output: Output,
    places: str | None,
    told: str,
    **drawing: Any,
) -> Chosen:
    """Draw faces; what is told of them is said here, on the page and in the JSON."""
    from mien.explanation.faces import of_dataset, sample

    chosen = of_dataset(sample(dataset, **drawing), output.side, places or "canonical", find)
    if not told:
        return chosen
    say(told)
    return replace(chosen, drawn=f"{chosen.drawn}; {told}")


def _methods(names: Sequence[str] | None) -> tuple[str, ...]:
    from mien.explanation.methods import METHODS

    if names and ALL in names:
        return tuple(METHODS)
    chosen = tuple(dict.fromkeys(names or ("occlusion",)))
    for name in chosen:
        METHODS[name]  # an unknown name is said before anything is read
    return chosen


def _settings(fill: str, methods: Sequence[str], of_methods: Mapping[str, Any]) -> Settings:
    """Return the settings, where what is said of a method goes with one that is named."""
    from mien.explanation.settings import Settings

    for name in of_methods:
        if METHOD_OF[name] not in methods:
            raise MienError(f"--{name} is of --method {METHOD_OF[name]}: name that, too.")
    return Settings(fill, **of_methods)


def _check_of_photo(photo: Path, *of_datasets: object) -> None:
    if any(given is not None for given in of_datasets):
        raise MienError(
            "--faces, --seed, --split, --balanced, --layout and --name are of datasets, and"
            f" {photo} is a photo."
        )


def _check_output(
    output: Output,
    expression: str | None,
    patch: int,
    layers: Sequence[str] | None,
    filters: Sequence[int],
) -> None:
    """Check what is asked of an output before anything long begins."""
    from mien.explanation.inside import check_feature_maps

    if patch > output.side:
        raise MienError(f"--patch must be at most the crop's {output.side} pixels. Got {patch}.")
    if layers:
        check_feature_maps(output, layers, filters)
    if expression is not None:
        output.head.labels.index(expression)


def _check(
    model: str,
    photo: bool,
    layers: Sequence[str] | None,
    filters: Sequence[int] | None,
    projections: Sequence[str] | None,
) -> None:
    from mien.explanation.projection import PROJECTIONS

    for name in projections or ():
        if name not in PROJECTIONS:
            raise MienError(unknown_name("projection", name, PROJECTIONS))
    if projections and photo:
        raise MienError("--projection shows the faces of a dataset; a photo has too few.")
    if filters and not layers:
        raise MienError("--filter chooses among --feature-maps: name a layer, too.")
    if layers:
        need("train", "Drawing feature maps")
    if Path(model).is_dir():
        need("train", "Explaining a run")


def _faces_table(faces: Sequence[ExplainedFace]) -> Table:
    table = Table("Face", "Expression", "Regions that contribute most, in percentage points")
    for face in faces:
        most = (f"{name} {100 * value:+.1f}" for name, value in face.strongest_regions(SHOWN))
        table.add_row(face.name, f"{face.expression} {percent(face.probability)}", ", ".join(most))
    return table


def _trust_table(faces: Sequence[ExplainedFace]) -> Table:
    from mien.explanation.summary import trust

    table = Table(title=f"Faces on which explanations beat chance, of {len(faces):,}")
    for column in ("Method", "In deletion", "In insertion"):
        table.add_column(column)
    for one in trust(faces):
        table.add_row(escape(one.method), *_shares(one))
    return table


def _shares(one: Trust) -> list[str]:
    return [
        f"{share.value:.1%} [{share.low:.1%}, {share.high:.1%}]"
        for share in (one.deletion_better, one.insertion_better)
    ]
