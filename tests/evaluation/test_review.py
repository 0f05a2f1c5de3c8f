"""The report: what it is computed from, what it says where there is nothing to say."""

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics as oracle

from mien.data.dataset import NO_TARGET
from mien.data.votes import majority
from mien.errors import MienError
from mien.evaluation.bootstrap import CALIBRATION_NOTE
from mien.evaluation.judged import judged
from mien.evaluation.predict import predict
from mien.evaluation.predictions import Predictions
from mien.evaluation.predictions_file import read_predictions
from mien.evaluation.review import write_review
from mien.evaluation.unvaried import wilson
from mien.labels import LabelSet, label_set

FOUR = label_set("four")


def table(truth, shares, labels=FOUR, **changes):
    count = len(truth)
    made = Predictions(
        labels=labels,
        ids=np.array([f"face-{i}" for i in range(count)]),
        splits=np.full(count, "test"),
        truth=np.array(truth),
        leaked=np.zeros(count, dtype=bool),
        logits=np.log(np.maximum(np.asarray(shares, dtype=float), 1e-30)),
        subjects=np.full(count, ""),
        sources=np.full(count, "made"),
        model="m",
        dataset="made",
    )
    return replace(made, **changes)


def random_table(count=120, seed=0, labels=FOUR, **changes):
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, len(labels), count)
    right = np.eye(len(labels))[truth]
    shares = 0.5 * generator.dirichlet(np.ones(len(labels)), count) + 0.5 * right * (
        generator.random((count, 1)) < 0.7
    )
    return table(truth, shares / shares.sum(1, keepdims=True), labels, **changes)


@pytest.fixture(scope="module")
def page(small_run, small_dataset, tmp_path_factory):
    folder = tmp_path_factory.mktemp("review")
    tables = map(with_a_mistake, predict(small_run.module(), small_dataset))
    outputs = [judged(t, small_dataset, metrics_file=small_run.metrics_file) for t in tables]
    return write_review(outputs, folder)


def with_a_mistake(found):
    """The same predictions, of which one test face is surely wrong."""
    logits = found.logits.copy()
    face = np.flatnonzero((found.splits == "test") & (found.truth >= 0))[0]
    logits[face] = 0.0
    logits[face, (found.truth[face] + 1) % len(found.labels)] = 5.0
    return replace(found, logits=logits)


def test_the_page_is_one_file_with_every_section(page):
    text = page.read_text(encoding="utf-8")
    for title in (
        "Figures",
        "Classes",
        "Confusions",
        "Curves",
        "Beside human raters",
        "Calibration",
        "Answering only when sure",
        "Where it works better and worse",
        "Mistakes",
        "Training",
    ):
        assert text.count(f"<h2>{title}</h2>") == 2, title
    sources = re.findall(r'(?:src|href)="([^"]{0,30})', text)
    assert sources
    assert all(source.startswith(("data:image/", "#")) for source in sources)
    assert "http" not in re.sub(r"base64,[^\"]+", "", text)
    alts = re.findall(r'<img[^>]*alt="([^"]*)"', text)
    assert alts
    assert all(alts)


def test_every_figure_is_a_png_and_an_svg(page):
    drawn = sorted(path.stem for path in (page.parent / "figures").glob("*.png"))
    assert drawn == sorted(path.stem for path in (page.parent / "figures").glob("*.svg"))
    assert "basic7-confusion" in drawn
    assert len(drawn) == 14


def test_figures_are_those_of_the_predictions_beside_the_page(page):
    content = json.loads((page.parent / "report.json").read_text())["basic7"]
    faces = read_predictions(page.parent / "predictions" / "basic7.parquet").judged("test")
    decided = faces.probabilities.argmax(1)
    found = content["headline"]["all"]
    assert found["accuracy"]["value"] == pytest.approx((decided == faces.truth).mean())
    kappa = oracle.cohen_kappa_score(faces.truth, decided)
    assert found["kappa"]["value"] == pytest.approx(kappa)
    counts = oracle.confusion_matrix(faces.truth, decided, labels=range(7))
    assert content["confusion"]["counts"] == counts.tolist()
    assert content["headline"]["without leaked"]["faces"] == found["faces"] - 1
    wanted = oracle.classification_report(
        faces.truth, decided, labels=range(7), output_dict=True, zero_division=np.nan
    )
    for number, name in enumerate(faces.labels.expressions):
        ours = content["classes"]["classes"][name]
        for figure, value in (("precision", "precision"), ("recall", "recall"), ("f1", "f1-score")):
            expected = wanted[str(number)][value]
            if np.isnan(expected):
                assert ours[figure] is None, (name, figure)
            else:
                assert ours[figure] == pytest.approx(expected), (name, figure)


