"""The exploration as a page, pictures and tables in a folder."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mien import pages
from mien.data.dataset import NO_TARGET, FaceDataset
from mien.data.explore import figures, projection, statistics
from mien.data.explore.features import PIXELS, model_features, pixels
from mien.errors import DataError
from mien.figures import png
from mien.files import whole_file
from mien.inference.classifier import Classifier

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAGE = "explore.html"


def explore(dataset: FaceDataset, folder: Path, classifier: Classifier | None = None) -> None:
    """Write `explore.html`, self-contained, its pictures as PNG and its tables as CSV.

    Args:
        dataset: What to look at.
        folder: Where to write.
        classifier: Whose features are projected; None for the pixels.

    Raises:
        DataError: If no face of the dataset has a label.
    """
    if (dataset.targets == NO_TARGET).all():
        raise DataError(f"Dataset {dataset.name!r} has no labels to explore.")
    faces = figures.labelled(dataset)
    rows = pixels(faces) if classifier is None else model_features(faces, classifier, progress=True)
    of = PIXELS if classifier is None else f"features of {classifier.card.name}"
    measures = statistics.measures(dataset.images)
    sections = [_numbers(dataset), *(_drawn(folder, *part) for part in _counted(faces))]
    sections.append(
        _drawn(
            folder,
            "distributions",
            "Light and sharpness",
            "Brightness is the mean grey value, contrast the standard deviation, sharpness the"
            " variance of the Laplacian. Splits that differ here are not alike.",
            figures.distributions(measures, dataset.splits),
        )
    )
    sections += [_drawn(folder, *part) for part in _projected(faces, rows, of)]
    found = projection.baseline(faces, rows)
    if found is not None:
        sections.append(_baseline(folder, faces, of, *found))
    _write_tables(dataset, measures, folder)
    with whole_file(folder / PAGE) as path:
        path.write_text(pages.page(f"A look at {dataset.name}", sections), encoding="utf-8")


def _numbers(dataset: FaceDataset) -> str:
    header, (*rows, _) = statistics.counts_table(dataset)
    return pages.section(
        "Shape, types, missing values",
        pages.table(["", ""], statistics.shape_table(dataset)),
        pages.table(header, rows),
    )


def _counted(faces: FaceDataset) -> Iterable[tuple[str, str, str, Figure]]:
    yield (
        "counts",
        "How many of each",
        "Rare expressions are learnt worse, and judged on fewer faces.",
        figures.count_plot(faces),
    )
    yield (
        "mean-faces",
        "Mean faces",
        "What the faces of an expression have in common, pixel by pixel.",
        figures.faces_plot(statistics.mean_faces(faces)),
    )
    yield (
        "samples",
        "Samples",
        "Random faces of each expression: look for noise, blur, hands, text and wrong labels.",
        figures.sample_grid(faces),
    )


def _projected(
    faces: FaceDataset, rows: NDArray[np.float32], of: str
) -> Iterable[tuple[str, str, str, Figure]]:
    components = projection.principal_components(rows, 3)
    mixed = (
        "Where the colours mix, pixels alone do not tell the expressions apart; the first"
        " components are mostly light."
        if of == PIXELS
        else "Where the colours mix, the model does not tell the expressions apart."
    )
    for count in (2, 3):
        yield (
            f"pca-{count}d",
            f"Principal components of the {of} in {count}-D",
            f"Each point is a face, {figures.POINTS:,} at most. {mixed}",
            figures.scatter(faces, components.points[:, :count], components.explained[:count]),
        )


def _baseline(
    folder: Path,
    faces: FaceDataset,
    of: str,
    truth: NDArray[np.int64],
    decided: NDArray[np.int64],
) -> str:
    accuracy = float((truth == decided).mean())
    most = float(np.bincount(truth).max() / len(truth))
    return _drawn(
        folder,
        "nearest-neighbours",
        f"A baseline: 15 nearest neighbours of 50 components of the {of}",
        f"Trained on train, tested on test: accuracy {accuracy:.3f} on {len(truth):,} faces;"
        f" always saying the most common expression would reach {most:.3f}. A network must beat"
        " this. Twins and near-copies across the splits help it (see the audit).",
        figures.confusion_plot(truth, decided, faces.labels.expressions),
    )


def _drawn(folder: Path, name: str, title: str, text: str, figure: Figure) -> str:
    content = png(figure)
    with whole_file(folder / f"{name}.png") as path:
        path.write_bytes(content)
    return pages.section(title, pages.paragraph(text), pages.picture(content, title))


def _write_tables(
    dataset: FaceDataset, measures: Mapping[str, NDArray[np.float64]], folder: Path
) -> None:
    header, (*rows, _) = statistics.counts_table(dataset)
    _write(folder / "counts.csv", header, rows)
    columns = zip(dataset.ids, dataset.splits, *measures.values())
    _write(
        folder / "images.csv",
        ["id", "split", *measures],
        ([name, split, *(f"{v:.2f}" for v in row)] for name, split, *row in columns),
    )


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
