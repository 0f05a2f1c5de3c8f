"""Who is shown: subjects in tables and paths, and what is told of them."""

import unicodedata

import cv2
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.data.prepare.run import list_pictures
from mien.data.readers import read_dataset
from mien.data.readers.cells import people, said, said_class
from mien.data.readers.gaps import gaps
from mien.data.sample import Sample
from mien.data.store import write_store
from mien.errors import DataError
from mien.labels import ClassNames

FACE = cv2.imencode(".png", np.zeros((4, 4), np.uint8))[1].tobytes()
KINDS = ("list.csv", "list.parquet", "faces.parquet")


def faces(top, *paths):
    for path in paths:
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_bytes(FACE)
    return top


def table(folder, kind, **columns):
    """A list of pictures, or Parquet with pictures in it, of two faces or more."""
    count = len(next(iter(columns.values())))
    names = [f"{number}.png" for number in range(count)]
    faces(folder, *names)
    columns = {"Label": ["sad", "happy", "fear"][:count]} | columns
    if kind == "faces.parquet":
        pq.write_table(pa.table({"Image": [FACE] * count, **columns}), folder / kind)
    elif kind == "list.parquet":
        pq.write_table(pa.table({"Path": names, **columns}), folder / kind)
    else:
        pd.DataFrame({"Path": names, **columns}).to_csv(folder / kind, index=False)
    return folder / kind


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("unknown", ["NA", "nan", "None", "<NA>", " ", None])
def test_what_r_and_pandas_write_for_nobody_is_nobody(tmp_path, kind, unknown):
    path = table(tmp_path, kind, Subject=["p1", unknown, "0"])
    dataset = read_dataset(path)
    assert dataset.subjects.tolist() == ["p1", "", "0"]
    taken = (f"read: 1 subjects {unknown!r} taken for nobody",) if (unknown or "").strip() else ()
    assert dataset.history == (*taken, "read: 1 of 3 faces have no subject")


@pytest.mark.parametrize("kind", KINDS)
def test_na_is_a_person_among_others_of_two_letters(tmp_path, kind):
    dataset = read_dataset(table(tmp_path, kind, subject=["KA", "NA", "nan"]))
    assert dataset.subjects.tolist() == ["KA", "NA", ""]
    assert dataset.history == (
        "read: 1 subjects 'nan' taken for nobody",
        "read: 1 of 3 faces have no subject",
    )


def test_one_file_of_several_says_of_all_what_people_are_called(tmp_path):
    for name, who in (("train", "NA"), ("test", "KA")):
        (tmp_path / name).mkdir()
        table(tmp_path / name, "faces.parquet", subject=[who, who])
    assert read_dataset(tmp_path).subjects.tolist() == ["KA", "KA", "NA", "NA"]


@pytest.mark.parametrize("other", ["S1", "Ann", "KLM", "王伟", "12", "", "none", "NaN"])
def test_na_is_nobody_among_others(other):
    subjects, notes = people(["NA", other, "NA", None])
    assert subjects[::2] == ["", ""]
    assert "2 subjects 'NA' taken for nobody" in notes


@pytest.mark.parametrize("kind", KINDS)
def test_columns_are_known_in_any_case(tmp_path, kind):
    path = table(tmp_path, kind, SUBJECT=["p1", "p2"], Split=["Train", "TEST"])
    dataset = read_dataset(path)
    assert dataset.subjects.tolist() == ["p1", "p2"]
    assert dataset.splits.tolist() == ["train", "test"]
    with pytest.raises(DataError, match=rf"{kind}.*: wanted one column 'subject', found 2"):
        read_dataset(table(tmp_path, kind, SUBJECT=["p1", "p2"], subject=["p3", "p4"]))


def test_two_columns_of_labels_that_differ_in_case_are_refused(tmp_path):
    path = table(tmp_path, "faces.parquet", label=["fear", "fear"])
    with pytest.raises(DataError, match="wanted one column 'label', found 2"):
        read_dataset(path)


@pytest.mark.parametrize("kind", KINDS)
def test_one_person_in_two_unicode_forms_is_one(tmp_path, kind):
    forms = [unicodedata.normalize(form, "Zoë") for form in ("NFC", "NFD")]
    dataset = read_dataset(table(tmp_path, kind, subject=forms))
    assert set(dataset.subjects.tolist()) == {forms[0]}


@pytest.mark.parametrize("kind", KINDS)
def test_subjects_that_differ_in_case_alone_are_said(tmp_path, kind):
    dataset = read_dataset(table(tmp_path, kind, subject=["p1", "P1", "p2"]))
    assert dataset.subjects.tolist() == ["p1", "P1", "p2"]
    assert dataset.history == (
        "read: subjects that differ in case alone count as different people: P1 and p1",
    )


@given(st.lists(st.tuples(*[st.sampled_from(["", "a", "A", "b"])] * 2)))
def test_gaps_are_counted_where_others_have_none(pairs):
    image = np.zeros((1, 1), np.uint8)
    rows = [Sample("", image, label, "train" if s else "", s) for label, s in pairs]
    told = " | ".join(gaps(rows))
    for what, values in {"label": [p[0] for p in pairs], "subject": [p[1] for p in pairs]}.items():
        lacking = values.count("")
        wanted = lacking and (what == "label" or lacking < len(values))
        assert (f"{lacking} of {len(values)} faces have no {what}" in told) == bool(wanted)
    assert ("differ in case alone" in told) == ({"a", "A"} <= {s for _, s in pairs})


