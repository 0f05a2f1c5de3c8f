from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mien.errors import MienError
from mien.inference.video.baseline import neutral_baseline
from mien.inference.video.episodes import episodes, shares, transitions
from mien.inference.video.summary import PersonSummary, peaks
from mien.inference.video.table import Beside
from mien.inference.video.timeline import Timeline, timelines

NAMES = ("happiness", "neutral", "surprise")


def timeline(letters, times=None, strengths=None, names=NAMES, end=np.inf):
    """A person whose leading expression is h, n or s in each row; a blank is an absence."""
    kept = [number for number, letter in enumerate(letters) if letter != " "]
    times = np.arange(len(letters)) / 10 if times is None else np.asarray(times, float)
    strengths = np.full(len(letters), 0.8) if strengths is None else np.asarray(strengths)
    rows = np.empty((len(kept), 3))
    for row, number in zip(rows, kept, strict=True):
        row[:] = (1 - strengths[number]) / 2
        row["hns".index(letters[number])] = strengths[number]
    frames = np.array(kept)
    boxes = np.tile([10.0, 20, 30, 40], (len(kept), 1))
    sure = np.zeros(len(kept), np.int8)
    return Timeline(
        "a.mp4", 1, names, frames, frames, times[kept], frames * 0, boxes, rows, sure, end
    )


def spans(line):
    return [(e.expression[0], round(e.onset, 3), round(e.offset, 3)) for e in episodes(line)]


def test_episodes_have_onset_apex_and_offset():
    strengths = [0.8] * 5 + [0.6, 0.7, 0.95, 0.7, 0.6] + [0.8] * 5
    found = episodes(timeline("nnnnnhhhhhnnnnn", strengths=strengths))
    assert [e.expression for e in found] == ["neutral", "happiness", "neutral"]
    happy = found[1]
    assert (happy.onset, happy.apex, happy.offset) == pytest.approx((0.5, 0.7, 1.0))
    assert (happy.peak, happy.place.index, happy.box.width) == (0.95, 7, 30)


def test_flicker_is_no_episode_and_does_not_cut_one():
    assert spans(timeline("nnnnhnnnn")) == [("n", 0.0, 0.9)]


def test_much_flicker_cuts_an_episode():
    assert spans(timeline("hhhnshhh")) == [("h", 0.0, 0.8)]
    parts = [("h", 0.0, 0.3), ("h", 0.8, 1.1)]
    assert spans(timeline("hhhnsnsnhhh")) == parts
    line = timeline("hhhnsnsnhhh")
    assert transitions(episodes(line), NAMES).sum() == 0


@pytest.mark.parametrize("decimals", [None, 3], ids=["exact", "whole milliseconds"])
@pytest.mark.parametrize("rate", [10, 24000 / 1001, 25, 30, 50, 60, 100])
def test_where_a_run_stands_does_not_decide_whether_it_is_flicker(rate, decimals):
    shortest = int(np.ceil(0.2 * rate - 0.01))
    for start in range(25, 600, 7):
        letters = "n" * start + "h" * shortest + "n" * 40
        times = np.arange(len(letters)) / rate
        line = timeline(letters, times if decimals is None else times.round(decimals))
        assert [e.expression for e in episodes(line)] == ["neutral", "happiness", "neutral"]
        assert transitions(episodes(line), NAMES).sum() == 2


@pytest.mark.parametrize("decimals", [None, 3], ids=["exact", "whole milliseconds"])
@pytest.mark.parametrize("rate", [10, 25, 30, 50, 60, 100])
def test_where_flicker_stands_does_not_decide_what_it_cuts(rate, decimals):
    half = int(0.1 * rate + 0.01)
    for start in range(25, 600, 7):
        letters = "h" * start + "n" * half + "s" * half + "h" * 40
        times = np.arange(len(letters)) / rate
        line = timeline(letters, times if decimals is None else times.round(decimals))
        assert [e.expression for e in episodes(line)] == ["happiness"]


