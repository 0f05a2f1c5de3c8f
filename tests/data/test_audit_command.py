"""`mien data audit` and `clean` from end to end."""

import csv
import os
import sys

import cv2
import numpy as np
import pytest

import makers
from mien.apps.cli.main import main
from mien.labels import label_set


@pytest.fixture
def mien(monkeypatch, capsys):
    """Run the program in this process; returns exit code and both outputs."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["mien", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
            sys.exit(0)
        return int(stop.value.code or 0), *capsys.readouterr()

    return run


@pytest.fixture
def tree(tmp_path):
    """A folder per class with ten drawn faces each, and a file that is no picture."""
    generator = np.random.default_rng(0)
    for code, name in enumerate(label_set("basic7").expressions):
        (tmp_path / "tree" / name).mkdir(parents=True)
        for number in range(10):
            path = tmp_path / "tree" / name / f"{number}.png"
            cv2.imwrite(str(path), makers.drawn_face(code, generator))
    (tmp_path / "tree" / "fear" / "broken.png").write_bytes(b"\x89PNG no more")
    return tmp_path / "tree"


@pytest.fixture
def probabilities(tree):
    """A file that is sure of every label but one."""
    names = label_set("basic7").expressions
    path = tree.parent / "oof.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", *(f"p_{name}" for name in names)])
        for name in names:
            for number in range(10):
                wrong = (name, number) == ("fear", 4)
                likely, share = ("surprise", 0.98) if wrong else (name, 0.94)
                row = [share if other == likely else (1 - share) / 6 for other in names]
                writer.writerow([f"{name}/{number}.png", *row])
    return path


def test_an_audit_reports_unreadable_files_and_doubted_labels(mien, tree, probabilities, tmp_path):
    report = tmp_path / "report"
    options = ["--probabilities", probabilities, "--out", report]
    code, out, err = mien("data", "audit", tree, *options)
    assert code == 0, err
    assert "did not run: The dataset does not say who is shown." in out
    with (report / "findings.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    (unread,) = [row for row in rows if row["check"] == "corrupt"]
    assert unread["id"] == ""
    assert "broken.png" in unread["note"]
    (doubted,) = [row for row in rows if row["check"] == "label-noise"]
    assert doubted["id"] == "fear/4.png"
    assert doubted["note"] == "labelled fear, likely surprise (p .98)"
    page = (report / "audit.html").read_text(encoding="utf-8")
    assert "broken.png" in page
    assert "This check did not run." in page
    findings = ["--findings", report / "findings.csv", "--out", tmp_path / "clean"]
    code, out, err = mien("data", "clean", tree, *findings, "--drop", "label-noise")
    assert code == 0, err
    assert "cleaned: dropped 1 label-noise" in out


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--check", "label-nose"], "did you mean 'label-noise'"),
        (["--probabilities", "none.csv"], "none.csv cannot be opened"),
        (["--detector-weights", "none.onnx"], "The weights none.onnx cannot be read"),
        (["--model", "mien-bas"], "did you mean 'mien-base'"),
    ],
)
def test_wrong_options_end_in_one_sentence(mien, tree, tmp_path, options, sentence):
    code, _, err = mien("data", "audit", tree, "--out", tmp_path / "x", *options)
    assert code == 2
    assert sentence in err
    assert "Traceback" not in err
    assert not (tmp_path / "x").exists()


def test_findings_that_a_person_edited_are_not_replaced(mien, tree, tmp_path):
    command = ("data", "audit", tree, "--check", "identical", "--out", tmp_path / "report")
    for _ in range(2):
        assert mien(*command)[0] == 0
    table = tmp_path / "report" / "findings.csv"
    os.utime(table)  # copied, say
    assert mien(*command)[0] == 0
    with table.open("a", encoding="utf-8") as file:
        file.write("edited\n")
    code, _, err = mien(*command)
    assert (code, "may have been edited" in " ".join(err.split())) == (2, True)
    assert table.read_text(encoding="utf-8").endswith("edited\n")