def test_one_class_alone_is_undefined_and_not_zero(tmp_path):
    page = write_review([judged(table([0] * 8, np.full((8, 4), 0.25)))], tmp_path)
    text, data = page.read_text(), json.loads((tmp_path / "report.json").read_text())["four"]
    assert data["headline"]["all"]["macro_auc"]["value"] is None
    assert data["classes"]["classes"]["happiness"]["recall"] is None
    assert "undefined" in text
    assert "No face shows happiness, neutral, sadness" in text
    assert "Curves and their areas are undefined" in text


def test_a_perfect_model_has_no_mistakes(tmp_path):
    truth = np.arange(8) % 4
    page = write_review([judged(table(truth, np.eye(4)[truth]))], tmp_path)
    data = json.loads((tmp_path / "report.json").read_text())["four"]
    low, high = wilson(8, 8)
    assert data["headline"]["all"]["accuracy"] == {"value": 1, "low": low, "high": high}
    assert data["uncertain"]["threshold"] == 0
    assert "No face is mistaken for another" in page.read_text()
    assert "mistakes" not in data


def test_intervals_draw_subjects_where_all_are_known(tmp_path):
    subjects = np.repeat([f"S{i}" for i in range(6)], 20)
    page = write_review([judged(random_table(subjects=subjects))], tmp_path)
    assert "intervals over subjects" in page.read_text()
    data = json.loads((tmp_path / "report.json").read_text())["four"]
    groups = data["groups"]["subject"]
    assert len(groups) == 6
    assert sum(group["faces"] for group in groups) == 120
    whole = data["headline"]["all"]["accuracy"]["value"]
    assert sum(group["right"] for group in groups) == round(whole * 120)


def test_the_page_says_why_nothing_was_fitted_on_val(tmp_path):
    splits = np.array(["train", "val", "test"] * 40)
    said = {}
    for split in ("train", "val", "all", "test"):
        page = write_review([judged(random_table(splits=splits), split=split)], tmp_path / split)
        said[split] = page.read_text()
    for split in ("val", "all"):
        assert "fitted beside the judged faces, as they hold those of val." in said[split]
        assert "chosen on the judged faces themselves, as they hold those of val" in said[split]
    for split in ("train", "test"):
        assert "chosen on val as" in said[split]
    page = write_review([judged(random_table())], tmp_path / "none")
    assert "as there is no val" in page.read_text()
    assert CALIBRATION_NOTE in page.read_text()


def test_a_threshold_that_answers_nothing_is_said(tmp_path):
    splits = np.array(["val", "test"] * 60)
    unsure = random_table(splits=splits)
    scale = np.where(splits[:, None] == "val", 9, 0.01)
    unsure = replace(unsure, logits=scale * unsure.logits)
    page = write_review([judged(unsure)], tmp_path)
    assert "answers none of the judged faces" in page.read_text()


def test_subjects_of_few_faces_are_not_called_large(tmp_path):
    subjects = np.repeat([f"S{i:02}" for i in range(40)], 3)
    page = write_review([judged(random_table(subjects=subjects))], tmp_path)
    assert "of all subjects those with the lowest accuracy" in page.read_text()


def test_a_runs_own_files_are_not_written_over(small_run, tmp_path):
    shutil.copytree(small_run.folder, tmp_path / "run")
    kept = {p: p.read_bytes() for p in (tmp_path / "run").rglob("*") if p.is_file()}
    with pytest.raises(MienError, match=r"is a training's run: give another folder with --out\."):
        write_review([judged(random_table())], tmp_path / "run")
    assert {p: p.read_bytes() for p in (tmp_path / "run").rglob("*") if p.is_file()} == kept
    (tmp_path / "report.json").write_text("3")
    with pytest.raises(MienError, match=r"report\.json is not of an evaluation"):
        write_review([judged(random_table())], tmp_path)
    with pytest.raises(MienError, match=r"must be a folder to write to\. Got a file\."):
        write_review([judged(random_table())], tmp_path / "report.json")


