"""Ensembles: several networks whose probabilities, or logits, are averaged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from mien.card import Averaging, Views
from mien.data.dataset import FaceDataset
from mien.errors import MienError
from mien.evaluation.average.network import EnsembleNetwork, Part
from mien.evaluation.average.tables import Weighting, average_tables, check_names
from mien.evaluation.average.views import with_views
from mien.evaluation.doubt import DoubtReport, doubt_report
from mien.evaluation.learnt import Training
from mien.evaluation.predict import predict_with
from mien.evaluation.predictions import Predictions
from mien.evaluation.report import HeadReport
from mien.recipe import HeadPart
from mien.signals import SIGNALS, SignalName
from mien.training.source import Source


@dataclass(frozen=True)
class EnsembleMember:
    """A member, measured.

    Args:
        source: Its network and where it comes from.
        shares: How much it counts, by head; 0 where it does not.
        reports: Its own, one a head.
    """

    source: Source
    shares: dict[str, float]
    reports: tuple[HeadReport, ...]

    @property
    def temperatures(self) -> dict[str, float]:
        """What its logits are divided by before averaging, by head."""
        return {report.head.name: report.head.temperature for report in self.reports}

    @property
    def counts(self) -> bool:
        """Whether it counts in some head."""
        return any(share > 0 for share in self.shares.values())


@dataclass(frozen=True)
class Ensemble:
    """An ensemble, measured.

    Args:
        given: All members, also those that do not count.
        averaging: What is averaged.
        views: What each member sees of a face.
        reports: The ensemble's, one a head.
        doubt: When the ensemble doubts.
    """

    given: tuple[EnsembleMember, ...]
    averaging: Averaging
    views: Views
    reports: tuple[HeadReport, ...]
    doubt: DoubtReport

    @property
    def members(self) -> tuple[EnsembleMember, ...]:
        """The members that count."""
        return tuple(member for member in self.given if member.counts)

    def network(self) -> EnsembleNetwork:
        """Return the ensemble as one network, in evaluation mode; it sees what the first sees."""
        parts = [
            Part(
                with_views(m.source.network, self.views),
                m.source.recipe.preprocess,
                m.temperatures,
                m.shares,
            )
            for m in self.members
        ]
        return EnsembleNetwork(parts, self.averaging).eval()


def check_members(
    sources: Sequence[Source], averaging: Averaging, weighting: Weighting
) -> tuple[HeadPart, ...]:
    """Return the heads that networks have in common; check that they can be averaged so.

    Args and errors as of `build_ensemble`, less what concerns the dataset.
    """
    check_names(averaging, weighting)
    return _common_heads(sources)


def build_ensemble(
    sources: Sequence[Source],
    dataset: FaceDataset,
    averaging: Averaging = "probabilities",
    weighting: Weighting = "equal",
    views: Views = "none",
) -> Ensemble:
    """Average networks: fit on val, measure once on test.

    Each member's logits are first divided by a temperature of its own, so that none counts more for
    being surer of itself. These temperatures, then the shares, then the temperature of the average
    are fitted on val.

    Args:
        sources: Two or more networks with a head in common, trained on `dataset`.
        dataset: Faces with the split val and, for figures of unseen faces, test.
        averaging: What is averaged.
        views: What each member sees of a face.
        weighting: "equal" shares, or "fit" for those with the smallest loss on val.

    Raises:
        MienError: If there is no such averaging or weighting, the members do not fit together, or
            the dataset is not theirs, or lacks votes that an output learnt from.
    """
    heads = check_members(sources, averaging, weighting)
    _check_data(sources, dataset)
    tables = [_predicted(source, heads, dataset, views) for source in sources]
    means = [
        average_tables([row[number] for row in tables], averaging, weighting)
        for number in range(len(heads))
    ]
    given = tuple(
        EnsembleMember(
            source,
            {head.labels: mean.shares[number] for head, mean in zip(heads, means)},
            tuple(mean.members[number] for mean in means),
        )
        for number, source in enumerate(sources)
    )
    first = means[0].table.calibrated(means[0].report.head.temperature)
    counting = [row[0].signals for member, row in zip(given, tables) if member.counts]
    doubt = doubt_report(replace(first, signals=_signals(counting, averaging)), dataset.name)
    return Ensemble(given, averaging, views, tuple(mean.report for mean in means), doubt)


def _predicted(
    source: Source, heads: Sequence[HeadPart], dataset: FaceDataset, views: Views
) -> list[Predictions]:
    recipe = source.recipe
    names, network = recipe.signal_names, with_views(source.network, views)
    return predict_with(network, recipe.preprocess, heads, dataset, signals=names)


def _signals(
    said: Sequence[Mapping[SignalName, NDArray[np.float64]]], averaging: Averaging
) -> dict[SignalName, NDArray[np.float64]]:
    """Return the average of each signal over the members that have it, as the network does."""
    found = {name: [own[name] for own in said if name in own] for name in SIGNALS}
    if averaging == "logits":
        return {name: expit(logit(rows).mean(0)) for name, rows in found.items() if rows}
    return {name: np.mean(rows, axis=0) for name, rows in found.items() if rows}


def _common_heads(sources: Sequence[Source]) -> tuple[HeadPart, ...]:
    """Return the first member's heads that all have.

    Raises:
        MienError: If there are fewer than two members, one sees several views, they share no head
            or see other sizes.
    """
    if len(sources) < 2:
        raise MienError(f"An ensemble needs two or more members. Got {len(sources)} instead.")
    for source in sources:
        if source.views != "none":
            raise MienError(
                f"Members must see one view of a face. Got {source.name} with {source.views}: give"
                " its run, or export it without views."
            )
    first, *others = sources
    size = first.recipe.preprocess.size
    for source in others:
        own = source.recipe.preprocess.size
        if own != size:
            raise MienError(
                f"Members must see faces of one size: {first.name} {size}x{size} pixels."
                f" Got {source.name} with {own}x{own} instead."
            )
    common = set.intersection(*({h.labels for h in s.recipe.heads} for s in sources))
    if not common:
        heads = "; ".join(
            f"{s.name} {', '.join(h.labels for h in s.recipe.heads)}" for s in sources
        )
        raise MienError(f"Members must have an output of one label set in common. Got {heads}.")
    return tuple(head for head in first.recipe.heads if head.labels in common)


def _check_data(sources: Sequence[Source], dataset: FaceDataset) -> None:
    for source in sources:
        training = Training(
            (source.recipe.data,), source.data_fingerprint, source.fingerprint_without_votes
        )
        found = training.differs(source.name, dataset)
        if found:
            raise MienError(found)
