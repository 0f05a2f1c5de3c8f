"""What a model began with and learnt from, and which datasets that has seen."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mien.card import Ancestor, ModelCard, Role, read_recipes
from mien.errors import MienError
from mien.export.origin_section import datasets_of
from mien.inference.zoo import model_path, read_card, shipped_models
from mien.training.run import Run
from mien.training.source import file_sha256

NAMED_BY: tuple[tuple[Role, str, str], ...] = (
    ("start", "start", "source"),
    ("teacher", "distillation", "teacher"),
)
"""The parts of a recipe that name finished models, and by which key."""


def ancestors_of(recipes: Iterable[str]) -> tuple[Ancestor, ...]:
    """Return what the networks of some recipes, as TOML, began with and learnt from.

    The files are looked for where the recipes name them. Of one that is not there any more, or is
    another file now, it is not known what it has seen.
    """
    found: dict[Ancestor, None] = {}
    for content in read_recipes(recipes):
        for role, part, key in NAMED_BY:
            if part in content:
                found[_ancestor(role, content[part][key], content[part].get("sha256"))] = None
    return tuple(found)


def card_ancestors(card: ModelCard) -> tuple[Ancestor, ...]:
    """Return what a card says of a model's ancestors, or else what its recipes do."""
    return ancestors_of(card.recipes) if card.ancestors is None else card.ancestors


def is_shipped(sha256: str) -> bool:
    """Say whether a file with this SHA-256 is a model that ships with mien.

    Those and all their ancestors were trained on the dataset of their own cards, though they do
    not say so.
    """
    return sha256 in {file_sha256(name) for name in shipped_models()}


def _ancestor(role: Role, name: str, sha256: str | None) -> Ancestor:
    try:
        if sha256 and file_sha256(name) == sha256:
            return _run(role, name) if Path(name).is_dir() else _file(role, name, sha256)
    except (MienError, OSError, KeyError, TypeError, ValueError):
        pass  # what cannot be read does not say what it has seen
    return Ancestor(role=role, name=name, known=False)


def _run(role: Role, name: str) -> Ancestor:
    run = Run(Path(name))
    said = run.data()
    earlier = ancestors_of([run.recipe_file.read_text(encoding="utf-8")])
    return _with(earlier, role, name, str(said["name"]).split("+"), said["fingerprint"])


def _file(role: Role, name: str, sha256: str) -> Ancestor:
    card = read_card(model_path(name))
    earlier = () if is_shipped(sha256) else card_ancestors(card)
    own = [name for recipe in read_recipes(card.recipes) for name in datasets_of(recipe)]
    return _with(earlier, role, name, own, card.data_fingerprint)


def _with(
    earlier: Iterable[Ancestor], role: Role, name: str, own: Iterable[str], fingerprint: str
) -> Ancestor:
    """Return an ancestor that has seen its own datasets and those of the ones before it."""
    earlier = list(earlier)
    datasets = [*own, *(dataset for one in earlier for dataset in one.datasets)]
    prints = [fingerprint, *(value for one in earlier for value in one.fingerprints)]
    return Ancestor(
        role=role,
        name=name,
        datasets=tuple(dict.fromkeys(datasets)),
        fingerprints=tuple(dict.fromkeys(prints)),
        known=all(one.known for one in earlier),
    )
