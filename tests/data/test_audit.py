import csv
import dataclasses
import re
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.data.audit import CHECKS, audit, similar
from mien.data.audit.report import read_findings, write_report
from mien.data.audit.similar import BLOCK, similar_pairs
from mien.data.clean import clean
from mien.data.division import by_ratio, divided
from mien.data.readers import read_dataset
from mien.errors import DataError
from mien.labels import VOTES


@pytest.fixture
def flawed(small_dataset):
    """The small dataset with a near-copy of a test face in train, and faces in bad light."""
    images = small_dataset.images.copy()
    copy = np.clip(images[80] * 0.9 + 10 + np.random.default_rng(0).normal(0, 1, (48, 48)), 0, 255)
    images[3] = copy.astype(np.uint8)
    images[10] = images[10] // 20
    images[11] = 255 - images[11] // 20
    images[12] = 128
    votes = small_dataset.votes.copy()
    votes[20] = 0
    votes[20, VOTES.index("not_a_face")] = 9
    subjects = np.array([f"s{i % 7}" if i % 2 else "" for i in range(len(images))])
    return dataclasses.replace(small_dataset, images=images, votes=votes, subjects=subjects)


def found(dataset, check):
    (result,) = audit(dataset, [check])
    return result, [str(dataset.ids[f.index]) for f in result.findings if f.drop]


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_every_check_keeps_the_contract(name, flawed):
    (result,) = audit(flawed, [name])
    assert result.check == name
    assert result.title
    assert result.explanation.endswith(".")
    assert all(isinstance(n, int) and n >= 0 for n in result.counts.values())
    for finding in result.findings:
        assert finding.check == name
        assert 0 <= finding.index < len(flawed)
        assert finding.note


def test_identical_images_across_splits_and_labels(small_dataset):
    result, dropped = found(small_dataset, "identical")
    # The maker gives train's first face the pixels of a test face of the same class.
    assert result.counts == {
        "groups": 1,
        "images in them": 2,
        "redundant images": 1,
        "groups with conflicting labels": 0,
        "images of test with a twin in train": 1,
        "images of val with a twin in train": 0,
    }
    assert dropped == ["fer2013-00077"]
    targets = small_dataset.targets.copy()
    targets[0] = 5
    conflicting = dataclasses.replace(small_dataset, targets=targets)
    result, dropped = found(conflicting, "identical")
    assert result.counts["groups with conflicting labels"] == 1
    assert dropped == ["fer2013-00000", "fer2013-00077"]


def test_a_near_copy_in_train_is_found(flawed):
    result, dropped = found(flawed, "similar")
    assert "fer2013-00003" in dropped
    assert "fer2013-00080" not in dropped
    assert result.counts["images of test with a near-copy in train"] >= 1


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 40), st.floats(0.1, 0.95), st.integers(0, 1000))
def test_similar_pairs_are_those_numpy_finds(count, threshold, seed):
    images = np.random.default_rng(seed).integers(0, 256, (count, 2, 3), dtype=np.uint8)
    pairs, values = map(np.concatenate, zip(*similar_pairs(images, threshold)))
    flat = images.reshape(count, -1).astype(float)
    with np.errstate(invalid="ignore"):
        oracle = np.corrcoef(flat)
    expected = {
        (i, j) for i in range(count) for j in range(i + 1, count) if oracle[i, j] >= threshold
    }
    near = {(i, j) for i, j in expected if abs(oracle[i, j] - threshold) < 1e-5}
    assert expected - near <= {tuple(p) for p in pairs.tolist()} <= expected | near
    for (i, j), value in zip(pairs.tolist(), values):
        assert value == pytest.approx(oracle[i, j], abs=1e-5)


def test_pairs_are_found_across_blocks():
    images = np.random.default_rng(0).integers(0, 256, (BLOCK + 5, 3, 3), dtype=np.uint8)
    images[BLOCK + 2] = images[7]
    pairs = np.concatenate([pairs for pairs, _ in similar_pairs(images, 0.9999)])
    assert [7, BLOCK + 2] in pairs.tolist()


def test_near_copies_of_everything_do_not_fill_the_memory(small_dataset, monkeypatch):
    monkeypatch.setattr(similar, "BLOCK", 256)
    generator = np.random.default_rng(0)
    faces = generator.integers(0, 256, (8, 8)) + generator.normal(0, 8, (1024, 8, 8))
    copies = small_dataset.select(
        np.resize(np.arange(len(small_dataset)), 1024), ids=np.arange(1024).astype(str)
    )
    copies = dataclasses.replace(copies, images=faces.clip(0, 255).astype(np.uint8))
    tracemalloc.start()
    try:
        result, dropped = found(copies, "similar")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert result.counts["pairs"] == 1024 * 1023 // 2
    assert len(dropped) == 1024 - len(copies.labels)
    assert peak < 20e6


