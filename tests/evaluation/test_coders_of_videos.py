"""Agreement over time: stretches, frames and ELAN files as coders."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.errors import DataError, MienError
from mien.evaluation.coders.agreement import agreement_over_time
from mien.evaluation.coders.codings import NOT_CODED
from mien.evaluation.coders.elan import read_elan
from mien.evaluation.coders.onsets import onsets, same
from mien.evaluation.coders.page import write_agreement
from mien.evaluation.coders.steps import by_shared_names, in_steps
from mien.evaluation.coders.stretches import Stretch, TimedCoding, is_timed, read_stretches


def write(path, *rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


def coding(name, *stretches, rests=True, video="clip.mp4"):
    return TimedCoding(name, {video: [Stretch(*one) for one in stretches]}, rests)


EAF = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT FORMAT="3.0" VERSION="3.0">
  <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">
    <MEDIA_DESCRIPTOR MEDIA_URL="file:///C:/my%20videos/{video}" MIME_TYPE="video/mp4"/>
  </HEADER>
  <TIME_ORDER>
    <TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="1100"/>
    <TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="3050"/>
    <TIME_SLOT TIME_SLOT_ID="ts3"/>
  </TIME_ORDER>
  <TIER LINGUISTIC_TYPE_REF="lt" TIER_ID="expression">{annotations}</TIER>
  <TIER LINGUISTIC_TYPE_REF="lt" TIER_ID="{other}">{others}</TIER>
</ANNOTATION_DOCUMENT>"""

ANNOTATION = """<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="{start}"
  TIME_SLOT_REF2="{end}"><ANNOTATION_VALUE>{said}</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>"""


def annotation(said="Happy", start="ts1", end="ts2"):
    return ANNOTATION.format(said=said, start=start, end=end)


def eaf(path, video="clip.mp4", annotations=None, others=""):
    path.parent.mkdir(exist_ok=True)
    said = annotation() if annotations is None else annotations
    text = EAF.format(video=video, annotations=said, other="speech", others=others)
    path.write_text(text, encoding="utf-8")
    return path


def test_stretches_of_mien_and_of_boris_are_read(tmp_path):
    episodes = write(
        tmp_path / "mien.csv",
        ("source", "person", "expression", "onset", "apex", "offset"),
        ("a/clip.mp4", "1", "happiness", "2.5", "3", "4"),
        ("a/clip.mp4", "1", "neutral", "0.0", "1", "2.5"),
    )
    boris = write(
        tmp_path / "boris.csv",
        ("Observation id", "Subject", "Behavior", "Start (s)", "Stop (s)"),
        ("clip", "p1", "Smile?", "1.0", "2.0"),
        ("clip", "p1", "happy", "00:01:02.5", "1:03.25"),
    )
    assert is_timed(episodes)
    assert is_timed(boris)
    found = read_stretches(episodes)
    expected = coding("mien", (0, 2.5, "neutral"), (2.5, 4, "happiness"), video="a/clip.mp4")
    assert found == replace(expected, persons=frozenset({"1"}), rests=False, episodes=True)
    assert read_stretches(boris).videos == {
        "clip": [Stretch(1, 2, "smile?"), Stretch(62.5, 63.25, "happiness")]
    }


def test_an_export_of_boris_is_read_as_it_is(tmp_path):
    head = ("Observation id", "Source", "Media file name", "Subject", "Behavior", "Start (s)")
    player = "player #1:C:\\clips\\one.mp4"
    seen = [("mother", "happy", 1, 3), ("mother", "blink", 2, 2), ("infant", "sad", 5, 6)]
    rows = [("anna 1", player, "C:\\clips\\one.mp4", *one) for one in seen]
    found = read_stretches(write(tmp_path / "boris.csv", (*head, "Stop (s)"), *rows))
    stretches = [Stretch(1, 3, "happiness"), Stretch(5, 6, "sadness")]
    assert found.videos == {"C:\\clips\\one.mp4": stretches}
    assert found.persons == {"mother", "infant"}
    other = {"a/one.mp4": stretches, "a/two.mp4": stretches}
    codes, steps = in_steps(by_shared_names([found, TimedCoding("anna", other, True)]), 1.0)
    assert set(steps.videos) == {"one.mp4", "two.mp4"}
    assert (codes.codes[0] == codes.codes[1]).tolist() == [True] * 6 + [False] * 6


