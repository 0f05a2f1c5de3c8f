"""A recipe: one experiment, from the data to the expected figure, in one TOML file."""

from mien.recipe.augmentation import AugmentationPart
from mien.recipe.data import DataPart
from mien.recipe.load import (
    find_recipe,
    find_space,
    load_recipe,
    parse_recipe,
    recipe_text,
    shipped_recipes,
)
from mien.recipe.parts import (
    MOST_SEED,
    DistillationPart,
    ExpectedFigure,
    HeadPart,
    NetworkPart,
    OptimiserPart,
    Recipe,
    SchedulePart,
    SignalPart,
    StartPart,
    TrainingPart,
)

__all__ = [
    "MOST_SEED",
    "AugmentationPart",
    "DataPart",
    "DistillationPart",
    "ExpectedFigure",
    "HeadPart",
    "NetworkPart",
    "OptimiserPart",
    "Recipe",
    "SchedulePart",
    "SignalPart",
    "StartPart",
    "TrainingPart",
    "find_recipe",
    "find_space",
    "load_recipe",
    "parse_recipe",
    "recipe_text",
    "shipped_recipes",
]
