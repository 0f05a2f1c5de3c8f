"""CSV tables as people and their programs save them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mien.data.tables import csv_rows
from mien.errors import DataError


def rows_of(path: Path) -> list[dict[str, str]]:
    with csv_rows(path) as rows:
        return list(rows)


@pytest.mark.parametrize("separator", [";", "\t"])
def test_beside_other_separators_numbers_may_have_decimal_commas(tmp_path, separator):
    path = tmp_path / "table.csv"
    lines = ["id", "p_anger", "said"], ["a", "0,25", "1,2,3"], ["b", " -1,5e-3 ", "yes, 3,5"]
    path.write_text("\n".join(separator.join(line) for line in lines))
    assert rows_of(path) == [
        {"id": "a", "p_anger": "0.25", "said": "1,2,3"},
        {"id": "b", "p_anger": "-1.5e-3", "said": "yes, 3,5"},
    ]


def test_beside_commas_a_quoted_cell_stays_as_it_is(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text('id,said\na,"0,25"\n')
    assert rows_of(path) == [{"id": "a", "said": "0,25"}]


def test_lines_are_counted_from_the_first(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("id;said\na;yes\nb\n")
    with pytest.raises(DataError, match=r"table\.csv, line 3: must have 2 cells"):
        rows_of(path)


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=st.lists(st.tuples(WORDS, WORDS), max_size=4), separator=st.sampled_from(",;\t"))
def test_what_is_written_is_read_with_each_separator(tmp_path, cells, separator):
    path = tmp_path / "table.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=separator, quoting=csv.QUOTE_ALL)
        writer.writerows([("one", "two"), *cells])
    kept = [{"one": one, "two": two} for one, two in cells]
    read = rows_of(path)
    assert [set(row) for row in read] == [set(row) for row in kept]
    assert all(
        a[name] == b[name] or (separator != "," and "," in b[name])
        for a, b in zip(read, kept)
        for name in b
    )
