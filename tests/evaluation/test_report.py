import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mien.data.dataset import NO_TARGET
from mien.errors import MienError
from mien.evaluation.predict import predict
from mien.evaluation.report import doubt_report, evaluate_run, head_report


@pytest.fixture(scope="module")
def reports(small_run, small_dataset):
    return evaluate_run(small_run, small_dataset)


def test_predictions_are_of_val_and_test_and_know_what_leaked(small_run, small_dataset):
    votes, labels = predict(small_run.module(), small_dataset)
    assert votes.labels.name == "ferplus8"
    assert labels.logits.shape == (28, 7)
    assert set(labels.splits) == {"val", "test"}
    # The maker puts one twin of a test face into train.
    assert labels.ids[labels.leaked].tolist() == ["fer2013-00077"]


def test_figures_can_be_recomputed_from_the_table(small_run, reports):
    report = reports[1]
    table = pd.read_parquet(small_run.folder / "predictions" / "basic7.parquet")
    test = table[(table["split"] == "test") & table["truth"].notna()]
    shares = test[[f"p_{e}" for e in report.head.expressions]].to_numpy()
    np.testing.assert_allclose(shares.sum(1), 1)
    decided = shares.argmax(1)
    hits = np.array(report.head.expressions)[decided] == test["truth"]
    figures = {(f.metric, f.subset): f for f in report.figures}
    assert figures["accuracy", "all"].value == pytest.approx(hits.mean())
    right = shares[
        np.arange(len(test)), pd.Categorical(test["truth"], report.head.expressions).codes
    ]
    assert figures["nll", "all"].value == pytest.approx(-np.log(right).mean())
    clean = hits[~test["leaked"]]
    assert figures["accuracy", "without leaked"].value == pytest.approx(clean.mean())
    assert figures["accuracy", "without leaked"].images == 13


def test_every_figure_lies_in_its_interval_and_is_stored(small_run, reports):
    for report in reports:
        for figure in report.figures:
            # A resample's calibration error is larger than the whole's: protocol.md says so.
            assert figure.metric == "ece" or figure.low <= figure.value <= figure.high
    stored = json.loads((small_run.folder / "report.json").read_text())
    assert [r["head"]["name"] for r in stored] == ["ferplus8", "basic7"]
    assert stored == json.loads(json.dumps([r.as_dict() for r in reports]))


def test_without_test_faces_figures_are_of_val(small_run, small_dataset):
    (table, _) = predict(small_run.module(), small_dataset)
    report = head_report(table.select(table.splits == "val"), "fer2013")
    assert {figure.split for figure in report.figures} == {"val"}
    with pytest.raises(MienError, match="no validation face has a known truth"):
        head_report(table.select(table.splits == "test"), "fer2013")


def test_where_no_test_face_has_a_label_figures_are_of_val(small_run, small_dataset):
    table = predict(small_run.module(), small_dataset)[1]
    unlabelled = replace(table, truth=np.where(table.splits == "test", NO_TARGET, table.truth))
    figures = [*head_report(unlabelled, "fer2013").figures]
    figures += doubt_report(unlabelled, "fer2013").figures
    assert {figure.split for figure in figures} == {"val"}
    assert figures[0].images == int((table.splits == "val").sum())


def test_other_data_are_refused(small_run, small_dataset):
    with pytest.raises(MienError, match="was trained on other data"):
        evaluate_run(small_run, small_dataset.select(np.arange(80)))