def test_temperature_and_threshold_are_fitted_on_val_and_told(tmp_path):
    splits = np.array(["val", "test"] * 100)
    too_sure = random_table(200, splits=splits)
    too_sure = replace(too_sure, logits=too_sure.logits * 3)
    write_review([judged(too_sure)], tmp_path)
    data = json.loads((tmp_path / "report.json").read_text())["four"]
    assert data["headline"]["all"]["faces"] == 100
    fitted = data["calibration"]["fitted on val"]
    assert fitted["temperature"] > 1.5
    given = data["calibration"]["as given"]
    assert fitted["nll"] < given["nll"]
    assert given["ece"] > given["ece_if_calibrated"]["high"]
    # Other val faces, the same test: only what is fitted changes.
    other = replace(too_sure, truth=np.where(splits == "val", 0, too_sure.truth))
    write_review([judged(other)], tmp_path / "other")
    changed = json.loads((tmp_path / "other" / "report.json").read_text())["four"]
    assert changed["headline"] == data["headline"]
    assert changed["calibration"]["fitted on val"] != fitted
    assert changed["uncertain"]["threshold"] != data["uncertain"]["threshold"]


def test_the_dataset_completes_other_programs_predictions(small_dataset):
    labels = label_set("basic7")
    count = len(small_dataset)
    bare = table(
        np.full(count, NO_TARGET),
        np.full((count, 7), 1 / 7),
        labels,
        dataset="",
        ids=small_dataset.ids[::-1],
        splits=np.full(count, ""),
        sources=np.full(count, ""),
    )
    found = judged(bare, small_dataset)
    assert found.split == "test"
    places = {id_: i for i, id_ in enumerate(small_dataset.ids)}
    order = [places[id_] for id_ in found.faces.ids]
    np.testing.assert_array_equal(found.faces.truth, small_dataset.targets[order])
    np.testing.assert_array_equal(found.images, small_dataset.images[order])
    np.testing.assert_array_equal(found.faces.votes, small_dataset.votes[order])
    assert found.faces.dataset == "fer2013"
    assert found.faces.ids[found.faces.leaked].tolist() == ["fer2013-00077"]
    brightness = small_dataset.images[order].mean(axis=(1, 2))
    np.testing.assert_allclose(found.faces.measures["brightness"], brightness)


def test_a_truth_that_is_not_the_datasets_is_refused(small_dataset):
    labels = label_set("basic7")
    count = len(small_dataset)
    truth = small_dataset.targets.copy()
    truth[3] = (truth[3] + 1) % 7
    wrong = table(truth, np.full((count, 7), 1 / 7), labels, dataset="", ids=small_dataset.ids)
    with pytest.raises(MienError, match="gives 1 faces is not that of 'fer2013'"):
        judged(wrong, small_dataset)


def of_faces(faces, kept, **changes):
    """A table of another program's, or of mien's if it names a dataset, of some of the faces."""
    some = faces.select(np.flatnonzero(kept))
    known = {"dataset": "", "ids": some.ids, "splits": np.full(len(some), "")}
    shares = np.full((len(some), 7), 1 / 7)
    return table(some.targets, shares, faces.labels, **known | changes)


def test_faces_without_a_prediction_are_counted(small_dataset, tmp_path):
    test = np.flatnonzero(small_dataset.splits == "test")
    kept = np.ones(len(small_dataset), bool)
    kept[test[:5]] = False
    found = judged(of_faces(small_dataset, kept), small_dataset)
    assert (found.split, found.unpredicted) == ("test", 5)
    text = write_review([found], tmp_path).read_text()
    assert "5 faces of the dataset&#x27;s test have no prediction in m and are not judged" in text
    data = json.loads((tmp_path / "report.json").read_text())["basic7"]
    assert (data["unpredicted"], data["unjudged"]) == (5, {})
    assert judged(of_faces(small_dataset, kept), small_dataset, "val").unpredicted == 0
    assert judged(of_faces(small_dataset, kept), small_dataset, "all").unpredicted == 5
    # mien's own tables hold what was to be judged, of splits of their own.
    own = of_faces(small_dataset, kept, dataset="fer2013", splits=small_dataset.splits[kept])
    assert judged(own, small_dataset).unpredicted == 0