def test_frames_last_until_the_next_and_gaps_are_not_coded(tmp_path):
    rows = write(
        tmp_path / "rows.csv",
        ("source", "frame", "time", "answer"),
        *(
            ("c", n, t, said)
            for n, t, said in [
                (0, 0.0, "neutral"),
                (1, 0.2, "neutral"),
                (2, 0.4, ""),
                (3, 0.6, "sad"),
                (9, 1.8, "sad"),
                (10, 2.0, "uncertain"),
            ]
        ),
    )
    found = read_stretches(rows)
    assert not found.rests
    expected = [(0, 0.4, "neutral"), (0.6, 1.0, "sadness"), (1.8, 2.0, "sadness")]
    expected += [(2.0, 2.2, "uncertain")]
    said = [(s.start, s.end, s.category) for s in found.videos["c"]]
    assert [s[2] for s in said] == [s[2] for s in expected]
    np.testing.assert_allclose([s[:2] for s in said], [s[:2] for s in expected])


def test_pictures_that_say_when_they_were_coded_are_no_frames(tmp_path):
    assert not is_timed(write(tmp_path / "a.csv", ("id", "label", "time"), ("a", "sad", "12:30")))


HEAD = ("start", "end", "label")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([HEAD, (2, 1, "sad")], "line 2: ends at 1 s, before it begins at 2 s"),
        ([HEAD, ("soon", 1, "sad")], "line 2: wanted a time in seconds, or as .* found 'soon'"),
        ([HEAD, (1, 3, "sad"), (0, 2, "fear")], "line 2: says 'sadness' of 1 s, where 'fear' is s"),
        ([HEAD, (1, 3, "")], "says of no time what is to be seen"),
        (
            [("start", "end", "words"), (1, 3, "sad")],
            "wanted a column label or answer or .* or beh",
        ),
        (
            [("frame", "time", "answer"), (0, 0, "sad"), (0, 0, "fear"), (1, 1, "sad")],
            "line 3: says 'fear' of 0 s, where 'sadness' is said, too: keep what is of one person",
        ),
    ],
)
def test_what_cannot_be_read_is_one_sentence(tmp_path, rows, message):
    with pytest.raises(DataError, match=message):
        read_stretches(write(tmp_path / "coder.csv", *rows))


def test_a_tier_of_elan_is_read(tmp_path):
    found = read_elan(eaf(tmp_path / "carl.eaf", video="clip%201.mp4"))
    assert found == coding("carl", (1.1, 3.05, "happiness"), video="clip 1.mp4")
    two = eaf(tmp_path / "two.eaf", others=annotation("hello"))
    assert read_elan(two, tier="speech").videos["clip.mp4"][0].category == "hello"
    with pytest.raises(DataError, match=r"two\.eaf has the tiers expression, speech: name one"):
        read_elan(two)
    with pytest.raises(DataError, match="Unknown tier 'expresion': did you mean 'expression'"):
        read_elan(two, tier="expresion")


def test_a_folder_of_elan_files_is_one_coder_who_saw_them_all(tmp_path):
    eaf(tmp_path / "anna" / "1.eaf", video="one.mp4")
    eaf(tmp_path / "anna" / "2.eaf", video="two.mp4", annotations="")
    found = read_elan(tmp_path / "anna")
    assert (found.coder, list(found.videos)) == ("anna", ["one.mp4", "two.mp4"])
    assert found.videos["two.mp4"] == []
    eaf(tmp_path / "anna" / "3.eaf", video="two.mp4")
    with pytest.raises(DataError, match=r"3\.eaf is of the video 'two\.mp4', as another file in"):
        read_elan(tmp_path / "anna")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no ELAN file"):
        read_elan(tmp_path / "empty")


