import csv
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from mien.errors import DataError, MienError
from mien.evaluation.coders.agreement import agreement, krippendorff, votes
from mien.evaluation.coders.codings import NOT_CODED, Coding, read_coding, together
from mien.evaluation.coders.page import write_agreement

# Krippendorff, "Computing Krippendorff's Alpha-Reliability", 2011, section C: four observers,
# twelve units, and an alpha of nominal data of .743.
OBSERVERS = [
    "1 2 3 3 2 1 4 1 2 . . .",
    "1 2 3 3 2 2 4 1 2 5 . 3",
    ". 3 3 3 2 3 4 2 2 5 1 .",
    "1 2 3 3 2 4 4 1 2 5 1 .",
]


def codes(*coders):
    """Codes of coders, each a text of one word a picture; a dot is not coded."""
    return together(
        [
            Coding(
                f"c{number}",
                {f"p{i:02}": word for i, word in enumerate(said.split()) if word != "."},
            )
            for number, said in enumerate(coders)
        ]
    )


def test_alpha_is_that_of_krippendorffs_example():
    found = agreement(codes(*OBSERVERS))
    assert found.alpha.value == pytest.approx(0.743, abs=5e-4)
    assert found.alpha.low < 0.743 < found.alpha.high
    assert len(found.pairs) == 6


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd")), min_size=3, max_size=25)
)
def test_kappa_and_agreement_are_scikit_learns(pairs):
    first, second = zip(*pairs)
    found = agreement(codes(" ".join(first), " ".join(second)))
    (pair,) = found.pairs
    assert pair.pictures == len(pairs)
    assert pair.agreed.value == pytest.approx(np.mean([a == b for a, b in pairs]))
    expected = cohen_kappa_score(first, second)
    assert pair.kappa.value == pytest.approx(expected, nan_ok=True, abs=1e-12)
    # Of two coders without gaps alpha is Scott's pi, corrected for the number of values.
    said = np.array([[first.count(c) + second.count(c) for c in "abcd"]]) / (2 * len(pairs))
    by_chance = float((said**2).sum())
    if by_chance < 1:
        pi = (pair.agreed.value - by_chance) / (1 - by_chance)
        assert found.alpha.value == pytest.approx(pi + (1 - pi) / (2 * len(pairs)), abs=1e-9)


def test_specific_agreement_is_dices():
    (pair,) = agreement(codes("a a a b b c", "a a b b a b")).pairs
    assert pair.specific == pytest.approx([4 / 6, 2 / 5, 0])


def test_who_always_agrees_has_no_interval_of_kappa_but_one_of_the_share():
    (pair,) = agreement(codes("a b a b a b", "a b a b a b")).pairs
    assert (pair.kappa.value, pair.agreed.value, pair.agreed.high) == (1, 1, 1)
    assert np.isnan(pair.kappa.low)
    assert pair.agreed.low == pytest.approx(0.6097, abs=1e-4)  # Wilson's of 6 in 6
    assert np.isnan(agreement(codes("a a", "a a")).alpha.value)


def test_a_picture_that_one_codes_alone_tells_nothing():
    gaps, whole = codes("a b a b a . .", "a b b b . b ."), codes("a b a b", "a b b b")
    assert agreement(gaps).alpha == agreement(whole).alpha
    assert agreement(gaps).pairs[0].pictures == 4
    assert votes(gaps).sum(1).tolist() == [2, 2, 2, 2, 1, 1]
    assert np.isnan(krippendorff(np.array([[1, 0], [0, 1]])))


