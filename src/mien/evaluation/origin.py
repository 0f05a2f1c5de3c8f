"""What is to be known of models beside their figures, in sentences and as data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict


class Origin(BaseModel):
    """What is to be known of a table's model before its figures are believed.

    Args:
        output: Which of the model's outputs it is; "" for another program's table.
        outputs: All of them; the first is what readings say.
        division_known: False where the model was trained on a dataset of this name, and on which of
            its faces is not known.
        calibrated: False for a run whose temperature was never fitted.
    """

    model_config = ConfigDict(frozen=True)

    output: str = ""
    outputs: tuple[str, ...] = ()
    division_known: bool = True
    calibrated: bool = True


Named = tuple[str, Origin]
"""A model's name and what is known of it."""

READ = "what readings say"


def learnt(model: str, count: int, of: int) -> str:
    """Return a sentence about faces that a model was trained on."""
    return (
        f"{count:,} of {of:,} faces were trained on by {model or 'the model'} and are left out;"
        " among the others may be those by which its epoch was chosen."
    )


def unknown(model: str, dataset: str) -> str:
    """Return a sentence about a model of which it is not known what faces it was trained on."""
    return next(_unknown([(model, Origin(division_known=False))], dataset))


def remarks(models: Sequence[Named], dataset: str) -> list[str]:
    """Return sentences about models whose figures could be taken for what they are not.

    Args:
        models: Of one output each.
        dataset: Whose faces they are judged on.
    """
    return [*_unknown(models, dataset), *_uncalibrated(models), *_outputs(models)]


def is_read(models: Sequence[Origin]) -> bool:
    """Say whether it is what readings say that is judged, where a model says other things, too."""
    several = [origin for origin in models if len(origin.outputs) > 1]
    return bool(several) and all(origin.output == origin.outputs[0] for origin in several)


def as_data(origin: Origin) -> dict[str, Any]:
    """Return what is known of a model as JSON types; None where it is another program's."""
    if not origin.output:
        return dict.fromkeys(("output", "readings_use", "division_known", "calibrated"))
    return {
        "output": origin.output,
        "readings_use": origin.outputs[0],
        "division_known": origin.division_known,
        "calibrated": origin.calibrated,
    }


def _unknown(models: Sequence[Named], dataset: str) -> Iterator[str]:
    names = [name for name, origin in models if not origin.division_known]
    if names:
        yield (
            f"{_together(names)} {_was(names)} trained on a dataset of the name {dataset!r}, and on"
            " which of these faces is not known: the figures may be of faces that it has learnt."
        )


def _uncalibrated(models: Sequence[Named]) -> Iterator[str]:
    names = [name for name, origin in models if not origin.calibrated]
    if names:
        yield (
            f"{_together(names)} {_was(names)} never calibrated: likelihoods and calibration errors"
            " are not to be compared with those of calibrated models; mien evaluate calibrates a"
            " run on its own data."
        )


def _outputs(models: Sequence[Named]) -> Iterator[str]:
    """Say which output is judged, of each model that has several."""
    pairs = {(o.output, o.outputs[0]): None for _, o in models if len(o.outputs) > 1}
    for output, first in pairs:
        names = _together(
            name
            for name, origin in models
            if len(origin.outputs) > 1 and (origin.output, origin.outputs[0]) == (output, first)
        )
        if output == first:
            yield f"Judged is {READ}: the output {output} of {names}."
        else:
            yield (
                f"Judged is the output {output} of {names}, which is for tests on labels such as"
                f" FER2013's; {READ} is {first}, also where mien analyze --labels narrows it."
            )


def _together(names: Iterable[str]) -> str:
    *most, last = [name or "The model" for name in dict.fromkeys(names)]
    return f"{', '.join(most)} and {last}" if most else last


def _was(names: Sequence[str]) -> str:
    return "was" if len(set(names)) == 1 else "were each"
