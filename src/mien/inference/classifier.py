"""From face crops to probabilities, with ONNX Runtime."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.card import FEATURES, Doubt
from mien.errors import ImageError, ModelError
from mien.inference.face import Verdict
from mien.inference.zoo import model_path, read_model
from mien.preprocess import Image
from mien.signals import SignalName

BATCH = 64
"""Faces that the network sees at once; more only take more memory."""


@dataclass(frozen=True)
class Judged:
    """What a model says of N faces.

    Args:
        probabilities: float64 (N, classes), in the order of the first output's expressions.
        signals: float64 (N,) by name, 0 to 1.
        doubt: When the model doubts.
    """

    probabilities: NDArray[np.float64]
    signals: Mapping[SignalName, NDArray[np.float64]]
    doubt: Doubt

    def verdict(self, index: int) -> Verdict:
        """Return what is to be thought of the reading of one face."""
        said = {name: float(values[index]) for name, values in self.signals.items()}
        agreement, not_a_face = said.get("agreement"), said.get("not_a_face")
        if not_a_face is not None and not_a_face > self.doubt.not_a_face:
            return Verdict("not a face", agreement, not_a_face)
        unsure = self.probabilities[index].max() < self.doubt.confidence
        differ = agreement is not None and agreement < self.doubt.agreement
        return Verdict("uncertain" if unsure or differ else "sure", agreement, not_a_face)


class Classifier:
    """A model exported by mien. One object may be called from several threads at once.

    Args:
        model: The name of a shipped model or the path of an ONNX file.
        threads: Processor threads for one batch; None for one per core.

    Attributes:
        path: The model's file.
        card: What the model says of itself.
        sha256: SHA-256 of the file, in hexadecimal.

    Raises:
        ModelError: If the model is missing, damaged, not ONNX or not exported by mien.
    """

    def __init__(self, model: str | Path = "mien-base", threads: int | None = None) -> None:
        if threads is not None and threads < 1:
            raise ModelError(f"The threads of a classifier must be 1 or more. Got {threads}.")
        self.path = model_path(model)
        self.card, graph, self.sha256 = read_model(self.path)
        self._session = _session(self.path, graph, threads)
        self._input = self._session.get_inputs()[0].name
        self._check_outputs()

    def classify(self, crops: Image, head: str | None = None) -> NDArray[np.float64]:
        """Return the probabilities of each expression for face crops.

        Args:
            crops: uint8 (N, size, size), grey, as `card.preprocess.crop` cuts them; N may be 0.
            head: The output to read, one of the card's; None for the first.

        Returns:
            float64 (N, classes), in the order of the output's expressions; rows sum to 1.

        Raises:
            ImageError: If the crops have another type or shape.
            ModelError: If the model has no such output, or answers with values that are not finite.
        """
        chosen = self.card.heads[0] if head is None else self.card.head(head)
        return self.say(crops, [chosen.name])[0][chosen.name]

    def say(
        self, crops: Image, heads: Sequence[str]
    ) -> tuple[dict[str, NDArray[np.float64]], dict[SignalName, NDArray[np.float64]]]:
        """Return what several outputs and all signals say, in one pass.

        Args:
            crops: As for `classify`.
            heads: Outputs of the card, by name.

        Returns:
            float64 (N, classes) by output, and float64 (N,), 0 to 1, by signal; errors as of
            `classify`.
        """
        chosen = [self.card.head(name) for name in heads]
        self._check_crops(crops)
        shares = {head.name: np.empty((len(crops), len(head.expressions))) for head in chosen}
        signals: dict[SignalName, NDArray[np.float64]] = {
            name: np.empty(len(crops)) for name in self.card.signals
        }
        for batch in _batches(len(crops)):
            answers = self._answers(crops[batch], [*shares, *signals])
            for head, logits in zip(chosen, answers):
                shares[head.name][batch] = _softmax(logits.astype(np.float64) / head.temperature)
            for name, logits in zip(signals, answers[len(chosen) :]):
                signals[name][batch] = _sigmoid(logits[:, 0].astype(np.float64))
        return shares, signals

    def judge(self, crops: Image) -> Judged:
        """Return all that readings are made of, in one pass: the first output and the signals.

        Args:
            crops: As for `classify`; errors, too.
        """
        head = self.card.heads[0].name
        shares, signals = self.say(crops, [head])
        return Judged(shares[head], signals, self.card.doubt)

    def features(self, crops: Image) -> NDArray[np.float32]:
        """Return what the model's outputs are computed from: a vector for each face crop.

        Args:
            crops: uint8 (N, size, size), grey, as `card.preprocess.crop` cuts them; N may be 0.

        Returns:
            float32 (N, F). Of several views their mean, of an ensemble its members' in a row.

        Raises:
            ImageError: If the crops have another type or shape.
            ModelError: If the file has no such output, or answers with values that are not finite.
        """
        self._check_crops(crops)
        length = self._outputs().get(FEATURES)
        if not isinstance(length, int):
            raise ModelError(f"The model {self.path} has no output {FEATURES!r}: export it again.")
        features = np.empty((len(crops), length), dtype=np.float32)
        for batch in _batches(len(crops)):
            (features[batch],) = self._answers(crops[batch], [FEATURES])
        return features

    def _answers(self, crops: Image, outputs: Sequence[str]) -> list[NDArray[np.float32]]:
        inputs = self.card.preprocess.to_input(crops)
        found: list[NDArray[np.float32]] = self._session.run(outputs, {self._input: inputs})
        if not all(np.isfinite(values).all() for values in found):
            raise ModelError(f"The model {self.path} answers with values that are not finite.")
        return found

    def _check_crops(self, crops: Image) -> None:
        size = self.card.preprocess.size
        if crops.dtype != np.uint8 or crops.ndim != 3 or crops.shape[1:] != (size, size):
            raise ImageError(
                f"Face crops must be uint8 (N, {size}, {size}). "
                f"Got {crops.dtype} {crops.shape} instead."
            )

    def _check_outputs(self) -> None:
        outputs = self._outputs()
        for head in self.card.heads:
            if outputs.get(head.name) != len(head.expressions):
                raise ModelError(
                    f"The model {self.path} has no output {head.name!r} with "
                    f"{len(head.expressions)} values, which its card promises."
                )
        for signal in self.card.signals:
            if outputs.get(signal) != 1:
                raise ModelError(
                    f"The model {self.path} has no output {signal!r} with 1 value, which its card"
                    " promises."
                )

    def _outputs(self) -> dict[str, Any]:
        return {output.name: output.shape[-1] for output in self._session.get_outputs()}


def _batches(count: int) -> Iterator[slice]:
    return (slice(start, start + BATCH) for start in range(0, count, BATCH))


def _sigmoid(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.exp(-np.logaddexp(0, -logits)))


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _session(path: Path, graph: bytes, threads: int | None) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.inter_op_num_threads = 1
    # Waiting threads would otherwise keep the processor busy between two pictures.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4  # what goes wrong is raised, not printed
    providers = ["CPUExecutionProvider"]
    try:
        return onnxruntime.InferenceSession(graph, options, providers=providers)
    except Exception as error:  # its exceptions have no common class of their own
        reason = " ".join(str(error).split())
        raise ModelError(f"ONNX Runtime cannot load the model {path}: {reason}") from error