def test_times_of_elan_are_of_the_video_where_it_counts_from_later(tmp_path):
    path = eaf(tmp_path / "a.eaf")
    path.write_text(path.read_text().replace("MIME_TYPE", 'TIME_ORIGIN="2000" MIME_TYPE'))
    assert read_elan(path) == coding("a", (3.1, 5.05, "happiness"))


@pytest.mark.parametrize("attribute", ['TIME_VALUE="1.1 s"', 'TIME_VALUE=""'])
def test_a_time_of_elan_that_is_none_is_one_sentence(tmp_path, attribute):
    path = eaf(tmp_path / "a.eaf")
    path.write_text(path.read_text().replace('TIME_VALUE="1100"', attribute))
    with pytest.raises(DataError, match=r"a\.eaf: a time must be whole milliseconds\. Got '"):
        read_elan(path)


def test_annotations_that_follow_at_once_are_one_stretch(tmp_path):
    slots = '<TIME_SLOT TIME_SLOT_ID="ts4" TIME_VALUE="4000"/></TIME_ORDER>'
    path = eaf(tmp_path / "a.EAF", annotations=annotation() + annotation("joy", "ts2", "ts4"))
    path.write_text(path.read_text().replace("</TIME_ORDER>", slots))
    assert read_elan(path) == coding("a", (1.1, 4, "happiness"))
    assert list(read_elan(tmp_path).videos) == ["clip.mp4"]
    path.write_text(path.read_text().replace('REF1="ts2"', 'REF1="ts1"'))
    path.write_text(path.read_text().replace(">joy<", ">sad<"))
    with pytest.raises(DataError, match=r"annotation a1: says 'sadness' of 1\.1 s"):
        read_elan(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            EAF.format(
                video="a", annotations=annotation(start="ts2", end="ts1"), other="b", others=""
            ),
            "the annotation a1 has no begin or end, or they are exchanged",
        ),
        ("start,end\n", "is not an ELAN file: syntax error"),
        ("<html/>", "is not an ELAN file with a tier"),
        (
            EAF.format(video="a", annotations=annotation(end="ts3"), other="b", others=""),
            "the annotation a1 has no begin or end",
        ),
        (
            EAF.format(
                video="a",
                annotations="<ANNOTATION><REF_ANNOTATION/></ANNOTATION>",
                other="b",
                others="",
            ),
            "annotations of the tier 'expression' have no times of their own",
        ),
    ],
)
def test_what_is_no_elan_file_is_one_sentence(tmp_path, text, message):
    path = tmp_path / "a.eaf"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_elan(path)


def test_a_step_shows_what_is_said_of_its_middle():
    one = coding("one", (0.5, 1.5, "anger"))
    frames = coding("two", (0, 0.4, "neutral"), (1.0, 3.0, "fear"), rests=False)
    codes, steps = in_steps([one, frames], 1.0, "nothing")
    assert codes.categories == ("anger", "fear", "neutral", "nothing")
    assert steps.starts.tolist() == [0, 1, 2]
    said = [[codes.categories[c] if c != NOT_CODED else "" for c in row] for row in codes.codes]
    # Middles at .5, 1.5 and 2.5: an end is no longer part of a stretch.
    assert said == [["anger", "nothing", "nothing"], ["", "fear", "fear"]]


def test_videos_are_matched_by_file_name_and_who_shares_none_is_named():
    one, two = (
        TimedCoding(who, {f"{place}{v}.mp4": [Stretch(0, 1, "fear")] for v in "ab"}, True)
        for who, place in (("one", "x/"), ("two", ""))
    )
    _, steps = in_steps(by_shared_names([one, two]), 0.5)
    assert steps.videos.tolist() == ["a.mp4", "a.mp4", "b.mp4", "b.mp4"]
    other = TimedCoding("three", {"c.mp4": []}, True)
    with pytest.raises(MienError, match=r"three names no video as another coder does, 'c\.mp4'"):
        by_shared_names([one, two, other])
    # One video each is the same video, whatever it is called.
    both = [coding("a", (0, 1, "fear"), video=""), coding("b", (0, 1, "fear"))]
    assert set(in_steps(by_shared_names(both))[1].videos) == {"clip.mp4"}