def test_light_votes_and_subjects(flawed):
    result, dropped = found(flawed, "lighting")
    assert {"fer2013-00010", "fer2013-00011", "fer2013-00012"} <= set(dropped)
    assert result.counts["too dark"] == result.counts["too bright"] == 1
    # One that is dark, flat and blurred at once is found three times, and dropped once.
    assert len(result.findings) > len(set(dropped)) == result.marked
    assert found(flawed, "not-a-face")[1] == ["fer2013-00020"]
    votes = np.where(np.arange(len(flawed))[:, None] < 9, 0, flawed.votes).astype(np.uint8)
    result, dropped = found(dataclasses.replace(flawed, votes=votes), "not-a-face")
    assert dropped == ["fer2013-00020"]
    assert result.counts["images without a vote, not judged"] == 9
    without = dataclasses.replace(flawed, votes=None)
    assert found(without, "not-a-face")[1] == []
    result, dropped = found(flawed, "subjects")
    assert result.counts["subjects of val or test who are in train"] == 7
    assert set(flawed.splits[np.isin(flawed.ids, dropped)]) == {"val", "test"}


def test_the_page_is_whole_and_the_table_drives_cleaning(flawed, tmp_path):
    results = audit(flawed)
    write_report(flawed, results, tmp_path)
    page = (tmp_path / "audit.html").read_text(encoding="utf-8")
    assert not re.search(r"(src|href)=.(?!data:)", page)
    assert page.count("<figure>") >= 8
    for result in results:
        assert result.title in page
    rows = read_findings(tmp_path / "findings.csv")
    assert len(rows) == sum(len(r.findings) for r in results)
    cleaned = clean(flawed, rows, ["identical", "not-a-face"])
    gone = set(flawed.ids) - set(cleaned.ids)
    assert gone == {"fer2013-00077", "fer2013-00020"}
    assert cleaned.history[-1] == "cleaned: dropped 1 identical, 1 not-a-face"
    for row in rows:
        row["drop"] = "no" if row["id"] == "fer2013-00020" else row["drop"]
    assert "fer2013-00020" in clean(flawed, rows, ["not-a-face", "identical"]).ids
    split = str(flawed.splits[flawed.ids == "fer2013-00077"][0])
    others = [name for name in ("train", "val", "test") if name != split]
    own = clean(flawed, rows, ["identical"], [split])
    assert set(flawed.ids) - set(own.ids) == {"fer2013-00077"}
    assert own.history[-1] == f"cleaned of {split}: dropped 1 identical"
    rest = clean(flawed, rows, ["identical"], others)
    # The marked copy may not go; the one that would stay on the other side does instead.
    (twin,) = set(flawed.ids) - set(rest.ids)
    same = [flawed.images[flawed.ids == name] for name in (twin, "fer2013-00077")]
    assert (same[0] == same[1]).all()
    assert rest.history[-1] == f"cleaned of {', '.join(others)}: dropped 1 identical"
    for name in ("trian", ""):
        with pytest.raises(DataError, match=f"cannot be cleaned in part: Unknown split '{name}'"):
            clean(flawed, rows, ["identical"], [name])


def test_cleaning_says_what_the_findings_do_not_hold(flawed, tmp_path):
    write_report(flawed, audit(flawed, ["identical"]), tmp_path)
    rows = read_findings(tmp_path / "findings.csv")
    cleaned = clean(flawed, rows, ["identical", "similar"])
    assert cleaned.history[-1] == (
        "cleaned: dropped 1 identical, 0 similar (the findings hold none)"
    )


def test_cleaning_refuses_what_does_not_fit(flawed, tmp_path):
    write_report(flawed, audit(flawed), tmp_path)
    rows = read_findings(tmp_path / "findings.csv")
    for said in (None, "", "ja", "1"):  # None: the row is shorter than the others
        edited = [rows[0] | {"drop": said}]
        with pytest.raises(DataError, match=f"say yes or no in the column 'drop'. Got {said!r}"):
            clean(flawed, edited, [rows[0]["check"]])
    with pytest.raises(DataError, match="did you mean 'identical'"):
        clean(flawed, rows, ["identica"])
    with pytest.raises(DataError, match="are of another dataset: 'fer2013' has no 'fer2013-00077'"):
        clean(flawed.select(np.arange(70)), rows, ["identical"])
    with pytest.raises(DataError, match="did you mean 'similar'"):
        audit(flawed, ["simila"])
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="found no 'check'"):
        read_findings(tmp_path / "other.csv")
    with pytest.raises(DataError, match="cannot be opened"):
        read_findings(tmp_path / "none.csv")