def test_the_dataset_knows_better_who_faces_show_and_the_table_which_it_learnt_from(small_dataset):
    count = len(small_dataset)
    people = np.array([f"p{n % 9}" for n in range(count)])
    known = replace(small_dataset, subjects=np.where(np.arange(count) < 8, "", people))
    said = {
        "splits": np.where(np.arange(count) < 40, "test", "train"),
        "subjects": np.full(count, "x"),
        "sources": np.full(count, "y"),
    }
    found = judged(of_faces(known, np.ones(count, bool), **said), known)
    assert found.faces.ids.tolist() == known.ids[:40].tolist()
    assert found.faces.subjects.tolist() == ["x"] * 8 + people[8:40].tolist()
    assert set(found.faces.sources) == {"fer2013"}


def test_leaks_go_by_the_splits_that_are_judged(small_dataset):
    """A dataset without splits has no leaks of its own, and a table may divide it otherwise."""
    images = small_dataset.images.copy()
    images[1::2] = images[::2]
    bare = np.full(len(images), "")
    twins = replace(small_dataset, images=images, splits=bare)
    splits = np.where(np.arange(len(images)) % 2, "test", "train")
    found = judged(of_faces(twins, np.ones(len(images), bool), splits=splits), twins)
    assert found.faces.leaked.all()
    apart = np.where(np.arange(len(images)) < 40, "test", "train")
    found = judged(of_faces(twins, np.ones(len(images), bool), splits=apart), twins)
    assert not found.faces.leaked.any()


def test_brightness_is_measured_and_not_taken_from_another_programs_table(small_dataset):
    own = {"brightness": np.zeros(len(small_dataset)), "face_size": np.ones(len(small_dataset))}
    faces = of_faces(small_dataset, np.ones(len(small_dataset), bool), measures=own)
    measures = judged(faces, small_dataset, "all").faces.measures
    means = small_dataset.images.mean(axis=(1, 2))
    np.testing.assert_allclose(measures["brightness"], means)
    assert (measures["face_size"] == 1).all()


def test_own_predictions_of_labels_that_were_corrected_are_refused(small_dataset):
    every = np.ones(len(small_dataset), bool)
    own = of_faces(small_dataset, every, dataset="fer2013", splits=small_dataset.splits)
    targets = small_dataset.targets.copy()
    targets[:3] = (targets[:3] + 1) % 7
    corrected = replace(small_dataset, targets=targets, votes=None)
    with pytest.raises(MienError, match=r"gives 3 faces is not .* Evaluate the model itself on it"):
        judged(own, corrected)
    # Faces without a label in one of the two do not contradict each other.
    targets = np.where(np.arange(len(targets)) < 3, NO_TARGET, small_dataset.targets)
    assert len(judged(own, replace(small_dataset, targets=targets)).faces)


def test_faces_that_an_output_cannot_name_are_counted(tmp_path):
    some = random_table(40)
    some = replace(some, truth=np.where(np.arange(40) < 5, NO_TARGET, some.truth))
    page = write_review([judged(some)], tmp_path)
    assert "that this output can say: unknown 5." in page.read_text()
    data = json.loads((tmp_path / "report.json").read_text())["four"]
    assert data["unjudged"] == {"unknown": 5}


def test_an_earlier_reports_outputs_are_removed(tmp_path):
    write_review([judged(random_table())], tmp_path)
    (tmp_path / "figures" / "mine.txt").write_text("kept")
    page = write_review([judged(random_table(labels=label_set("basic7")))], tmp_path)
    drawn = [path.name for path in (tmp_path / "figures").iterdir()]
    assert not [name for name in drawn if name.startswith("four-")]
    assert "mine.txt" in drawn
    assert not (tmp_path / "predictions" / "four.parquet").exists()
    assert "Output basic7" in page.read_text()