def test_videos_of_one_file_name_are_told_apart_by_their_folders():
    def coder(who, *names):
        return TimedCoding(who, {name: [Stretch(0, 1, "fear")] for name in names}, True)

    anna = coder("anna", "s01/happy.mp4", "s01/sad.mp4")
    ben = coder("ben", "s01/happy.mp4", "s01/sad.mp4", "s02/happy.mp4")
    assert by_shared_names([anna, ben]) == [anna, ben]
    # talk.mp4 of one person is not that of another.
    one, two = (
        coder("one", "s01/talk.mp4", "s02/walk.mp4"),
        coder("two", "s02/talk.mp4", "s02/walk.mp4"),
    )
    assert by_shared_names([one, two]) == [one, two]


def test_groups_of_coders_who_name_videos_otherwise_are_compared():
    """People may name files, and models their paths: all of them code the same videos."""
    said = {name: [Stretch(0, 1, "fear")] for name in ("a.mp4", "b.mp4")}
    paths = {f"videos/{name}": stretches for name, stretches in said.items()}
    people = [TimedCoding(who, said, True) for who in ("anna", "ben")]
    models = [TimedCoding(who, paths, True) for who in ("one", "two")]
    assert len(agreement_over_time([*people, *models]).pairs) == 6


def test_who_codes_no_moment_as_another_does_is_said():
    early = coding("early", (0.0, 1.0, "fear"), rests=False)
    late = coding("late", (10.0, 11.0, "fear"), rests=False)
    with pytest.raises(MienError, match="early and late code no moment in common"):
        agreement_over_time([early, late])


def test_between_episodes_of_mien_nothing_is_coded(tmp_path):
    head = ("source", "person", "expression", "onset", "apex", "offset")
    rows = [(0, 0, 1), (1, 1, 2), (4, 4, 5)]
    episodes = write(tmp_path / "mien.csv", head, *(("clip.mp4", 1, "fear", *row) for row in rows))
    anna = coding("anna", (1, 5, "fear"), (5, 5, "neutral"))
    codes, _ = in_steps([anna, read_stretches(episodes)], 1.0)
    assert (codes.codes != NOT_CODED).tolist() == [[True] * 5, [True, True, False, False, True]]


@pytest.mark.parametrize(
    ("stretches", "seconds", "message"),
    [
        ([], 0.1, "1 to 5,000,000 steps of 0.1 s. Got 0: clip.mp4 would be 0 s long"),
        ([(0, 3, "fear")], 100, "Got 0: clip.mp4 would be 3 s long"),
        ([(0, 3_600_000, "fear")], 0.1, "Got 36,000,000: clip.mp4 would be 3,600,000 s long"),
    ],
)
def test_no_steps_and_too_many_are_one_sentence(stretches, seconds, message):
    with pytest.raises(MienError, match=message):
        in_steps([coding("a", *stretches), coding("b", *stretches)], seconds)


@pytest.mark.parametrize(("end", "count"), [(0.7, 1), (0.75, 1), (0.76, 2), (1.25, 2), (1.26, 3)])
def test_a_step_counts_if_its_middle_was_seen(end, count):
    both = [coding(name, (0, end, "fear")) for name in "ab"]
    assert len(in_steps(both, 0.5)[1].starts) == count


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
def test_a_step_must_have_a_length(seconds):
    with pytest.raises(MienError, match="longer than 0 s"):
        in_steps([coding("a", (0, 1, "fear")), coding("b", (0, 1, "fear"))], seconds)