def write(path, *rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


def test_words_of_coders_are_understood_and_others_are_categories(tmp_path):
    rows = [("Path", "Label"), ("a.jpg", "Happy"), ("b.jpg", "unsure"), ("c.jpg", "")]
    coding = read_coding(write(tmp_path / "anna.csv", *rows))
    assert (coding.coder, coding.said) == ("anna", {"a.jpg": "happiness", "b.jpg": "unsure"})
    own = write(tmp_path / "ben.csv", ("bild", "ausdruck"), ("a.jpg", "Sad"))
    assert read_coding(own, picture="Bild", category="Ausdruck").said == {"a.jpg": "sadness"}


def test_of_mien_s_readings_it_is_the_largest_face_and_what_it_answers(tmp_path):
    readings = write(
        tmp_path / "mien.csv",
        ("source", "face", "status", "answer", "expression"),
        ("photos/a.jpg", "0", "ok", "uncertain", "sadness"),
        ("photos/a.jpg", "1", "ok", "happiness", "happiness"),
        ("photos/b.jpg", "", "no face", "", ""),
        ("photos/c.jpg", "0", "ok", "neutral", "neutral"),
    )
    coding = read_coding(readings)
    assert coding.said == {"photos/a.jpg": "uncertain", "photos/c.jpg": "neutral"}
    assert read_coding(readings, category="expression").said["photos/a.jpg"] == "sadness"
    # Who codes by file name is compared with it all the same.
    found = together([coding, Coding("anna", {"a.jpg": "sadness", "b.jpg": "neutral"})])
    assert found.pictures == ("a.jpg", "b.jpg", "c.jpg")
    assert (found.codes != NOT_CODED).sum(1).tolist() == [2, 2]


def test_file_names_that_two_pictures_share_tell_nothing():
    one = Coding("one", {"x/a.jpg": "anger", "y/a.jpg": "fear"})
    with pytest.raises(MienError, match=r"one names no picture as another coder does, 'x/a\.jpg'"):
        together([one, Coding("two", {"a.jpg": "anger"})])


def test_no_coder_is_left_out_because_of_how_pictures_are_named():
    anna, ben = Coding("anna", {"a": "anger", "b": "fear"}), Coding("ben", {"a": "anger"})
    found = together([anna, ben, Coding("mien", {"photos/a": "fear", "photos/b": "fear"})])
    assert (found.codes != NOT_CODED).sum(1).tolist() == [2, 1, 2]
    with pytest.raises(MienError, match="carl names no picture as another coder does, 'c' first"):
        together([anna, ben, Coding("carl", {"c": "fear"})])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("name", "label"), ("a", "anger")], "wanted a column id or path or .* found name, label"),
        ([("id", "words"), ("a", "anger")], "wanted a column label or answer"),
        ([("id", "label"), ("a", "anger"), ("a", "fear")], r"line 3: names 'a' a second time"),
        ([("id", "label"), ("a", " ")], "says of no picture what it shows"),
        ([("id", "label"), ("a",)], "line 2: must have 2 cells"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(tmp_path, rows, message):
    with pytest.raises(DataError, match=message):
        read_coding(write(tmp_path / "coder.csv", *rows))


def test_one_coder_alone_agrees_with_nobody():
    one = Coding("one", {"a": "anger"})
    with pytest.raises(MienError, match=r"coders with names that differ\. Got 1"):
        together([one])
    with pytest.raises(MienError, match="Got 'one' twice"):
        together([one, one])


def test_the_page_says_what_to_talk_about(tmp_path):
    page = write_agreement(agreement(codes(*OBSERVERS)), tmp_path / "out")
    text = page.read_text(encoding="utf-8")
    assert "4 coders, 12 pictures. Krippendorff&#x27;s alpha: 0.743" in text
    assert text.count("<img") == 6
    with (page.parent / "disagreements.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["picture", "c0", "c1", "c2", "c3"]
    assert [row[0] for row in rows[1:]] == ["p01", "p05", "p07"]
    assert rows[2][1:] == ["1", "2", "3", "4"]
    data = json.loads((page.parent / "agreement.json").read_text())
    assert data["krippendorff_alpha"]["value"] == pytest.approx(0.743, abs=5e-4)
    assert data["pairs"][0]["coders"] == ["c0", "c1"]


def test_the_command_measures_people_and_programs(mien, tmp_path):
    names = [f"{n}.jpg" for n in range(12)]
    people = [
        write(
            tmp_path / f"{who}.csv", ("id", "label"), *((n, word) for n, word in zip(names, said))
        )
        for who, said in (("anna", ["happy", "sad", "neutral"] * 4), ("ben", ["happy", "sad"] * 6))
    ]
    code, out, err = mien("agree", *people, "--out", tmp_path / "page")
    assert code == 0, err
    assert "anna, ben" in out
    assert "Krippendorff's alpha of all: " in out
    assert (tmp_path / "page" / "agreement.html").exists()
    code, _, err = mien("agree", people[0], "--out", tmp_path / "page")
    assert (code, "Got 1" in err) == (2, True)
    code, _, err = mien("agree", people[0], tmp_path / "none.csv")
    assert (code, "none.csv cannot be opened" in err) == (2, True)