def test_no_row_has_a_length_below_0():
    line = timeline("hhhnnn", times=[0.0, 0.1, 0.2, 0.0, 0.1, 0.2], end=0.3)
    assert line.lengths.min() == 0
    assert shares(line) == pytest.approx({"happiness": 0.4, "neutral": 0.6, "surprise": 0.0})


def answered_as(letters, answers):
    """A person of whom a row is sure, uncertain or no face where the answer is a dot, u or x."""
    outcomes = np.array([".ux".index(answer) for answer in answers], np.int8)
    return replace(timeline(letters), outcomes=outcomes)


def test_what_is_no_face_is_no_episode_and_follows_nothing():
    line = answered_as("hhhhhnnnnnssss", ".....xxxxx....")
    assert spans(line) == [("h", 0.0, 0.5), ("s", 1.0, 1.4)]
    assert transitions(episodes(line), NAMES).sum() == 0
    assert spans(answered_as("hhhhh", "xxxxx")) == []
    assert spans(answered_as("hhhhh", "uuuuu")) == [("h", 0.0, 0.5)]
    # Their time counts in the shares all the same.
    assert shares(line)["neutral"] == pytest.approx(5 / 14)


def test_what_is_no_face_breaks_an_episode_as_flicker_does():
    assert spans(answered_as("hhhhhhhhh", "...xxx...")) == [("h", 0.0, 0.3), ("h", 0.6, 0.9)]
    assert spans(answered_as("hhhhhhhhh", "...xx....")) == [("h", 0.0, 0.9)]


def test_what_is_no_face_is_no_apex():
    line = timeline("hhhhhhh", strengths=[0.6, 0.6, 0.7, 0.9, 0.6, 0.6, 0.6])
    (happy,) = episodes(replace(line, outcomes=np.array([0, 0, 0, 2, 0, 0, 0], np.int8)))
    assert (happy.apex, happy.peak) == pytest.approx((0.2, 0.7))


@pytest.mark.parametrize("rate", [24, 25, 30, 60, 240])
def test_a_short_dropout_is_no_absence_at_any_frame_rate(rate):
    missed = int(0.2 * rate + 0.01)
    for count, stretches in ((3, 1), (missed, 1), (missed + 1, 2)):
        letters = ("h" * rate + " " * count) * 2 + "h" * rate
        line = timeline(letters, np.arange(len(letters)) / rate)
        found = episodes(line)
        assert len(found) == (1 if stretches == 1 else 3)
        assert transitions(found, NAMES).sum() == 0
        assert PersonSummary.of(line).seconds == pytest.approx(
            len(letters if stretches == 1 else letters.replace(" ", "")) / rate
        )


def test_slow_reads_without_a_person_are_an_absence_from_four_on():
    assert len(timeline("hh   hh", times=np.arange(7.0)).stretches()) == 2
    assert len(timeline("hh  hh", times=np.arange(6.0)).stretches()) == 1


def test_a_short_damaged_part_hides_no_absence():
    times = np.arange(20) / 100
    times[10:] += 0.1
    line = replace(timeline("h" * 20, times), damaged=np.repeat([0, 1], 10))
    assert len(line.stretches()) == 1


def test_an_expression_is_not_followed_by_itself():
    before, after = episodes(timeline("hhh          hhh"))
    after = replace(after, onset=before.offset + 0.1, offset=before.offset + 0.4)
    assert transitions([before, after], NAMES).sum() == 0


def test_an_absence_cuts_an_episode():
    assert spans(timeline("hhhh          hhhh")) == [("h", 0.0, 0.4), ("h", 1.4, 1.8)]


def test_a_frame_that_is_shown_for_long_is_no_absence():
    line = timeline("hhhhh", times=[0.0, 0.1, 5.0, 5.1, 5.2])
    assert spans(line) == [("h", 0.0, 5.3)]
    assert PersonSummary.of(line).seconds == pytest.approx(5.3)


def test_an_absence_in_quick_frames_is_one_among_slow_ones():
    times = [0.0, 1.0, 2.0, 2.1, 2.2, 2.3, 2.4, 3.4, 4.4]
    assert spans(timeline("hhh   hhh", times=times)) == [("h", 0.0, 2.4), ("h", 2.4, 5.4)]


