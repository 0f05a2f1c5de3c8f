"""A model's file: the graph with its weights, the payload, and behind it the card.

Protocol Buffers merge what is concatenated, so the whole is one valid ONNX file, and the card can
hold the SHA-256 of the payload.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import onnx

from mien.card import METADATA_KEY, Figure, ModelCard
from mien.files import whole_file
from mien.inference.zoo import read_model


def with_payload(card: ModelCard, payload: bytes) -> ModelCard:
    """Return a card that tells of a payload."""
    digest = hashlib.sha256(payload).hexdigest()
    return card.model_copy(update={"payload_bytes": len(payload), "payload_sha256": digest})


def write_file(card: ModelCard, payload: bytes, path: Path) -> None:
    """Write a model's file; the card tells of the payload already."""
    trailer = onnx.ModelProto()
    trailer.metadata_props.add(key=METADATA_KEY, value=card.model_dump_json())
    path.write_bytes(payload + trailer.SerializeToString())


def add_figures(path: Path, figures: Iterable[Figure]) -> ModelCard:
    """Put more figures into a file's card.

    Returns:
        The card as written.

    Raises:
        ModelError: If the file cannot be read, was not exported by mien, or is damaged.
    """
    card, payload, _ = read_model(path)
    card = card.model_copy(update={"figures": (*card.figures, *figures)})
    with whole_file(path) as temporary:
        write_file(card, payload, temporary)
    return card