def test_figures_are_of_steps_and_intervals_of_blocks():
    one = coding("one", *((10 * k, 10 * k + 5, "happiness") for k in range(6)), (59, 60, "fear"))
    two = coding("two", *((10 * k, 10 * k + 4, "happiness") for k in range(6)), (59, 60, "fear"))
    found = agreement_over_time([one, two], 1.0)
    (pair,) = found.pairs
    # Of 60 steps six are happiness for one and neutral for the other.
    assert (pair.pictures, pair.agreed.value) == (60, 0.9)
    observed, chance = 54 / 60, (30 * 24 + 29 * 35 + 1) / 3600
    assert pair.kappa.value == pytest.approx((observed - chance) / (1 - chance))
    # Each block has one such step: that says nothing of how blocks vary, and not of 60 steps.
    assert pair.agreed.low < 0.7
    few = agreement_over_time([coding("a", (0, 2, "fear")), coding("b", (0, 3, "fear"))])
    assert np.isnan([few.alpha.low, few.pairs[0].agreed.low, few.pairs[0].kappa.low]).all()


def test_where_little_happens_nobody_can_tell_how_kappa_varies():
    """Blocks in which both say neutral all the time tell nothing of how well fear is found."""
    ends = [(290, 291, "neutral")]
    one = coding("one", (1, 3, "fear"), *ends)
    (pair,) = agreement_over_time([one, coding("two", (1, 4, "fear"), *ends)]).pairs
    assert pair.kappa.value == pytest.approx(0.798, abs=1e-3)
    assert np.isnan([pair.kappa.low, pair.kappa.high]).all()
    several = [(20 * k + 1, 20 * k + 3 + k / 10, "fear") for k in range(5)]
    other = [(start, start + 2, what) for start, _, what in several]
    (pair,) = agreement_over_time([coding("one", *several), coding("two", *other)]).pairs
    assert pair.kappa.low < pair.kappa.value < pair.kappa.high


def test_onsets_are_of_stretches_that_overlap_each_once():
    one = coding("one", (1, 3, "fear"), (5, 6, "fear"), (8, 9, "anger"), (9, 12, "fear"))
    two = coding(
        "two", (0.5, 2, "fear"), (2.2, 5.1, "fear"), (9.5, 10, "fear"), (20, 21, "neutral")
    )
    fear, anger = sorted(onsets(one, two, "neutral"), key=lambda o: o.category, reverse=True)
    assert (fear.category, fear.first, fear.second) == ("fear", 3, 3)
    # The second's second overlaps the first's first by .8 s, the other by .1 s: it is that of 5 s.
    np.testing.assert_allclose(fear.later, [-0.5, -2.8, 0.5])
    assert (anger.category, anger.first, anger.second, len(anger.later)) == ("anger", 1, 0, 0)


LENGTHS = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4)), max_size=8)


def laid_out(lengths):
    stretches, at = [], 0
    for gap, length in lengths:
        stretches.append(Stretch(at + gap, at + gap + length, "fear"))
        at += gap + length
    return stretches


@given(LENGTHS, LENGTHS)
def test_each_stretch_is_at_most_one_of_the_other_s(first, second):
    ours, theirs = laid_out(first), laid_out(second)
    pairs = same(ours, theirs)
    assert all(min(a.end, b.end) > max(a.start, b.start) for a, b in pairs)
    assert len({id(a) for a, _ in pairs}) == len({id(b) for _, b in pairs}) == len(pairs)
    # None is left that overlaps another that is left.
    left = [a for a in ours if all(a is not c for c, _ in pairs)]
    right = [b for b in theirs if all(b is not c for _, c in pairs)]
    assert not any(min(a.end, b.end) > max(a.start, b.start) for a in left for b in right)
    assert [(b, a) for a, b in pairs] == same(theirs, ours)


def test_the_page_says_where_to_look(tmp_path):
    one = coding("one", (1, 3, "fear"))
    two = coding("two", (1.5, 3, "fear"), (4, 5, "anger"))
    page = write_agreement(agreement_over_time([one, two], 0.5), tmp_path)
    text = page.read_text(encoding="utf-8")
    assert "2 coders, 10 steps of 0.5 s." in text
    assert "+0.50 [+0.50, +0.50]" in text
    with (tmp_path / "disagreements.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [
            ["source", "start", "end", "one", "two"],
            ["clip.mp4", "1.00", "1.50", "fear", "neutral"],
            ["clip.mp4", "4.00", "5.00", "neutral", "anger"],
        ]
    (pair,) = json.loads((tmp_path / "agreement.json").read_text())["pairs"]
    assert pair["stretches"][1] == {
        "category": "fear",
        "counts": [1, 1],
        "both": 1,
        "onsets_later": [0.5],
    }


