"""Finished networks by name: a run, a shipped model or an exported file."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path

from mien.card import ModelCard, Views
from mien.errors import MienError, ModelError
from mien.inference.zoo import model_path, read_model
from mien.models import build_network
from mien.models.network import FaceNetwork
from mien.recipe import Recipe, parse_recipe
from mien.training.graph_weights import fill_from_graph
from mien.training.run import Run

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True)
class Source:
    """A finished network and where it comes from.

    Args:
        name: Of the run or model.
        recipe: What it was trained by.
        recipe_text: The same as TOML.
        sha256: SHA-256 of its file, in hexadecimal.
        data_fingerprint: Of the dataset it was trained on.
        network: With its weights, in evaluation mode on the CPU.
        folded: Names of the batch normalisations that are the identity, because the exporter has
            multiplied them into convolutions.
        views: What an exported file sees of a face; `network` sees one view.
        fingerprint_without_votes: Of the dataset without votes; "" where that is not told.
    """

    name: str
    recipe: Recipe
    recipe_text: str
    sha256: str
    data_fingerprint: str
    network: FaceNetwork
    folded: tuple[str, ...] = ()
    views: Views = "none"
    fingerprint_without_votes: str = ""


def open_source(text: str) -> Source:
    """Return the network of a run folder, a shipped model or an exported file.

    Raises:
        MienError: If there is none, it is damaged, not trained to the end, or an ensemble; says
            which.
    """
    folder = Path(text)
    return _from_run(Run(folder)) if folder.is_dir() else _from_file(model_path(text))


def file_sha256(text: str) -> str:
    """Return the SHA-256 of a source's file: the run's best checkpoint, or the ONNX file.

    Raises:
        MienError: If there is none.
    """
    folder = Path(text)
    path = Run(folder).best if folder.is_dir() else model_path(text)
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise MienError(f"{path} cannot be opened: {error.strerror}.") from error


def _from_run(run: Run) -> Source:
    run.check_finished()
    module, data = run.module(), run.data()
    return Source(
        name=run.folder.resolve().name,
        recipe=module.recipe,
        recipe_text=run.recipe_file.read_text(encoding="utf-8"),
        sha256=file_sha256(str(run.folder)),
        data_fingerprint=str(data["fingerprint"]),
        network=module.network,
        fingerprint_without_votes=str(data.get("fingerprint_without_votes", "")),
    )


def _from_file(path: Path) -> Source:
    card, graph, digest = read_model(path)
    if card.members:
        names = ", ".join(member.name for member in card.members)
        raise ModelError(f"The model {path} is an ensemble: name one of its members, {names}.")
    recipe = recipe_of(path, card)
    network = build_network(recipe.network.name, recipe.outputs, recipe.network.options).eval()
    return Source(
        name=card.name,
        recipe=recipe,
        recipe_text=card.recipe,
        sha256=digest,
        data_fingerprint=card.data_fingerprint,
        network=network,
        folded=fill_from_graph(network, graph, path),
        views=card.views,
    )


def recipe_of(path: Path, card: ModelCard) -> Recipe:
    """Return the recipe in a model's card; of an ensemble, that of its first member.

    Raises:
        ModelError: If it is not TOML.
        RecipeError: If it is not a recipe.
    """
    try:
        content = tomllib.loads(card.recipes[0])
    except tomllib.TOMLDecodeError as error:
        raise ModelError(f"The model {path} has a card whose recipe is not TOML.") from error
    return parse_recipe(content, f"The recipe in {path}", kept=True)