def test_predictions_are_checked_where_they_are_made():
    good = random_table(8)
    with pytest.raises(MienError, match=r"must be finite\. Got values that are not for 1 of 8"):
        replace(good, logits=np.where(np.arange(8)[:, None] == 2, np.nan, good.logits))
    with pytest.raises(MienError, match="must name each face once"):
        replace(good, ids=np.full(8, "x"))
    with pytest.raises(MienError, match="must have 8 rows of 4 logits"):
        replace(good, splits=good.splits[:5])
    with pytest.raises(MienError, match="must have 8 rows"):
        replace(good, votes=np.zeros((3, 10), np.uint8))
    with pytest.raises(MienError, match="must have 8 rows"):
        replace(good, measures={"brightness": np.zeros(2)})
    with pytest.raises(MienError, match="T above 0"):
        good.calibrated(0.0)


def test_what_cannot_be_judged_is_said(small_dataset):
    with pytest.raises(MienError, match="no face of the split 'all' has a truth among anger"):
        judged(table([NO_TARGET], [[1, 0, 0, 0]], splits=np.array([""])))
    with pytest.raises(MienError, match="Unknown split 'tset': did you mean 'test'"):
        judged(random_table(), split="tset")
    with pytest.raises(MienError, match="lacks 120 of the 120 faces that m names, 'face-0' first"):
        judged(random_table(), small_dataset)


def test_choosing_among_fewer_divides_the_probability():
    wide = table([0, 4, 2], [[0.5, 0, 0.1, 0, 0.1, 0.2, 0.1, 0]] * 3, label_set("ferplus8"))
    narrow = wide.among(FOUR)
    np.testing.assert_allclose(narrow.probabilities, [np.array([5, 1, 2, 1]) / 9] * 3, atol=1e-9)
    assert narrow.truth.tolist() == [0, 1, NO_TARGET]
    sure = table([0], [[0, 1, 0, 0, 0, 0, 0, 0]], label_set("ferplus8"))
    with pytest.raises(MienError, match="probability 0 for 1 faces, 'face-0' first"):
        sure.among(FOUR)
    with pytest.raises(MienError, match="has no 'contempt'"):
        narrow.among(LabelSet("two", ("anger", "contempt")))


@pytest.fixture(scope="module")
def disagreeing(small_dataset):
    """The small dataset, where raters saw happiness in every third face, whatever its label."""
    votes = small_dataset.votes.copy()
    votes[::3] = [0] * 10
    votes[::3, 4] = 10
    return replace(small_dataset, votes=votes)


def theirs(dataset, labels, truth):
    """Another program's table, which says the majority of the raters."""
    said = majority(dataset.votes)
    shares = np.where(said[:, None] == NO_TARGET, 1 / 8, np.eye(8)[said])
    return table(
        truth,
        shares + 0.01,
        labels,
        dataset="",
        ids=dataset.ids,
        splits=np.full(len(dataset), ""),
    )


def test_eight_expressions_are_judged_by_the_majority_of_the_raters(disagreeing, tmp_path):
    labels, count = label_set("ferplus8"), len(disagreeing)
    expected = majority(disagreeing.votes)
    for truth in (np.full(count, NO_TARGET), expected):
        found = judged(theirs(disagreeing, labels, truth), disagreeing)
        places = np.isin(disagreeing.ids, found.faces.ids)
        np.testing.assert_array_equal(found.faces.truth, expected[places])
        assert (found.faces.truth != NO_TARGET).all()
    page = write_review([found], tmp_path)
    assert "What a face shows is what most raters named." in page.read_text()
    # Also where only some of the eight are to be chosen among.
    bare = theirs(disagreeing, labels, np.full(count, NO_TARGET))
    four = judged(bare, disagreeing, among=FOUR).faces
    names = np.array(labels.expressions)[expected[np.isin(disagreeing.ids, four.ids)]]
    assert np.array(FOUR.expressions)[four.truth].tolist() == names.tolist()


def test_a_table_may_say_that_it_is_judged_by_the_labels(disagreeing, tmp_path):
    labels = label_set("ferplus8")
    names = np.array(disagreeing.labels.expressions)[disagreeing.targets]
    own = np.array([labels.expressions.index(name) for name in names])
    found = judged(theirs(disagreeing, labels, own), disagreeing)
    places = np.isin(disagreeing.ids, found.faces.ids)
    np.testing.assert_array_equal(found.faces.truth, own[places])
    page = write_review([found], tmp_path)
    assert "What a face shows is the dataset&#x27;s own label." in page.read_text()
