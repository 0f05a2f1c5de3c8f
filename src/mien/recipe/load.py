"""A recipe: one experiment, from the data to the expected figure, in one TOML file."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from mien.errors import MienError, RecipeError, unknown_name
from mien.labels import label_set
from mien.preprocess import Preprocess

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def _in_order(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] > bounds[1]:
        raise ValueError("Range should go from the smaller to the larger number")
    return bounds


Range = Annotated[tuple[float, float], AfterValidator(_in_order)]
"""A range of factors, the smaller first."""

MOST_SEED = 2**32 - 1


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DataPart(_Part):
    """Which faces a recipe trains on.

    Args:
        dataset: Name of the dataset the recipe is meant for; training on another is refused.
        drop_twins: Leave out training images with a pixel-identical twin in val or test.
    """

    dataset: str
    drop_twins: bool = False


class NetworkPart(_Part):
    """A network from the registry and its options."""

    name: str
    options: dict[str, Any] = {}


class AugmentationPart(_Part):
    """Random changes of a training image; 0, or a range of one value, switches a change off.

    Args:
        flip: Probability of a horizontal flip.
        rotation: Largest angle in degrees, either way.
        shift: Largest shift as a share of the image's side, either way.
        zoom: Range of the scale factor.
        shear: Largest shear in degrees, either way.
        fill: What appears beyond the edges.
        brightness: Range of what is added to pixel values, as a share of white, plus 1.
        contrast: Range of the factor on pixel values.
        erasing: Probability that a random rectangle is blanked.
    """

    flip: float = Field(default=0.0, ge=0, le=1)
    rotation: float = Field(default=0.0, ge=0, le=180)
    shift: float = Field(default=0.0, ge=0, le=1)
    zoom: Range = (1.0, 1.0)
    shear: float = Field(default=0.0, ge=0, le=60)
    fill: Literal["zeros", "border", "reflection"] = "border"
    brightness: Range = (1.0, 1.0)
    contrast: Range = (1.0, 1.0)
    erasing: float = Field(default=0.0, ge=0, le=1)


class HeadPart(_Part):
    """One output of the network and what it learns from.

    Args:
        labels: Name of the label set; also the output's name.
        target: "label" for cross-entropy with the dataset's label, "votes" for cross-entropy with
            the raters' distribution.
        weight: Factor of this head's loss.
        smoothing: Label smoothing.
    """

    labels: str
    target: Literal["label", "votes"] = "label"
    weight: float = Field(default=1.0, gt=0)
    smoothing: float = Field(default=0.0, ge=0, lt=1)


class OptimiserPart(_Part):
    """The optimiser; decay is left out for biases and normalisation."""

    name: Literal["sgd", "adamw"]
    learning_rate: float = Field(gt=0, allow_inf_nan=False)
    weight_decay: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    momentum: float = Field(default=0.9, ge=0, lt=1)


class SchedulePart(_Part):
    """The learning rate over the training: linear warm-up, then constant or a half cosine to 0."""

    name: Literal["constant", "cosine"] = "constant"
    warmup_epochs: float = Field(default=0.0, ge=0)


class TrainingPart(_Part):
    """How long and how.

    Args:
        epochs: Number of passes over the training images.
        batch_size: Images a step.
        seed: Seeds weights, order and augmentation.
        precision: "auto" takes bf16 where the processor has it.
        ema_decay: Decay of the moving average of the weights, 0 for none.
        gradient_clip: Largest norm of the gradient, 0 for no limit.
        select: The validation figure whose best epoch is kept: "val_accuracy", the mean of all
            heads, or "val_accuracy_<head>".
    """

    epochs: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    seed: int = Field(default=0, ge=0, le=MOST_SEED)
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    ema_decay: float = Field(default=0.0, ge=0, lt=1)
    gradient_clip: float = Field(default=0.0, ge=0)
    select: str = "val_accuracy"


class ExpectedFigure(_Part):
    """A figure the recipe should reach, and where it stands."""

    metric: str
    head: str
    value: float
    tolerance: float
    source: str


class Recipe(_Part):
    """One experiment.

    Raises:
        RecipeError: From `load_recipe`, for anything that does not fit; names the key.
    """

    name: str
    source: str
    data: DataPart
    preprocess: Preprocess = Preprocess()
    network: NetworkPart
    heads: tuple[HeadPart, ...] = Field(min_length=1)
    augmentation: AugmentationPart = AugmentationPart()
    optimiser: OptimiserPart
    schedule: SchedulePart = SchedulePart()
    training: TrainingPart
    expected: tuple[ExpectedFigure, ...] = ()


def shipped_recipes() -> dict[str, Path]:
    """Return the recipes that come with the package, by name."""
    folder = Path(str(resources.files("mien") / "recipes"))
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def find_recipe(name: str) -> Path:
    """Return the path of a recipe given as a file, or by the name of a shipped one.

    `recipes/NAME.toml` means the shipped one too, so the documentation's commands work anywhere.

    Raises:
        RecipeError: If there is no such file and no shipped recipe of that name.
    """
    path = Path(name)
    if path.is_file():
        return path
    shipped = shipped_recipes()
    wanted = name.removeprefix("recipes/").removesuffix(".toml")
    if wanted in shipped:
        return shipped[wanted]
    raise RecipeError(unknown_name("recipe", name, shipped))


def load_recipe(path: Path, overrides: Iterable[str] = ()) -> Recipe:
    """Read a recipe and apply overrides such as `training.epochs=5`.

    Raises:
        RecipeError: If the file is not TOML, or a key or value does not fit; names the key and the
            nearest valid one.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecipeError(f"{path} cannot be opened: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} is not TOML: {error}.") from error
    for override in overrides:
        _override(content, override)
    return parse_recipe(content, str(path))


