"""The headline figures, each with its interval, on all faces and without leaked ones."""

from __future__ import annotations

from collections.abc import Mapping

from mien import pages
from mien.evaluation.bootstrap import CALIBRATION_NOTE, intervals
from mien.evaluation.judged import Judged
from mien.evaluation.metrics import (
    METRICS,
    Metric,
    brier,
    kappa,
    macro_auc,
    top2_accuracy,
    weighted_f1,
)
from mien.evaluation.origin import learnt, remarks
from mien.evaluation.sections.section import Section
from mien.evaluation.truths import by_raters
from mien.evaluation.written import known, within

HEADLINE: Mapping[str, Metric] = {
    "accuracy": METRICS["accuracy"],
    "balanced_accuracy": METRICS["balanced_accuracy"],
    "macro_f1": METRICS["macro_f1"],
    "weighted_f1": weighted_f1,
    "top2_accuracy": top2_accuracy,
    "kappa": kappa,
    "macro_auc": macro_auc,
    "nll": METRICS["nll"],
    "brier": brier,
    "ece": METRICS["ece"],
}

NAMES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy (mean recall)",
    "macro_f1": "macro F1",
    "weighted_f1": "weighted F1",
    "top2_accuracy": "top-2 accuracy",
    "kappa": "Cohen's kappa",
    "macro_auc": "macro ROC AUC",
    "nll": "negative log-likelihood, nats (less is better)",
    "brier": "Brier score, 0 to 2 (less is better)",
    "ece": "expected calibration error, 15 bins (less is better)",
}

Measured = dict[str, tuple[float, float, float]]


def headline(judged: Judged) -> Section:
    """Return the section of the headline figures."""
    faces = judged.faces
    subsets = {"all": measured(judged)}
    if 0 < faces.leaked.sum() < len(faces):
        subsets["without leaked"] = measured(judged, leaked=False)
    counts = {"all": len(faces), "without leaked": int((~faces.leaked).sum())}
    header = ["figure", *(f"{name} ({counts[name]:,} faces)" for name in subsets)]
    rows = [[NAMES[m], *(within(*found[m]) for found in subsets.values())] for m in HEADLINE]
    return Section(
        name="headline",
        title="Figures",
        before=(pages.table(header, rows), *_notes(judged)),
        data={
            subset: {
                metric: dict(zip(("value", "low", "high"), map(known, values)))
                for metric, values in found.items()
            }
            | {"faces": counts[subset]}
            for subset, found in subsets.items()
        },
    )


def measured(judged: Judged, *, leaked: bool = True) -> Measured:
    """Return value, lower and upper bound of each headline figure, by name.

    Args:
        judged: The faces.
        leaked: Whether leaked faces count.
    """
    faces, groups = judged.faces, judged.faces.people
    keep = slice(None) if leaked else ~faces.leaked
    truth, shares = faces.truth[keep], faces.probabilities[keep]
    found = intervals(HEADLINE, truth, shares, None if groups is None else groups[keep])
    return {name: (metric(truth, shares), *found[name]) for name, metric in HEADLINE.items()}


def _notes(judged: Judged) -> list[str]:
    of = "faces" if judged.faces.people is None else "subjects, each with all of its faces"
    notes = [
        f"In brackets: 95 % bootstrap intervals over {of}; they do not contain the spread"
        f" between trainings. {CALIBRATION_NOTE}"
    ]
    if judged.faces.votes is not None:
        said = "what most raters named" if by_raters(judged.faces) else "the dataset's own label"
        notes.append(f"What a face shows is {said}.")
    leaked = int(judged.faces.leaked.sum())
    if leaked == len(judged.faces):
        notes.append("Every face has a pixel-identical twin in another split: none is left.")
    elif leaked:
        notes.append(
            f"{leaked:,} of the faces have a pixel-identical twin among those that the model was"
            " trained or selected on, if it used this dataset and its recipe did not leave those"
            " out; the second column leaves the faces out."
            " Near-copies are not counted here: mien data audit finds them."
        )
    missing = [
        e for i, e in enumerate(judged.faces.labels.expressions) if i not in judged.faces.truth
    ]
    if missing:
        notes.append(f"No face shows {', '.join(missing)}: means over classes are of the others.")
    if judged.unjudged:
        counts = ", ".join(f"{name} {count:,}" for name, count in judged.unjudged.items())
        notes.append(
            f"Not judged, because there is no truth for them that this output can say: {counts}."
        )
    notes += told(judged)
    return [pages.paragraph(note, note=True) for note in notes]


def told(judged: Judged) -> list[str]:
    """Return what is to be known of the faces and of the model, a sentence each."""
    table = judged.table
    of = len(judged.faces) + judged.learnt
    left_out = [learnt(table.model, judged.learnt, of)] if judged.learnt else []
    found = [*left_out, *remarks([(table.model, table.origin)], table.dataset)]
    return [*found, unpredicted(judged)] if judged.unpredicted else found


def unpredicted(judged: Judged) -> str:
    """Return a sentence about the faces for which the table has no prediction."""
    return (
        f"{judged.unpredicted:,} faces of the dataset's {judged.split} have no prediction in"
        f" {judged.faces.model or 'the table'} and are not judged: figures of programs that leave"
        " out the hard ones are too good."
    )
