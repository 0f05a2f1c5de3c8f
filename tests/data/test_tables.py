"""CSV tables as people and their programs save them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mien.data.tables import column_name, csv_rows, decimal
from mien.errors import DataError


def rows_of(path: Path) -> list[dict[str, str]]:
    with csv_rows(path) as rows:
        return list(rows)


@pytest.mark.parametrize(
    ("text", "number"), [("0,25", 0.25), (" -1,5e-3 ", -0.0015), ("12", 12), ("83.5", 83.5)]
)
def test_a_number_may_have_a_decimal_comma(text, number):
    assert decimal(text) == number


@pytest.mark.parametrize("text", ["", ",5", "5,", "1,2,3", "a,b", "1.5,2"])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(ValueError, match="could not convert"):
        decimal(text)


def test_a_column_s_name_has_no_case_and_no_blanks():
    assert column_name(" Subject\t") == column_name("subject") == "subject"


def test_separators_inside_quotes_do_not_count(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text('id,"a;b;c"\nx,1\n')
    assert rows_of(path) == [{"id": "x", "a;b;c": "1"}]


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
    assert rows_of(path) == kept
