import pytest

from mien.inference.percent import percent


@pytest.mark.parametrize(
    ("share", "text"),
    [
        *((0.0, "0%"), (0.004, "<1%"), (0.006, "1%"), (0.5, "50%")),
        *((0.994, "99%"), (0.996, ">99%"), (0.99999, ">99%"), (1 - 1e-12, "100%"), (1.0, "100%")),
    ],
)
def test_only_all_is_all(share, text):
    assert percent(share) == text
