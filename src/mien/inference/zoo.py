"""The models that ship with mien, and the card inside any model file."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import BinaryIO

import pydantic

from mien.card import METADATA_KEY, ModelCard
from mien.errors import ModelError, unknown_name

SUFFIX = ".onnx"

_METADATA_PROPS = 14
"""Number of the field `metadata_props` of ONNX's ModelProto: entries of a key (1), a value (2)."""

_WIRE_VARINT, _WIRE_64, _WIRE_BYTES, _WIRE_32 = 0, 1, 2, 5


def shipped_models() -> list[str]:
    """Return the names of the models that ship with mien, sorted."""
    return sorted(path.stem for path in _weights().glob(f"*{SUFFIX}"))


def model_path(model: str | Path) -> Path:
    """Return the file of a model.

    Args:
        model: The name of a shipped model, or the path of a file: what is a `Path`, ends in
            `.onnx` or holds a slash is a path.

    Raises:
        ModelError: If there is no such file, or no shipped model of that name.
    """
    text = os.fspath(model)
    if isinstance(model, Path) or text.endswith(SUFFIX) or Path(text).name != text:
        path = Path(text)
        if path.is_dir():
            raise ModelError(f"The model {path} is a folder, not an ONNX file.")
        if not path.exists():
            raise ModelError(f"The model {path} does not exist.")
        return path
    if text not in shipped_models():
        raise ModelError(unknown_name("model", text, shipped_models()))
    return _weights() / f"{text}{SUFFIX}"


def read_card(path: Path) -> ModelCard:
    """Read the card inside a model file, without loading the model.

    Raises:
        ModelError: If the file cannot be read, is not ONNX, or was not exported by mien.
    """
    try:
        with path.open("rb") as file:
            values = [value for key, value in _metadata(file) if key == METADATA_KEY]
    except OSError as error:
        raise ModelError(f"The model {path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise ModelError(f"The model {path} is damaged or not an ONNX file.") from error
    if not values:
        raise ModelError(
            f"The model {path} was not exported by mien: it lacks the metadata entry "
            f"{METADATA_KEY!r} with its expressions and preprocessing."
        )
    return _parsed(path, values[-1])


def read_model(path: Path) -> tuple[ModelCard, bytes, str]:
    """Return a model file's card, its checked graph with the weights, and the file's SHA-256.

    Raises:
        ModelError: As of `read_card` and `check_graph`.
    """
    card = read_card(path)
    content = path.read_bytes()
    graph = content[: card.payload_bytes]
    check_graph(path, card, graph)
    return card, graph, hashlib.sha256(content).hexdigest()


def check_graph(path: Path, card: ModelCard, graph: bytes) -> None:
    """Check a model's graph and weights against the checksum in its card.

    Raises:
        ModelError: If the card has none, or the content is not what was exported.
    """
    if not card.payload_sha256:
        raise ModelError(f"The model {path} has a card without a checksum.")
    whole = len(graph) == card.payload_bytes
    if not whole or hashlib.sha256(graph).hexdigest() != card.payload_sha256:
        raise ModelError(f"The model {path} is damaged: its content does not match its checksum.")


def _weights() -> Path:
    return Path(str(files("mien"))) / "weights"


def _parsed(path: Path, text: str) -> ModelCard:
    try:
        return ModelCard.model_validate_json(text)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        raise ModelError(
            f"The model {path} has a card this mien cannot read: {place}: {first['msg']}."
        ) from error


def _metadata(file: BinaryIO) -> Iterator[tuple[str, str]]:
    """Give a model's metadata entries; the graph, by far the largest field, is passed over.

    Raises:
        ValueError: If the file is not a protocol buffer.
    """
    size = file.seek(0, os.SEEK_END)
    for number, start, end in _fields(file, 0, size):
        if number == _METADATA_PROPS:
            entry = {field: _text(file, *span) for field, *span in _fields(file, start, end)}
            yield entry.get(1, ""), entry.get(2, "")


def _fields(file: BinaryIO, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Give number, start and end of each field of the message between two offsets."""
    while start < end:
        file.seek(start)
        tag = _varint(file)
        wire = tag & 7
        if wire == _WIRE_VARINT:
            _varint(file)
        lengths = {_WIRE_VARINT: 0, _WIRE_64: 8, _WIRE_32: 4}
        length = _varint(file) if wire == _WIRE_BYTES else lengths.get(wire, -1)
        start = file.tell() + length
        if length < 0 or start > end or tag >> 3 == 0:
            raise ValueError("not a protocol buffer")
        yield tag >> 3, start - length, start


def _varint(file: BinaryIO) -> int:
    value = 0
    for shift in range(0, 70, 7):
        byte = file.read(1)
        if not byte:
            break
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    raise ValueError("not a protocol buffer")


def _text(file: BinaryIO, start: int, end: int) -> str:
    file.seek(start)
    return file.read(end - start).decode("utf-8")
