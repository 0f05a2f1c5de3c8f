"""What the training faces do not teach a head, in a run's data.json and as sentences."""

import dataclasses

import numpy as np
import pytest

from makers import SMALL_RECIPE
from mien.labels import VOTES, label_set
from mien.recipe import find_recipe, load_recipe
from mien.training.faces import HeadGaps, gap_sentences, head_gaps, training_faces
from mien.training.train import train

HEADS = "heads=[{labels='basic7'}, {labels='ckplus7'}, {labels='ferplus8', target='votes'}]"


def recipe(*overrides):
    return load_recipe(find_recipe("mien-base"), [*SMALL_RECIPE, HEADS, *overrides])


def of_class(dataset, expression):
    return dataset.targets == dataset.labels.expressions.index(expression)


def test_expressions_that_a_head_lacks_and_those_that_no_face_shows_are_counted(small_dataset):
    faces = training_faces(recipe(), small_dataset)
    neutral = int(of_class(faces, "neutral").sum())
    gaps = head_gaps(recipe(), faces)
    assert gaps["basic7"] == HeadGaps(0, ())
    assert gaps["ckplus7"] == HeadGaps(neutral, ("contempt",))
    assert neutral == 8
    assert gap_sentences(recipe(), small_dataset) == [
        "8 of 55 training faces have no truth for 'ckplus7'; no face shows contempt."
    ]


def test_raters_who_disagree_say_something_and_those_who_saw_no_face_nothing(small_dataset):
    votes = np.zeros_like(small_dataset.votes)
    votes[:, [VOTES.index("fear"), VOTES.index("anger")]] = 5
    votes[np.flatnonzero(small_dataset.splits == "train")[:10]] = 0
    votes[np.flatnonzero(small_dataset.splits == "train")[:10], VOTES.index("not_a_face")] = 10
    torn = dataclasses.replace(small_dataset, votes=votes)
    every = recipe("data.drop_twins=false")
    gap = head_gaps(every, training_faces(every, torn))["ferplus8"]
    assert gap.without_truth == 10
    assert set(gap.not_shown) == set(label_set("ferplus8").expressions) - {"fear", "anger"}


@pytest.mark.parametrize(
    ("left", "sentence"),
    [
        ("all", None),
        ("anger", "No training face shows anger, which 'basic7' has."),
        ("unknown", "3 of 55 training faces have no truth for 'basic7'."),
    ],
)
def test_each_lack_is_one_sentence(small_dataset, left, sentence):
    targets = small_dataset.targets.copy()
    if left == "anger":
        targets[of_class(small_dataset, "anger") & (small_dataset.splits == "train")] = 3
    if left == "unknown":
        targets[np.flatnonzero(small_dataset.splits == "train")[20:23]] = -1
    changed = dataclasses.replace(small_dataset, targets=targets)
    one = recipe("heads=[{labels='basic7'}]")
    assert gap_sentences(one, changed) == ([] if sentence is None else [sentence])


def test_a_run_says_what_its_heads_were_not_taught(small_dataset, tmp_path):
    short = recipe("training.epochs=1")
    run = train(short, small_dataset, tmp_path / "run", progress=False)
    assert run.data()["heads"]["ckplus7"] == {"without_truth": 8, "not_shown": ["contempt"]}
    assert run.data()["heads"]["basic7"] == {"without_truth": 0, "not_shown": []}
    assert list(run.data()["heads"]) == ["basic7", "ckplus7", "ferplus8"]
