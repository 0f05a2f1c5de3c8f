import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.errors import MienError
from mien.labels import (
    EXPRESSIONS,
    LABEL_SETS,
    SPELLINGS,
    ClassNames,
    LabelSet,
    label_set,
    parse_expression,
)


def test_every_label_set_is_an_ordered_subset_of_the_vocabulary():
    for labels in LABEL_SETS.values():
        assert labels.positions_in(LABEL_SETS["ferplus8"]).tolist() == sorted(
            labels.positions_in(LABEL_SETS["ferplus8"])
        )
    assert {name: len(labels) for name, labels in LABEL_SETS.items()} == {
        "ferplus8": 8,
        "basic7": 7,
        "ckplus7": 7,
        "four": 4,
    }


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_spelling_means_its_expression(expression):
    for spelling in SPELLINGS[expression]:
        assert parse_expression(f" {spelling.upper()} ") == expression


def test_no_spelling_means_two_expressions():
    spellings = [s for group in SPELLINGS.values() for s in group]
    assert len(spellings) == len(set(spellings))


@given(st.sets(st.sampled_from(EXPRESSIONS), min_size=2))
def test_index_and_expression_round_trip(chosen):
    labels = LabelSet("own", tuple(e for e in EXPRESSIONS if e in chosen))
    assert [labels.index(e) for e in labels.expressions] == list(range(len(labels)))
    wide = np.array(EXPRESSIONS)[labels.positions_in(label_set("ferplus8"))]
    assert tuple(wide) == labels.expressions


@pytest.mark.parametrize(
    ("expressions", "part"),
    [
        (("happiness", "anger"), "in this order"),
        (("anger",), "two or more"),
        (("anger", "anger"), "each once"),
        (("anger", "joyous"), "Unknown expression 'joyous'"),
    ],
)
def test_a_label_set_refuses_what_is_not_an_ordered_subset(expressions, part):
    with pytest.raises(MienError, match=part):
        LabelSet("own", expressions)


def test_unknown_names_are_answered_with_the_nearest():
    with pytest.raises(MienError, match="did you mean 'basic7'"):
        label_set("basic")
    with pytest.raises(MienError, match="did you mean 'happiness'"):
        parse_expression("happines")
    with pytest.raises(MienError, match="has no 'contempt'"):
        label_set("basic7").index("contempt")


@given(st.lists(st.sampled_from(EXPRESSIONS), min_size=2, unique=True))
def test_an_own_label_set_is_named_by_its_expressions_in_any_order(chosen):
    labels = label_set("+".join(chosen))
    assert labels.expressions == tuple(e for e in EXPRESSIONS if e in chosen)
    assert label_set(labels.name) == labels


def test_an_own_label_set_takes_spellings_and_knows_the_named_ones():
    assert label_set("happy + sad").expressions == ("happiness", "sadness")
    assert label_set("sad+angry+neutral+happy") is LABEL_SETS["four"]
    with pytest.raises(MienError, match="more than once"):
        label_set("happy+happiness+sad")
    with pytest.raises(MienError, match="did you mean 'sadness'"):
        label_set("happy+sadnes")


def test_calm_is_an_expression_of_its_own():
    # RAVDESS has both: whoever wants them as one says so.
    assert not ClassNames().knows("calm")
    with pytest.raises(MienError, match=r"unknown class names 'Calm'; .*--name unknown= leaves"):
        ClassNames().check(["Calm", "neutral"], "RAVDESS")
    assert ClassNames({"calm": "neutral"}).expression("Calm") == "neutral"


def test_a_class_that_is_left_out_is_known_and_means_nothing():
    names = ClassNames({"Unknown": "", "joy": "surprise"})
    assert [(names.knows(n), names.leaves_out(n)) for n in ("unknown ", "joy", "glad")] == [
        *((True, True), (True, False), (False, False))
    ]
    assert dict(names.own) == {"unknown": "", "joy": "surprise"}
    with pytest.raises(MienError, match="The class 'UNKNOWN' is to be left out"):
        names.expression("UNKNOWN")


@given(st.permutations(EXPRESSIONS), st.sampled_from(EXPRESSIONS), st.integers(0, 7))
def test_codes_mean_what_their_table_says_unless_the_user_says_another_thing(codes, own, code):
    names = ClassNames({str(code): own}).with_codes(codes)
    wanted = [*codes[:code], own, *codes[code + 1 :]]
    assert [names.expression(str(number)) for number in range(8)] == wanted
    assert names.expression("joy") == "happiness"
    assert not names.knows("8")


def test_names_are_compared_in_one_unicode_form():
    decomposed = unicodedata.normalize("NFD", "Überrascht")
    assert decomposed != "Überrascht"
    for own, found in ((decomposed, "überrascht"), ("überrascht", decomposed)):
        names = ClassNames({own: "surprise"})
        assert names.knows(found)
        assert names.expression(found) == "surprise"
