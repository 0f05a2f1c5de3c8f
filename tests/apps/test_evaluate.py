"""`mien evaluate` and `mien compare` on what users give them."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest

from mien.data.store import read_store, write_store
from mien.evaluation.predictions_file import read_predictions
from mien.inference.classifier import Classifier


def data_of(small_fer2013):
    faces, votes = small_fer2013
    return [faces, "--votes", votes]


def figures(folder, output="basic7", subset="all"):
    return json.loads((folder / "report.json").read_text())[output]["headline"][subset]


def test_a_model_and_its_run_and_its_predictions_agree(
    mien, small_run, small_model, small_fer2013, tmp_path
):
    data = data_of(small_fer2013)
    code, out, err = mien("evaluate", small_model, *data, "--out", tmp_path / "file")
    assert code == 0, err
    assert "basic7, test; 95 % intervals" in out
    code, _, err = mien("evaluate", small_run.folder, *data, "--out", tmp_path / "run")
    assert code == 0, err
    assert "which mien export puts into the file" in err
    predictions = tmp_path / "file" / "predictions" / "basic7.parquet"
    code, _, err = mien("evaluate", predictions, "--out", tmp_path / "table")
    assert code == 0, err
    one, two, three = (figures(tmp_path / name) for name in ("file", "run", "table"))
    assert one["accuracy"] == two["accuracy"] == three["accuracy"]
    assert one["nll"]["value"] == pytest.approx(two["nll"]["value"], abs=1e-4)
    assert one == three
    assert "Training" in (tmp_path / "run" / "report.html").read_text()
    names = {"ferplus8", "basic7"}
    assert json.loads((tmp_path / "file" / "report.json").read_text()).keys() == names


def test_a_narrower_question_and_another_split(mien, small_fer2013, tmp_path):
    options = ["--labels", "happy+sad+neutral", "--split", "val", "--out", tmp_path / "r"]
    code, _, err = mien("evaluate", "mien-tiny", *data_of(small_fer2013), *options)
    assert code == 0, err
    content = json.loads((tmp_path / "r" / "report.json").read_text())
    (found,) = content.values()
    assert found["expressions"] == ["happiness", "neutral", "sadness"]
    assert found["split"] == "val"


def test_a_run_is_judged_on_other_data(mien, small_run, small_fer2013, tmp_path):
    code, _, err = mien("data", "convert", small_fer2013[0], "--out", tmp_path / "own")
    assert code == 0, err
    dataset = replace(read_store(tmp_path / "own"), name="mine")
    write_store(dataset, tmp_path / "mine")
    code, _, err = mien("evaluate", small_run.folder, tmp_path / "mine", "--out", tmp_path / "r")
    assert code == 0, err
    assert "mien export" not in err
    assert figures(tmp_path / "r")["faces"] == int((dataset.splits == "test").sum())
    # Of views that were never measured no temperature is known.
    run = shutil.copytree(small_run.folder, tmp_path / "run")
    (run / "report-flip.json").unlink(missing_ok=True)
    code, _, err = mien(
        "evaluate", run, tmp_path / "mine", "--tta", "flip", "--out", tmp_path / "f"
    )
    assert (code, "was not calibrated with --tta flip" in " ".join(err.split())) == (2, True)


def test_models_are_compared(mien, small_run, small_model, small_fer2013, tmp_path):
    faces, votes = small_fer2013
    given = ["--data", faces, "--votes", votes]
    code, out, err = mien("compare", small_model, small_run.folder, *given, "--out", tmp_path / "c")
    assert code == 0, err
    assert "McNemar" in out
    data = json.loads((tmp_path / "c" / "compare.json").read_text())
    assert [c["labels"] for c in data] == ["ferplus8", "basic7"]
    one, two = data[1]["models"]
    assert one["model"] != two["model"]
    assert one["figures"]["accuracy"] == two["figures"]["accuracy"]
    assert two["mcnemar"]["p"] == 1


@pytest.mark.parametrize("split", ["all", "train"])
def test_models_are_compared_on_the_split_that_is_named(
    mien, small_model, small_fer2013, small_dataset, tmp_path, split
):
    given = ["--data", small_fer2013[0], "--split", split, "--out", tmp_path / "c"]
    code, _, err = mien("compare", small_model, small_model, *given)
    assert code == 0, err
    counts = {
        c["labels"]: c["faces"] for c in json.loads((tmp_path / "c" / "compare.json").read_text())
    }
    wanted = len(small_dataset) if split == "all" else (small_dataset.splits == "train").sum()
    assert counts["basic7"] == wanted


def test_predictions_are_compared_with_a_model(mien, small_model, small_fer2013, tmp_path):
    faces, votes = small_fer2013
    code, _, err = mien("evaluate", small_model, faces, "--out", tmp_path / "r")
    assert code == 0, err
    own = tmp_path / "r" / "predictions" / "basic7.parquet"
    table = read_predictions(own)
    names = table.labels.expressions
    lines = [
        ",".join([id_, *(f"{p:.12f}" for p in row)])
        for id_, row in zip(table.ids, table.probabilities)
    ]
    theirs = tmp_path / "theirs.csv"
    theirs.write_text("\n".join([",".join(["id", *names]), *lines]))
    given = ["--data", faces, "--votes", votes, "--out", tmp_path / "c"]
    code, _, err = mien("compare", small_model, theirs, *given)
    assert code == 0, err
    (data,) = json.loads((tmp_path / "c" / "compare.json").read_text())
    assert data["models"][1]["differences"]["accuracy"]["value"] == 0
    assert data["split"] == "test"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["evaluate", "mien-base"], "Name the dataset to judge on"),
        (["evaluate", "mien-bass", "{faces}"], "did you mean 'mien-base'"),
        (["evaluate", "{model}", "{faces}", "{faces}"], "one dataset at a time. Got 2"),
        (["evaluate", "{model}", "{faces}", "--tta", "flip"], "--tta is for runs"),
        (["evaluate", "{model}", "{faces}", "--split", "tests"], "did you mean 'test'"),
        (["evaluate", "{model}", "{faces}", "--labels", "for"], "did you mean 'four'"),
        (["compare", "{model}", "--data", "{faces}"], "two or more models to compare"),
        (["compare", "{model}", "{model}"], "Name the dataset to compare the models on"),
        (["evaluate", "x.csv", "--votes", "v.csv"], "--votes and --name are of a dataset"),
        (["compare", "x.csv", "y.csv", "--name", "a=fear"], "--votes and --name are of a dataset"),
        (["compare", "{model}", "x.csv"], "Name the dataset to compare the models on"),
        # What is wrong with the question is said before the dataset is looked for.
        (["evaluate", "{model}", "no.zip", "--labels", "for"], "did you mean 'four'"),
        (["evaluate", "{model}", "no.zip", "--split", "tests"], "did you mean 'test'"),
        (["evaluate", "{model}", "no.zip", "--out", "{model}"], "must be a folder to write to"),
        (["compare", "{model}", "{model}", "--data", "no.zip", "--labels", "for"], "did you mean"),
        (["compare", "{model}", "mien-bass", "--data", "no.zip"], "did you mean 'mien-base'"),
        (["compare", "{model}", "{model}", "--data", "no.zip", "--out", "{model}"], "a folder"),
        (["quantise", "{model}", "--data", "no.zip", "--out", "."], "must be a file to write"),
        (["export", "no-run", "--out", "x.onnx", "--card", "."], "must be a file to write"),
        (["export", "no-run", "--out", "x.onnx", "--card", "./x.onnx"], "another file than the"),
        (["ensemble", "{model}", "{model}", "--data", "no.zip", "--out", "."], "must be a file"),
    ],
)
def test_mistakes_are_one_sentence(
    mien, small_model, small_fer2013, tmp_path, monkeypatch, arguments, message
):
    monkeypatch.chdir(tmp_path)
    given = [a.format(model=small_model, faces=small_fer2013[0]) for a in arguments]
    code, _, err = mien(*given)
    assert (code, message in " ".join(err.split())) == (2, True), err
    assert "Traceback" not in err


MEASURED = """
import re, sys
from mien.apps.cli.main import main
try:
    main()
