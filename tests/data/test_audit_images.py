"""Checks of single images: damaged, no face, covered."""

import dataclasses

import cv2
import numpy as np
import pytest

import makers
from mien.data.audit import audit
from mien.data.audit.corrupt import constant_rows
from mien.data.audit.evidence import Evidence, detectors_at_hand
from mien.data.audit.obstructed import LEAST
from mien.data.audit.overlays import with_hand, with_lettering
from mien.data.audit.report import read_findings, write_report
from mien.data.clean import clean
from mien.inference.classifier import Classifier


@pytest.fixture
def damaged(small_dataset):
    images = small_dataset.images.copy()
    images[0] = 200
    images[1, 36:] = 128
    images[2, :, :16] = 90
    images[3, :12] = 255
    images[4, 37:] = 128  # less than a quarter
    images[5, 36:] = np.arange(48)  # each row alike, but not of one value
    return dataclasses.replace(small_dataset, images=images)


def test_rows_of_one_value_are_counted_from_the_top():
    images = np.zeros((3, 4, 3), np.uint8)
    images[0, 2] = 7
    images[1, 0, 1] = 7
    assert constant_rows(images).tolist() == [2, 0, 4]


def test_blank_and_broken_images_are_found_and_plain_edges_are_not_dropped(damaged):
    (result,) = audit(damaged, ["corrupt"])
    found = {finding.index: finding for finding in result.findings}
    assert sorted(found) == [0, 1, 2, 3]
    assert [found[i].drop for i in range(4)] == [True, True, True, False]
    assert "25% from the bottom are of value 128" in found[1].note
    assert "33% from the left are of value 90" in found[2].note
    assert result.counts == {
        "files that could not be read": 0,
        "blank images": 1,
        "images that break off": 2,
        "images with a black or white edge": 1,
    }


def test_unreadable_files_are_in_the_page_and_the_table_and_cleaning_passes_them(damaged, tmp_path):
    evidence = Evidence(unreadable=("a/b.png cannot be decoded as a picture.",))
    write_report(damaged, audit(damaged, ["corrupt"], evidence), tmp_path)
    assert "a/b.png cannot be decoded" in (tmp_path / "audit.html").read_text(encoding="utf-8")
    rows = read_findings(tmp_path / "findings.csv")
    assert [row["id"] for row in rows][:2] == ["", damaged.ids[0]]
    assert rows[0]["note"] == evidence.unreadable[0]
    rows[0]["drop"] = "yes"
    cleaned = clean(damaged, rows, ["corrupt"])
    assert len(cleaned) == len(damaged) - 3
    assert cleaned.history[-1] == "cleaned: dropped 3 corrupt"


def test_a_face_that_two_checks_mark_counts_once(damaged, tmp_path):
    write_report(damaged, audit(damaged, ["corrupt", "lighting"]), tmp_path)
    rows = read_findings(tmp_path / "findings.csv")
    names = {row["id"] for row in rows if row["drop"] == "yes"}
    cleaned = clean(damaged, rows, ["lighting", "corrupt", "lighting"])
    assert len(cleaned) == len(damaged) - len(names)
    lit = {row["id"] for row in rows if row["check"] == "lighting"}
    rest = len(names - lit)
    assert cleaned.history[-1] == f"cleaned: dropped {len(lit)} lighting, {rest} corrupt"


def test_without_votes_faces_are_searched_for(small_dataset, portrait):
    crop = cv2.imread(str(portrait), cv2.IMREAD_GRAYSCALE)[30:290, 130:390]
    images = np.random.default_rng(0).integers(0, 256, (6, 48, 48), dtype=np.uint8)
    images[2] = cv2.resize(crop, (48, 48), interpolation=cv2.INTER_AREA)
    dataset = small_dataset.select(np.arange(6))
    dataset = dataclasses.replace(dataset, images=images, votes=None)
    (lacking,) = audit(dataset, ["not-a-face"])
    assert "no votes" in lacking.missing
    evidence = Evidence(detectors=detectors_at_hand(), classifier=Classifier())
    (result,) = audit(dataset, ["not-a-face"], evidence)
    values = [finding.value for finding in result.findings]
    assert 2 not in [finding.index for finding in result.findings]
    assert values == sorted(values, reverse=True)
    assert all(0.7 <= value <= 1 and not f.drop for value, f in zip(values, result.findings))
    large = np.stack([cv2.resize(image, (60, 70)) for image in images])
    (resized,) = audit(dataclasses.replace(dataset, images=large), ["not-a-face"], evidence)
    assert 2 not in [finding.index for finding in resized.findings]


@pytest.mark.data
def test_images_without_a_face_come_first_in_fer2013(real_fer2013, shared_models):
    votes = real_fer2013.votes.astype(int)
    no_face = 2 * votes[:, 9] > votes.sum(axis=1)
    val = np.flatnonzero(real_fer2013.splits == "val")
    some = np.concatenate([val[no_face[val]], val[~no_face[val]][:500]])
    dataset = dataclasses.replace(real_fer2013.select(some), votes=None)
    weights = shared_models / "face_detection_yunet_2026may.onnx"
    evidence = Evidence(detectors=detectors_at_hand(weights), classifier=Classifier())
    (result,) = audit(dataset, ["not-a-face"], evidence)
    found = [finding.index for finding in result.findings]
    assert sum(index < no_face[val].sum() for index in found) >= 6
    assert len(found) <= 20


def test_drawn_overlays_are_told_apart_and_few_faces_are_not_judged(small_dataset):
    generator = np.random.default_rng(0)
    images = np.stack([makers.drawn_face(i % 7, generator) for i in range(3 * LEAST)])
    lettered = [10, 20, 30]
    images[lettered] = [with_lettering(image, generator) for image in images[lettered]]
    (few,) = audit(small_dataset, ["obstructed"])
    assert few.missing.endswith(f"needs {LEAST} faces or more.")
    many = dataclasses.replace(
        small_dataset.select(np.zeros(1, int)),
        images=images,
        votes=None,
        ids=np.array([f"d{i}" for i in range(len(images))]),
        **{
            column: np.repeat(getattr(small_dataset, column)[:1], len(images))
            for column in ("targets", "splits", "subjects", "sources")
        },
    )
    (result,) = audit(many, ["obstructed"])
    assert all(float(row[1]) > 0.9 for row in result.tables[0].rows)
    listed = {f.index for f in result.findings if f.note.startswith("lettering")}
    assert len(listed) == 3
    assert listed & set(lettered)  # chance would hit one of them once in seventy times
    assert not any(finding.drop for finding in result.findings)


@pytest.mark.parametrize("draw", [with_lettering, with_hand])
def test_overlays_change_part_of_a_face(draw):
    image = makers.drawn_face(3, np.random.default_rng(0))
    drawn = [draw(image, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert np.array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])
    changed = [(other != image).mean() for other in drawn]
    assert all(0.005 < share < 0.7 for share in changed)


@pytest.mark.data
def test_overlays_on_faces_of_fer2013_are_told_apart(real_fer2013):
    dataset = real_fer2013.select(np.arange(0, 35_887, 20))
    (result,) = audit(dataset, ["obstructed"])
    auc = {str(row[0]): float(row[1]) for row in result.tables[0].rows}
    assert auc["lettering"] > 0.75
    assert auc["hand"] > 0.8
