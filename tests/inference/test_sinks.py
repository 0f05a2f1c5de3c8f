from __future__ import annotations

import csv
import json
import math
import os
import subprocess
import sys
import tracemalloc
from dataclasses import replace

import pandas
import pytest
from test_journal import FOUR, SETTINGS, SOURCES, fill, reading

from mien.errors import MienError
from mien.inference.face import Verdict
from mien.inference.journal import Journal
from mien.inference.sinks import SINKS, Results, columns, csv_table, write_csv

COLUMNS = (
    "source,face,status,answer,expression,confidence,anger,happiness,neutral,sadness,"
    "agreement,not_a_face,x,y,width,height,detector_score,message"
)


def written(path, sources=SOURCES, **options):
    with Results(path, SETTINGS, **options) as results:
        fill(results.journal, [s for s in sources if s not in results.journal])
    return path


def interrupted(path, sources):
    with pytest.raises(KeyboardInterrupt), Results(path, SETTINGS) as results:
        fill(results.journal, sources)
        raise KeyboardInterrupt


def test_csv_has_one_row_per_face_and_one_per_picture_without(tmp_path):
    path = written(tmp_path / "out.csv")
    assert path.read_text(encoding="utf-8").splitlines()[0] == COLUMNS
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    by_source = {}
    for row in rows:
        by_source.setdefault(row["source"], []).append(row)
    assert list(by_source) == sorted(SOURCES)
    (none,), (bad,) = by_source["none.png"], by_source["bad.png"]
    assert (none["status"], none["face"], none["expression"], none["x"]) == ("no face", "", "", "")
    assert (bad["status"], bad["message"]) == ("error", "bad.png is empty.")
    first, second = by_source["a.jpg"]
    assert (first["face"], second["face"], first["status"]) == ("0", "1", "ok")
    found = reading("a.jpg")
    assert tuple(float(first[e]) for e in FOUR.expressions) == found.probabilities
    assert (first["expression"], float(first["confidence"])) == (found.expression, found.confidence)
    assert (first["x"], first["height"], first["detector_score"]) == ("10.5", "40", "0.9")


def test_json_is_an_indented_array_of_pictures(tmp_path):
    text = written(tmp_path / "out.json").read_text(encoding="utf-8")
    pictures = json.loads(text)
    assert [p["source"] for p in pictures] == sorted(SOURCES)
    assert text == json.dumps(pictures, indent=2, ensure_ascii=False) + "\n"


def test_parquet_has_the_rows_of_csv_with_types(tmp_path):
    import pandas

    parquet = pandas.read_parquet(written(tmp_path / "out.parquet"))
    # As text: which decimals pandas reads exactly depends on its version.
    table = pandas.read_csv(written(tmp_path / "out.csv"), dtype=str, keep_default_na=False)
    assert list(parquet.columns) == list(table.columns) == COLUMNS.split(",")
    for name, kind in columns(FOUR.expressions).items():
        left, right = parquet[name], table[name]
        if kind is str:
            assert left.fillna("").tolist() == right.tolist()
        else:
            numbers = [float(text) if text else math.nan for text in right]
            assert left.astype(float).equals(pandas.Series(numbers))


def test_a_reading_says_what_the_model_doubts(tmp_path):
    unsure = Verdict("uncertain", agreement=0.25, not_a_face=0.125)
    with Results(tmp_path / "out.csv", SETTINGS) as results:
        doubted = replace(reading("a.jpg"), verdict=unsure)
        results.journal.add("a.jpg", (640, 480), [doubted])
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["answer"], row["expression"]) == ("uncertain", doubted.expression)
    assert (row["agreement"], row["not_a_face"]) == ("0.25", "0.125")


@pytest.mark.parametrize("form", sorted(SINKS))
def test_no_pictures_is_a_valid_empty_file(tmp_path, form):
    import pandas

    path = written(tmp_path / f"out.{form}", [])
    read = {"csv": pandas.read_csv, "json": pandas.read_json, "parquet": pandas.read_parquet}
    assert len(read[form](path)) == 0


@pytest.mark.parametrize("form", sorted(SINKS))
def test_order_and_interruption_do_not_change_a_byte(tmp_path, form):
    whole = written(tmp_path / f"whole.{form}").read_bytes()
    assert written(tmp_path / f"back.{form}", SOURCES[::-1]).read_bytes() == whole
    for done in range(1, len(SOURCES)):
        path = tmp_path / f"part{done}.{form}"
        interrupted(path, SOURCES[:done])
        assert not path.exists()
        assert written(path, resume=True).read_bytes() == whole
    assert not list(tmp_path.glob("*.partial"))


