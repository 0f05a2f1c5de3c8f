import pytest

from mien.data.readers import READERS
from mien.errors import DataError, RecipeError
from mien.models import NETWORKS
from mien.registry import Registry


def test_entries_are_found_without_being_imported_by_hand():
    assert {"fer2013", "folder"} <= set(READERS)
    assert "mien-se-resnet" in set(NETWORKS)


@pytest.mark.parametrize(
    ("registry", "wrong", "error", "near"),
    [(READERS, "fer2012", DataError, "fer2013"), (NETWORKS, "mien-resnet", RecipeError, "mien-se")],
)
def test_an_unknown_entry_is_answered_with_the_nearest(registry, wrong, error, near):
    with pytest.raises(error, match=near):
        registry[wrong]


def test_a_name_is_given_once():
    registry: Registry[int] = Registry("number", "mien.data.readers")
    registry.register("one")(1)
    with pytest.raises(RuntimeError, match="twice"):
        registry.register("one")(2)