def test_what_could_not_be_decoded_may_hide_an_absence():
    line = timeline("hhhhh", times=[0.0, 0.1, 5.0, 5.1, 5.2])
    damaged = replace(line, damaged=np.array([0, 0, 1, 1, 1]))
    assert spans(damaged) == [("h", 0.0, 0.2), ("h", 5.0, 5.3)]


def test_shares_are_by_time_not_by_row():
    line = timeline("hnnn", times=[0.0, 0.2, 0.3, 0.4])
    assert shares(line) == pytest.approx({"happiness": 0.4, "neutral": 0.6, "surprise": 0.0})


def test_no_time_is_longer_than_what_was_read():
    line = timeline("hhnn", times=[0.0, 0.8, 1.6, 2.4], end=2.5)
    summary = PersonSummary.of(line)
    assert (summary.seconds, summary.until) == pytest.approx((2.5, 2.5))
    assert summary.shares["neutral"] == pytest.approx(0.9 / 2.5)
    assert summary.episodes[-1].offset == pytest.approx(2.5)
    assert PersonSummary.of(timeline("hh", end=0.05)).seconds == pytest.approx(0.1)


def test_what_is_answered_instead_has_a_share_of_the_time():
    line = replace(timeline("hhhhnnnn"), outcomes=np.array([1, 1, 0, 0, 0, 0, 0, 2], np.int8))
    numbers = PersonSummary.of(line).as_dict()
    assert numbers["answered"] == pytest.approx({"uncertain": 0.25, "not a face": 0.125})
    everything = Beside(uncertain=1).shown(line)
    assert PersonSummary.of(everything).answered == pytest.approx(
        {"uncertain": 0.875, "not a face": 0.125}
    )


def read_at(times, people, until):
    """The records of a video in which each read has these people."""
    face = {"box": [1, 2, 3, 4], "probabilities": [0.8, 0.1, 0.1], "verdict": ["sure", None, None]}
    for number, (time, tracks) in enumerate(zip(times, people, strict=True)):
        faces = [{"track": int(track), **face} for track in tracks]
        where = {"source": "a", "frame": number, "time": time, "damaged": 0}
        yield {**where, "faces": faces}
    yield {"source": "a", "ended": True, "message": "", "until": until}


def test_who_is_seen_in_one_frame_is_there_for_as_long_as_is_usual():
    line = timelines(read_at([0.0, 1.5, 3.0, 4.5], ["", "1", "", ""], 6.0), NAMES)[0]
    person = PersonSummary.of(line)
    assert (person.first, person.until, person.seconds) == (1.5, 3.0, 1.5)
    assert spans(line) == [("h", 1.5, 3.0)]
    (short,) = timelines(read_at([0.0, 0.1, 0.2], ["", "1", ""], 0.3), NAMES)
    assert (PersonSummary.of(short).seconds, spans(short)) == (pytest.approx(0.1), [])


def test_who_is_seen_in_the_last_frame_is_not_there_beyond_the_end():
    (last,) = timelines(read_at([0.0, 1.5, 3.0], ["", "", "1"], 3.5), NAMES)
    assert PersonSummary.of(last).seconds == 0.5
    (only,) = timelines(read_at([0.5], ["1"], 2.0), NAMES)
    assert PersonSummary.of(only).seconds == 1.5


def test_who_is_seen_twice_is_not_there_between():
    times, people = np.arange(20) / 4, [""] * 20
    people[3] = people[15] = "1"
    (line,) = timelines(read_at(times.tolist(), people, 5.0), NAMES)
    assert PersonSummary.of(line).seconds == 0.5
    assert spans(line) == [("h", 0.75, 1.0), ("h", 3.75, 4.0)]


def test_a_single_row_has_a_share():
    assert shares(timeline("s"))["surprise"] == 1


def test_transitions_count_what_follows_at_once():
    found = episodes(timeline("nnnhhhnnnsss        hhh"))
    counts = transitions(found, NAMES)
    assert counts.tolist() == [[0, 1, 0], [1, 0, 1], [0, 0, 0]]