def parse_recipe(content: Mapping[str, Any], where: str) -> Recipe:
    """Check a recipe's content; `where` names its file in errors.

    Raises:
        RecipeError: Naming the key that does not fit.
    """
    try:
        recipe = Recipe.model_validate(content)
    except ValidationError as error:
        raise RecipeError(f"{where}: {_sentence(error)}") from error
    _check_heads(recipe, where)
    return recipe


def _check_heads(recipe: Recipe, where: str) -> None:
    names = [head.labels for head in recipe.heads]
    for number, name in enumerate(names):
        try:
            label_set(name)
        except MienError as error:
            raise RecipeError(f"{where}: heads.{number}.labels: {error}") from error
        if name in names[:number]:
            raise RecipeError(f"{where}: heads.{number}.labels: {name!r} is a head already.")
    figures = ["val_accuracy", *(f"val_accuracy_{name}" for name in names)]
    if recipe.training.select not in figures:
        raise RecipeError(
            f"{where}: training.select: {unknown_name('figure', recipe.training.select, figures)}"
        )


def _override(content: dict[str, Any], override: str) -> None:
    key, separator, text = override.partition("=")
    if not separator:
        raise RecipeError(f"An override must be key=value. Got {override!r} instead.")
    *parents, last = key.strip().split(".")
    table: Any = content
    for parent in parents:
        table = table.setdefault(parent, {}) if isinstance(table, dict) else None
    if not isinstance(table, dict):
        raise RecipeError(f"The override {override!r} names no table of the recipe.")
    table[last] = _value(text.strip())


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "missing":
        return f"the key {key!r} is missing."
    if first["type"] != "extra_forbidden":
        return f"{key}: {first['msg']}. Got {first['input']!r} instead."
    *parents, last = first["loc"]
    return f"{key}: {unknown_name('key', last, _keys(parents))}"


def _keys(parents: Iterable[int | str]) -> list[str]:
    model: type[BaseModel] = Recipe
    for parent in parents:
        if isinstance(parent, int):
            continue
        annotation = model.model_fields[parent].annotation
        inner = getattr(annotation, "__args__", (annotation,))[0]
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            model = inner
    return list(model.model_fields)