finally:
    status = open("/proc/self/status").read()
    print(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1], file=sys.stderr)
"""
"""Prints the most memory that the command held, in kB; `getrusage` may give the parent's."""


@pytest.mark.data
@pytest.mark.slow
def test_a_report_on_private_test_is_what_the_card_says(shared_data, tmp_path):
    folder = shared_data / "fer2013"
    given = [folder / "fer2013.zip", "--votes", folder / "fer2013new.csv"]
    command = [sys.executable, "-c", MEASURED, "evaluate", "mien-tiny", *given]
    ended = subprocess.run(
        [*map(str, command), "--out", str(tmp_path)], capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stderr.split()[-1]) * 1024 < 1.5e9
    on_card = [f for f in Classifier("mien-tiny").card.figures if f.dataset == "fer2013"]
    assert figures(tmp_path)["faces"] == 3589
    told = {f.head: f.value for f in on_card if (f.metric, f.subset) == ("accuracy", "all")}
    assert figures(tmp_path)["accuracy"]["value"] == pytest.approx(told["basic7"], abs=1e-3)
    assert figures(tmp_path, "ferplus8")["faces"] == 3153
    votes = figures(tmp_path, "ferplus8")["accuracy"]["value"]
    assert votes == pytest.approx(told["ferplus8"], abs=1e-3)
    leaked = read_predictions(tmp_path / "predictions" / "basic7.parquet").judged("test").leaked
    assert figures(tmp_path, subset="without leaked")["faces"] == int((~leaked).sum())


MAHASTAMA = [[32, 3, 10, 2], [0, 41, 3, 3], [6, 5, 32, 4], [9, 3, 7, 28]]
FATIMATUZZAHRA = [[39, 4, 4, 3], [3, 39, 4, 4], [4, 4, 39, 3], [3, 4, 4, 39]]
"""The first is printed in the paper; of the second the paper prints the sums of its one-vs-rest
counts, which any matrix with 156 of 200 on its diagonal has."""


@pytest.mark.parametrize(
    ("matrix", "plain", "one_vs_rest"),
    [(MAHASTAMA, 133 / 188, 1 - 55 / 188 / 2), (FATIMATUZZAHRA, 0.78, 0.89)],
)
def test_the_papers_tables_come_out_of_their_decisions(mien, tmp_path, matrix, plain, one_vs_rest):
    names = ("angry", "happy", "neutral", "sad")
    rows = [
        f"{truth}-{said}-{n},{names[truth]},{','.join(str(int(i == said)) for i in range(4))}"
        for truth, row in enumerate(matrix)
        for said, count in enumerate(row)
        for n in range(count)
    ]
    path = tmp_path / "theirs.csv"
    path.write_text("\n".join([f"id,truth,{','.join(names)}", *rows]))
    code, _, err = mien("evaluate", path, "--out", tmp_path / "r")
    assert code == 0, err
    content = json.loads((tmp_path / "r" / "report.json").read_text())["four"]
    assert content["confusion"]["counts"] == matrix
    together = content["classes"]["all together"]
    assert together["precision"] == together["recall"] == pytest.approx(plain)
    assert together["one_vs_rest_accuracy"] == pytest.approx(one_vs_rest)
    assert [content["classes"]["classes"][e]["faces"] for e in content["expressions"]] == [
        sum(row) for row in matrix
    ]