@given(st.text())
def test_a_cell_s_text_is_the_same_when_it_is_read_again(text):
    assert said(said(text)) == said(text)
    assert said(unicodedata.normalize("NFD", text)) == said(unicodedata.normalize("NFC", text))
    assert said(f" {text} ") == said(text)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("unlabelled", ["", "NA", None])
def test_faces_may_have_no_label(tmp_path, kind, unlabelled):
    dataset = read_dataset(table(tmp_path, kind, Label=["sad", unlabelled, "happy"]))
    assert [face.expression for face in dataset] == ["sadness", "", "happiness"]
    assert dataset.history == ("read: 1 of 3 faces have no label",)


@pytest.mark.parametrize("kind", KINDS)
def test_a_class_none_is_for_the_user_to_say(tmp_path, kind):
    path = table(tmp_path, kind, Label=["sad", "none", "na"])
    with pytest.raises(DataError, match="unknown class names 'none';"):
        read_dataset(path)
    dataset = read_dataset(path, names=ClassNames({"none": "neutral", "NA": "fear"}))
    assert [face.expression for face in dataset] == ["sadness", "neutral", "fear"]
    dataset = read_dataset(path, names=ClassNames({"none": ""}))
    assert [face.expression for face in dataset] == ["sadness", ""]
    assert dataset.history == (
        "read: 1 faces of class 'none' left out",
        "read: 1 of 2 faces have no label",
    )


def test_a_number_that_is_none_says_nothing():
    assert said(float("nan")) == said_class(float("nan"), ClassNames()) == ""
    assert (said(0), said_class(0, ClassNames())) == ("0", "0")


DAYS = [f"IMED/{who}/day{day}/happy/1.png" for who in ("S01", "S02") for day in (1, 2)]


def test_a_folder_between_subject_and_emotion_is_not_taken_for_the_subject(tmp_path):
    top = faces(tmp_path, *DAYS) / "IMED"
    wanted = (
        r"wanted paths like '\{subject\}/\{emotion\}/\{name\}' below one folder, found"
        r" 'S02/day1/happy/1.png' \(subject 'day1', emotion 'happy', name '1'\) below 'S02/' and"
        r" others below 'S01/': name those folders"
    )
    with pytest.raises(DataError, match=wanted):
        read_dataset(top)
    entries = list_pictures(top, "imed", pattern="{subject}/*/{emotion}/{name}").entries
    assert [entry.subject for entry in entries] == ["S01", "S01", "S02", "S02"]


def test_one_folder_above_all_is_left(tmp_path):
    faces(tmp_path / "IMED", "raw/faces/S1/happy/a.png", "raw/faces/S2/sad/b.png")
    assert read_dataset(tmp_path / "IMED").subjects.tolist() == ["S1", "S2"]
    faces(tmp_path / "IMED", "S3/sad/c.png")
    with pytest.raises(DataError, match=r"below 'raw/faces/' and others below './'"):
        read_dataset(tmp_path / "IMED")


def test_files_that_are_no_pictures_say_nothing_of_where_a_pattern_starts(tmp_path):
    faces(tmp_path / "IMED", "S1/happy/a.png", "S2/sad/b.png", "more/docs/about/readme.txt")
    assert read_dataset(tmp_path / "IMED").subjects.tolist() == ["S1", "S2"]


def test_the_split_s_folder_may_be_called_as_elsewhere(tmp_path):
    faces(tmp_path, "train_set/p1_happy.png", "FER2013Test/p2_sad.png")
    raw = list_pictures(tmp_path, pattern="{split}/{subject}_{emotion}")
    assert [entry.split for entry in raw.entries] == ["test", "train"]


def test_show_counts_the_subjects_and_what_names_leave_out(mien, tmp_path):
    top = faces(tmp_path / "IMED", "S1/happy/a.png", "S2/sad/b.png", "S2/unknown/c.png")
    code, out, _ = mien("data", "show", top, "--name", "unknown=")
    assert code == 0
    assert "Subjects 2" in out
    assert "read: 1 faces of class 'unknown' left out" in out
    code, out, _ = mien("data", "show", faces(tmp_path / "plain", "happy/a.png", "sad/b.png"))
    assert (code, "Subjects" in out) == (0, False)


@pytest.mark.parametrize("name", ["unknown", "=", "=happiness"])
def test_a_name_without_its_sign_or_class_is_refused(mien, tmp_path, name):
    top = faces(tmp_path, "happy/a.png", "sad/b.png")
    code, _, err = mien("data", "show", top, "--name", name)
    wanted = "--name must be given as name=expression, or as name= to leave a class out. Got"
    assert (code, f"{wanted} '{name}'" in " ".join(err.split())) == (2, True)


def test_a_store_has_nothing_to_name(mien, tmp_path):
    dataset = read_dataset(faces(tmp_path / "plain", "happy/a.png", "sad/b.png"))
    write_store(dataset, tmp_path / "store")
    code, _, err = mien("data", "show", tmp_path / "store", "--name", "happy=fear")
    assert (code, "--name 'happy' has nothing to name there" in " ".join(err.split())) == (2, True)