def test_the_command_compares_people_elan_and_mien(mien, tmp_path):
    anna = write(tmp_path / "anna.csv", ("onset", "offset", "label"), (1, 3, "smile"))
    frames = [(n, n / 10, "happiness" if 10 <= n < 28 else "neutral") for n in range(40)]
    rows = write(tmp_path / "rows.csv", ("frame", "time", "answer"), *frames)
    carl, out_folder = eaf(tmp_path / "carl.eaf"), tmp_path / "page"
    name = ("--name", "smile=happiness", "--out", out_folder)
    code, out, err = mien("agree", anna, carl, rows, *name)
    assert code == 0, err
    assert "steps of 0.1 s" in out
    assert "anna, carl" in out
    data = json.loads((out_folder / "agreement.json").read_text())
    assert (data["pictures"], data["categories"]) == (40, ["happiness", "neutral"])
    code, _, err = mien("agree", anna, carl, *name, "--rest", "nothing", "--step", "0.5")
    assert code == 0, err
    data = json.loads((out_folder / "agreement.json").read_text())
    assert (data["step_seconds"], data["categories"]) == (0.5, ["happiness", "nothing"])


def test_what_may_not_be_meant_is_said(mien, tmp_path):
    head = ("video", "start", "end", "label", "subject")
    both = [("one.mp4", 1, 3, "sad", "p1"), ("two.mp4", 0, 2, "fear", "p2")]
    anna, ben = (write(tmp_path / f"{who}.csv", head, *both) for who in ("anna", "ben"))
    carl = write(tmp_path / "carl.csv", head, both[0])
    dora = write(tmp_path / "dora.csv", head, ("a/other.mp4", *both[0][1:]))
    out = ("--out", tmp_path / "page")
    code, _, err = mien("agree", anna, carl, *out)
    assert code == 0, err
    assert "anna: 2 persons are taken for one (p1, p2)." in err
    assert "two.mp4 is coded by anna alone, and is not compared." in err
    page = (tmp_path / "page" / "agreement.html").read_text(encoding="utf-8")
    assert "seconds coded of" in page
    data = json.loads((tmp_path / "page" / "agreement.json").read_text())
    assert data["seconds_coded"]["two.mp4"] == {"anna": pytest.approx(2), "carl": 0}
    code, _, err = mien("agree", carl, dora, *out)
    assert (code, "Taken for one video: one.mp4, other.mp4." in err) == (0, True)
    code, _, err = mien("agree", anna, ben, *out)
    assert (code, "alone" in err, "Taken" in err) == (0, False, False)


def test_pictures_and_videos_are_not_mixed(mien, tmp_path):
    timed = write(tmp_path / "anna.csv", HEAD, (1, 3, "sad"))
    pictures = write(tmp_path / "ben.csv", ("id", "label"), ("a", "sad"))
    code, _, err = mien("agree", pictures, timed)
    assert (code, "anna.csv says when something is to be seen, and" in err) == (2, True)
    code, _, err = mien("agree", pictures, pictures, "--step", "1")
    assert (code, "--tier, --person, --step and --rest are of" in err) == (2, True)
    code, _, err = mien("agree", pictures, pictures, "--person", "p1")
    assert (code, "--tier, --person, --step and --rest are of" in err) == (2, True)


@pytest.mark.parametrize("times", [("0,5", "1,5"), ("00:00:00,5", "0:01,5")])
def test_times_may_have_decimal_commas(tmp_path, times):
    path = tmp_path / "a.csv"
    path.write_text(f"video;start;end;label\nclip.mp4;{times[0]};{times[1]};fear\n")
    assert read_stretches(path) == coding("a", (0.5, 1.5, "fear"))