def test_a_killed_run_is_resumed(tmp_path):
    code = (
        "import os, sys\n"
        "sys.path[:0] = [sys.argv[2]]\n"
        "from pathlib import Path\n"
        "from test_journal import SETTINGS, SOURCES, fill\n"
        "from mien.inference.sinks import Results\n"
        "with Results(Path(sys.argv[1]), SETTINGS) as results:\n"
        "    fill(results.journal, SOURCES[:4])\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    out = tmp_path / "out.csv"
    folder = __file__.rsplit("/", 1)[0]
    done = subprocess.run([sys.executable, "-c", code, str(out), folder], check=False)
    assert done.returncode == -9
    assert not out.exists()
    assert written(out, resume=True).read_bytes() == written(tmp_path / "b.csv").read_bytes()


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path):
    path = written(tmp_path / "out.csv", ["a.jpg"])
    before = path.read_bytes()
    interrupted(path, ["b.jpg", "c.jpg"])
    assert path.read_bytes() == before
    assert (tmp_path / "out.csv.partial").exists()


def test_a_run_that_did_nothing_leaves_nothing(tmp_path):
    interrupted(tmp_path / "out.csv", [])
    assert list(tmp_path.iterdir()) == []


def test_the_format_may_differ_from_the_suffix(tmp_path):
    path = written(tmp_path / "out.txt", form="csv")
    assert path.read_text(encoding="utf-8").startswith("source,face")


@pytest.mark.parametrize(
    ("name", "complaint"),
    [("out.xslx", "Unknown format 'xslx'"), ("out.jsn", "did you mean 'json'"), ("out", "format")],
)
def test_an_unknown_format(tmp_path, name, complaint):
    with pytest.raises(MienError, match=complaint):
        Results(tmp_path / name, SETTINGS)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_the_place_of_the_file(tmp_path):
    (tmp_path / "out.csv").mkdir()
    with pytest.raises(MienError, match=r"must be a file to write\. Got a folder"):
        Results(tmp_path / "out.csv", SETTINGS)


@pytest.mark.skipif(os.name != "posix", reason="makes a pipe as POSIX does")
def test_a_pipe_in_the_place_of_the_file_stays(tmp_path):
    os.mkfifo(tmp_path / "out.csv")
    with pytest.raises(MienError, match=r"out\.csv must be a file to write\. Got a device, a pipe"):
        Results(tmp_path / "out.csv", SETTINGS)
    assert [path.is_fifo() for path in tmp_path.iterdir()] == [True]


def test_results_go_where_a_link_leads(tmp_path):
    (tmp_path / "link.csv").symlink_to("real.csv")
    assert written(tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text(encoding="utf-8").startswith(COLUMNS)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("name", ["a\rb.jpg", "a\nb.jpg", "a\r\nb.jpg", "\r\n", 'a"b,c.jpg'])
def test_a_name_with_line_ends_breaks_no_row(tmp_path, name, end):
    path, names = tmp_path / "out.csv", ("source", "status")
    csv_table([dict.fromkeys(names, name)] * 2, names, path, line_end=end)
    with path.open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [[*names], [name, name], [name, name]]
    assert pandas.read_csv(path, encoding="utf-8").to_numpy().tolist() == [[name, name]] * 2
    assert path.read_bytes().startswith(b"source,status" + end.encode())


def test_parquet_without_pyarrow_is_refused_before_the_work(tmp_path):
    code = (
        "import sys\n"
        "sys.path[:0] = [sys.argv[2]]\n"
        "sys.modules['pyarrow'] = None\n"
        "from pathlib import Path\n"
        "from test_journal import SETTINGS\n"
        "from mien.errors import MissingExtraError\n"
        "from mien.inference.sinks import Results\n"
        "try: Results(Path(sys.argv[1]) / 'out.parquet', SETTINGS)\n"
        "except MissingExtraError as error: print(error)\n"
    )
    folder = __file__.rsplit("/", 1)[0]
    command = [sys.executable, "-c", code, str(tmp_path), folder]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (
        done.stdout
        == "Writing Parquet needs the extra [parquet]: pip install '.[parquet]' in mien's folder.\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_csv_is_written_in_constant_memory(tmp_path):
    def peak(count):
        with Journal.create(tmp_path / f"j{count}", SETTINGS) as journal:
            fill(journal, [f"{n:06d}.jpg" for n in range(count)])
            tracemalloc.start()
            write_csv(journal.records(), FOUR.expressions, tmp_path / "out.csv")
            found = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            return found

    # The order of names takes a pointer each; a row would take more than 500 bytes.
    assert peak(4000) - peak(400) < 3600 * 40