def test_groups_that_another_program_wrote_as_decimals_are_groups(flawed, tmp_path):
    write_report(flawed, audit(flawed, ["identical"]), tmp_path)
    rows = read_findings(tmp_path / "findings.csv")
    others = [name for name in ("train", "val", "test") if name != _split_of_marked(flawed, rows)]
    wanted = clean(flawed, rows, ["identical"], others)
    assert len(wanted) == len(flawed) - 1
    decimals = [row | {"group": f"{row['group']}.0"} for row in rows]
    assert clean(flawed, decimals, ["identical"], others).fingerprint == wanted.fingerprint
    for said in ("abc", "-1", "0.5", "nan", "9" * 30):
        edited = [row | {"group": said} for row in rows]
        with pytest.raises(DataError, match=f"nothing in the column 'group'. Got '{said}' for"):
            clean(flawed, edited, ["identical"], others)


def _split_of_marked(dataset, rows):
    (marked,) = [row["id"] for row in rows if row["drop"] == "yes"]
    return str(dataset.splits[dataset.ids == marked][0])


def test_a_no_counts_in_whichever_row_of_a_face_it_stands(flawed, tmp_path):
    write_report(flawed, audit(flawed, ["lighting"]), tmp_path)
    rows = read_findings(tmp_path / "findings.csv")
    own = [row for row in rows if row["id"] == "fer2013-00010"]
    assert len(own) > 1
    assert "fer2013-00010" not in clean(flawed, rows, ["lighting"]).ids
    for number in range(len(own)):
        edited = [r | {"drop": "no"} if r is own[number] else r for r in rows]
        kept = set(clean(flawed, edited, ["lighting"]).ids)
        assert kept - set(clean(flawed, rows, ["lighting"]).ids) == {"fer2013-00010"}


def test_subjects_cannot_be_cleaned_of_train_alone(flawed, tmp_path):
    write_report(flawed, audit(flawed, ["subjects"]), tmp_path)
    rows = read_findings(tmp_path / "findings.csv")
    with pytest.raises(DataError, match="'subjects' marks faces of val and test"):
        clean(flawed, rows, ["subjects"], ["train"])
    assert len(clean(flawed, rows, ["subjects"], ["test"])) < len(flawed)


def test_what_was_cleaned_away_before_is_named_as_such(flawed, tmp_path):
    write_report(flawed, audit(flawed, ["identical", "lighting"]), tmp_path)
    rows = read_findings(tmp_path / "findings.csv")
    once = clean(flawed, rows, ["identical"])
    with pytest.raises(DataError, match="or it was cleaned away before: apply all checks at once"):
        clean(once, rows, ["identical", "lighting"])


@pytest.mark.data
@pytest.mark.slow
def test_the_real_fer2013_as_measured(real_fer2013):
    results = {r.check: r.counts for r in audit(real_fer2013, ["identical", "not-a-face"])}
    assert results["identical"]["groups"] == 1_514
    assert results["identical"]["images in them"] == 3_367
    assert results["identical"]["images of test with a twin in train"] == 288
    assert results["not-a-face"]["most raters say not a face"] == 176


@pytest.mark.data
def test_a_random_split_of_ckplus_leaks_near_copies_and_a_subject_split_does_not(shared_data):
    faces = read_dataset(shared_data / "ckplus" / "CK+48.zip")
    leaks = {}
    for keep in ("nothing", "subjects"):
        split = divided(faces, by_ratio(faces, "80:20", keep, 0))
        (result,) = audit(split, ["similar"])
        leaks[keep] = result.counts["images of test with a near-copy in train"]
    assert leaks["nothing"] > 100
    assert leaks["subjects"] == 0


def test_findings_are_readable_by_anyone(flawed, tmp_path):
    write_report(flawed, audit(flawed, ["identical"]), tmp_path)
    with (tmp_path / "findings.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["check"] == "identical"
    assert rows[0]["split"] == "train"
    assert rows[0]["expression"] == rows[1]["expression"]


def test_a_check_that_found_nothing_leaves_out_nothing(flawed, tmp_path):
    cleaned = clean(flawed, [], ["identical"])
    assert cleaned.fingerprint == flawed.fingerprint
    assert cleaned.history[-1] == "cleaned: dropped 0 identical (the findings hold none)"