def test_a_summary_is_plain_values():
    numbers = PersonSummary.of(timeline("nnnnnhhhhh")).as_dict()
    assert numbers["rows"] == 10
    assert numbers["seconds"] == pytest.approx(1.0)
    assert numbers["transitions"]["neutral"]["happiness"] == 1
    assert [e["expression"] for e in numbers["episodes"]] == ["neutral", "happiness"]


def test_peaks_are_the_strongest_in_order_of_time_and_neutral_ones_last():
    strengths = np.repeat([0.99, 0.6, 0.9, 0.7], 4)
    found = episodes(timeline("nnnnhhhhsssshhhh", strengths=strengths))
    assert [(e.expression, e.peak) for e in peaks(found, 2)] == [
        ("surprise", 0.9),
        ("happiness", 0.7),
    ]
    assert len(peaks(found, 9)) == 4


def test_the_baseline_is_the_mean_of_the_most_neutral_quarter():
    line = timeline("nnnnhhhh", strengths=[0.5, 0.9, 0.7, 0.6, 0.9, 0.9, 0.9, 0.9])
    assert neutral_baseline(line) == pytest.approx([0.1, 0.8, 0.1])


def test_who_is_never_at_rest_has_no_baseline():
    smiling = timeline("hhhhhhhh", strengths=np.linspace(0.6, 0.999, 8))
    assert neutral_baseline(smiling) is None
    assert PersonSummary.of(smiling, baseline=True).as_dict()["rest"] == "no rest found"
    assert PersonSummary.of(timeline("hhhn"), baseline=True).rest == "found"
    assert PersonSummary.of(smiling).rest is None


def test_what_is_no_face_is_not_how_somebody_looks_at_rest():
    line = timeline("nnhhhhnn", strengths=[0.99, 0.99, *[0.9] * 4, 0.6, 0.5])
    background = replace(line, outcomes=np.array([2, 2, 0, 0, 0, 0, 0, 1], np.int8))
    assert neutral_baseline(background) == pytest.approx([0.225, 0.55, 0.225])
    smiling = replace(line, outcomes=np.array([2, 2, 0, 0, 0, 0, 2, 2], np.int8))
    assert PersonSummary.of(smiling, baseline=True).rest == "no rest found"
    nobody = replace(line, outcomes=np.full(8, 2, np.int8))
    assert PersonSummary.of(nobody, baseline=True).rest == "no rest found"


def test_a_baseline_needs_neutral():
    with pytest.raises(MienError, match="with neutral"):
        neutral_baseline(timeline("hh", names=("anger", "happiness", "surprise")))


def test_timelines_are_gathered_by_person_and_video():
    def record(source, number, *tracks):
        faces = [
            {
                "track": t,
                "box": [t, 0, 1, 1],
                "probabilities": [0.1 * t, 1 - 0.1 * t, 0.0],
                "verdict": ["not a face" if t == 2 else "sure", None, None],
            }
            for t in tracks
        ]
        return {"source": source, "frame": number, "time": number / 2, "damaged": 0, "faces": faces}

    records = [
        record("a", 0, 1, 2),
        record("a", 1),
        record("a", 2, 2),
        {"source": "a", "ended": True, "message": "", "until": 1.5},
        record("b", 0, 1),
    ]
    found = {(t.source, t.track): t for t in timelines(records, NAMES)}
    assert sorted(found) == [("a", 1), ("a", 2), ("b", 1)]
    assert found["a", 2].frames.tolist() == [0, 2]
    assert found["a", 2].reads.tolist() == [0, 2]
    assert found["b", 1].reads.tolist() == [0]
    assert found["a", 2].times.tolist() == [0.0, 1.0]
    assert found["a", 2].probabilities[0].tolist() == [0.2, 0.8, 0.0]
    assert found["a", 2].outcomes.tolist() == [2, 2]
    assert (found["a", 2].end, found["b", 1].end) == (1.5, 0.0)
    assert found["a", 2].boxes[:, 0].tolist() == [2, 2]
