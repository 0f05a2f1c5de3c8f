"""Tables of coders as people and programs really write them: gaps, names, times and persons."""

import csv
import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.errors import DataError
from mien.evaluation.coders.clock import seconds
from mien.evaluation.coders.codings import (
    Coding,
    by_file_name,
    category_of,
    check_named,
    coder_names,
    plain,
    read_coding,
    together,
)
from mien.evaluation.coders.elan import read_elan
from mien.evaluation.coders.steps import by_shared_names, in_steps
from mien.evaluation.coders.stretches import Stretch, TimedCoding, read_stretches
from mien.inference.video.table import Beside
from mien.labels import EXPRESSIONS, SPELLINGS, ClassNames

HEAD = ("video", "start", "end", "label")
BORIS = ("Media file name", "Subject", "Behavior", "Start (s)", "Stop (s)")
ROWS = ("source", "frame", "time", "track", "face", "status", "answer", "expression", "message")
EPISODES = ("source", "person", "expression", "onset", "apex", "offset")
FRENCH = "caf\u00e9"
"""With an accent as one character; macOS stores two."""


def write(path, *rows):
    path.parent.mkdir(exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


def frame(number, track="1", answer="happiness", expression="happiness"):
    return ("clip.mp4", number, number / 10, track, 0, "ok", answer, expression, "")


def decomposed(name):
    return unicodedata.normalize("NFD", name)


def eaf(path, video):
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        f"""<ANNOTATION_DOCUMENT>
        <HEADER><MEDIA_DESCRIPTOR MEDIA_URL="file:///{video}"/></HEADER>
        <TIME_ORDER><TIME_SLOT TIME_SLOT_ID="a" TIME_VALUE="1000"/>
        <TIME_SLOT TIME_SLOT_ID="b" TIME_VALUE="3000"/></TIME_ORDER>
        <TIER TIER_ID="t"><ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="1"
        TIME_SLOT_REF1="a" TIME_SLOT_REF2="b"><ANNOTATION_VALUE>fear</ANNOTATION_VALUE>
        </ALIGNABLE_ANNOTATION></ANNOTATION></TIER></ANNOTATION_DOCUMENT>""",
        encoding="utf-8",
    )
    return path


def test_a_damaged_video_s_row_of_mien_is_passed_over(tmp_path):
    damaged = ("clip.mp4", "", "", "", "", "error", "", "", "the file is cut short")
    found = read_stretches(write(tmp_path / "rows.csv", ROWS, frame(0), frame(1), damaged))
    assert found.videos == {"clip.mp4": [Stretch(0, 0.2, "happiness")]}
    # Its columns are those that mien writes.
    record = {"source": "clip.mp4", "ended": True, "message": "the file is cut short"}
    (row,) = Beside().rows(lambda: [record], EXPRESSIONS)
    assert [row[name] or "" for name in ROWS] == list(damaged)


def test_blank_rows_are_passed_over_and_half_a_row_is_not(tmp_path):
    path = tmp_path / "anna.csv"
    path.write_text("video;start;end;label\nclip;1;2;fear\n;;;\n ;;;\n")
    assert read_stretches(path).videos == {"clip": [Stretch(1, 2, "fear")]}
    for row in (";;;fear", ";1;;", ";;2;"):
        path.write_text(f"video;start;end;label\nclip;1;2;fear\n{row}\n")
        with pytest.raises(DataError, match=r"line 3: wanted a time in seconds, or as .* found ''"):
            read_stretches(path)


def test_blank_rows_of_pictures_are_passed_over(tmp_path):
    path = tmp_path / "anna.csv"
    path.write_text("id;label\na.jpg;fear\n;\n;\n")
    assert read_coding(path).said == {"a.jpg": "fear"}


def test_times_before_0_are_read_and_steps_begin_at_0(tmp_path):
    rows = (("clip", "-0.04", "0.3", "fear"), ("clip", "0.3", "0.5", "sad"))
    found = read_stretches(write(tmp_path / "anna.csv", HEAD, *rows))
    assert found.videos["clip"][0] == Stretch(-0.04, 0.3, "fear")
    codes, steps = in_steps([found, TimedCoding("ben", found.videos, True)], 0.1)
    assert steps.starts == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
    said = [codes.categories[code] for code in codes.codes[0]]
    assert said == ["fear"] * 3 + ["sadness"] * 2
    frames = [("clip.mp4", n, n / 25 - 0.04, "1", 0, "ok", "fear", "fear", "") for n in range(3)]
    (stretch,) = read_stretches(write(tmp_path / "rows.csv", ROWS, *frames)).videos["clip.mp4"]
    assert (stretch.start, stretch.end) == pytest.approx((-0.04, 0.08))


@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59999))
def test_a_clock_s_time_is_that_many_seconds(hours, minutes, milliseconds):
    text = f"{hours:02}:{minutes:02}:{milliseconds // 1000:02}.{milliseconds % 1000:03}"
    expected = hours * 3600 + minutes * 60 + milliseconds / 1000
    for written in (text, text.replace(".", ",")):
        assert seconds(written, "here") == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("83.5", 83.5), ("-0,04", -0.04), ("1:23.5", 83.5), ("75:30", 4530), ("1:00:00", 3600)],
)
def test_times_are_seconds_or_a_clock_s(text, expected):
    assert seconds(text, "here") == pytest.approx(expected)


@pytest.mark.parametrize(
    "text",
    [
        *("00:00:10:12", "0:0:0:0", "1:60", "00:60:00", "0:01:75.5", "1:-5", "-1:05", "-0:05"),
        *("0:-0", "", " ", "nan", "inf", "-inf", "nan:00", "1:nan", "00:00:10;12", "10:"),
    ],
)
def test_what_is_no_time_is_said_with_its_line(text):
    with pytest.raises(DataError, match=r"^a\.csv, line 2: wanted a time in sec.*, found") as error:
        seconds(text, "a.csv, line 2")
    assert repr(text) in str(error.value)


def test_a_column_is_named_for_the_tables_that_have_it(tmp_path):
    rows = write(tmp_path / "rows.csv", ROWS, frame(0, answer="uncertain", expression="fear"))
    boris = write(tmp_path / "ben.csv", BORIS, ("clip.mp4", "p1", "sad", 0, 1))
    more = write(tmp_path / "more.csv", ROWS, frame(0, answer="uncertain"), frame(1))
    check_named([rows, boris], None, "Expression")
    found = read_stretches(boris, video="source", category="expression")
    assert found.videos == {"clip.mp4": [Stretch(0, 1, "sadness")]}
    assert read_stretches(more, category="EXPRESSION").videos["clip.mp4"][0].end == 0.2
    with pytest.raises(DataError, match=r"rows\.csv: wanted a column words, found source, frame"):
        check_named([rows, boris], "source", "words")
    pictures = write(tmp_path / "carl.csv", ("id", "label"), ("a", "sad"))
    assert read_coding(pictures, picture="bild", category="words").said == {"a": "sadness"}
    lacking = write(tmp_path / "dora.csv", ("id", "words"), ("a", "sad"))
    with pytest.raises(DataError, match="wanted a column ausdruck or label or answer"):
        read_coding(lacking, category="ausdruck")


def test_the_command_compares_boris_with_mien_s_expressions(mien, tmp_path):
    boris = write(tmp_path / "ben.csv", BORIS, ("clip.mp4", "p1", "fear", 0, 2))
    frames = [frame(n, answer="uncertain", expression="fear") for n in range(20)]
    rows = write(tmp_path / "rows.csv", ROWS, *frames)
    out = ("--out", tmp_path / "page")
    for more in ((), ("--picture", "source")):
        code, _, err = mien("agree", boris, rows, "--category", "expression", *more, *out)
        assert code == 0, err
        data = json.loads((tmp_path / "page" / "agreement.json").read_text())
        assert data["pairs"][0]["agreement"]["value"] == 1
    code, _, err = mien("agree", boris, rows, "--category", "words", *out)
    assert (code, "ben.csv: wanted a column words, found Media file" in err) == (2, True)


def test_the_command_says_how_much_lies_between_episodes(mien, tmp_path):
    anna = write(tmp_path / "anna.csv", HEAD, ("clip.mp4", 0, 10, "fear"))
    shown = [("clip.mp4", 1, "fear", start, start, start + 2) for start in (1, 4)]
    episodes = write(tmp_path / "mien.csv", EPISODES, *shown)
    out = ("--out", tmp_path / "page")
    code, _, err = mien("agree", anna, episodes, *out)
    assert code == 0, err
    assert "mien: 6.0 of 10.0 s lie in no episode and are not compared" in err
    assert "rows.csv of mien analyze --out leaves only absence out" in err
    whole = write(tmp_path / "whole.csv", EPISODES, ("clip.mp4", 1, "fear", 0, 1, 10))
    code, _, err = mien("agree", anna, whole, *out)
    assert (code, "episode" in err) == (0, False)
    rows = write(tmp_path / "rows.csv", ROWS, frame(0), frame(1))
    code, _, err = mien("agree", anna, rows, *out)
    assert (code, "episode" in err) == (0, False)


def test_names_of_macos_are_those_of_other_systems(tmp_path):
    other = decomposed(FRENCH)
    assert other != FRENCH
    two = [(f"{name}.jpg", "fear") for name in (FRENCH, "b")]
    anna = write(tmp_path / "anna.csv", ("id", "label"), *two)
    ben = write(tmp_path / "ben.csv", ("id", "label"), (f"{other}.jpg", "sad"), ("b.jpg", "sad"))
    codes = together([read_coding(anna), read_coding(ben)])
    assert codes.pictures == ("b.jpg", f"{FRENCH}.jpg")
    both = write(tmp_path / "both.csv", ("id", "label"), two[0], (f"{other}.jpg", "sad"))
    with pytest.raises(DataError, match=r"line 3: names .* a second time"):
        read_coding(both)
    videos = write(
        tmp_path / "carl.csv",
        HEAD,
        (f"x/{other}.mp4", 1, 2, "fear"),
        (f"x/{FRENCH}.mp4", 2, 3, "fear"),
    )
    assert read_stretches(videos).videos == {f"x/{FRENCH}.mp4": [Stretch(1, 3, "fear")]}
    elan = read_elan(eaf(tmp_path / "dora.eaf", f"x/{other}.mp4"))
    assert list(elan.videos) == [f"{FRENCH}.mp4"]
    told = [
        TimedCoding(who, {f"x/{name}.mp4": [], f"{who}.mp4": []}, True)
        for who, name in (("one", FRENCH), ("two", other))
    ]
    assert [f"{FRENCH}.mp4" in coding.videos for coding in by_shared_names(told)] == [True, True]


def test_file_names_of_pictures_are_of_either_system():
    windows = Coding("one", {"C:\\photos\\a.jpg": "fear", "photos/b.jpg": "fear"})
    codes = together([windows, Coding("two", {"a.jpg": "fear", "b.jpg": "fear"})])
    assert codes.pictures == ("a.jpg", "b.jpg")


@given(st.dictionaries(st.text("a/\\e\u0301\u00e9", min_size=1), st.integers()))
def test_no_picture_is_lost_to_its_file_name(said):
    assert sorted(by_file_name(said).values()) == sorted(said.values())


def test_pictures_that_one_codes_alone_are_told(mien, tmp_path):
    said = [(f"{name}.jpg", "fear") for name in "abcd"]
    anna = write(tmp_path / "anna.csv", ("id", "label"), *said)
    ben = write(tmp_path / "ben.csv", ("id", "label"), *said[:2])
    both = together([read_coding(anna), read_coding(ben)])
    assert both.alone == ["c.jpg", "d.jpg"]
    out = ("--out", tmp_path / "page")
    code, _, err = mien("agree", anna, ben, *out)
    assert code == 0, err
    assert "Coded by one coder alone, and not compared: 2 of 4 pictures, c.jpg first." in err
    carl = write(tmp_path / "carl.csv", ("id", "label"), *said)
    code, _, err = mien("agree", anna, ben, carl, *out)
    assert (code, "alone" in err) == (0, False)


def test_coders_of_files_named_alike_are_called_as_their_folders(tmp_path, monkeypatch):
    anna, ben = (tmp_path / who / "clip.eaf" for who in ("anna", "ben"))
    assert coder_names([anna, ben]) == ["anna", "ben"]
    assert coder_names([anna, ben, tmp_path / "rows.csv"]) == ["anna", "ben", "rows"]
    assert coder_names([anna, tmp_path / "carl.csv"]) == ["clip", "carl"]
    assert coder_names([anna, anna.with_suffix(".csv")]) == ["clip", "clip"]
    assert coder_names([anna, ben, tmp_path / "anna.csv"]) == ["clip", "clip", "anna"]
    anna.parent.mkdir()
    monkeypatch.chdir(anna.parent)
    named = [type(tmp_path)(name) for name in ("clip.eaf", "../ben/clip.eaf")]
    assert coder_names(named) == ["anna", "ben"]


def test_the_command_takes_files_of_one_name_in_two_folders(mien, tmp_path):
    out = ("--out", tmp_path / "page")
    videos = [eaf(tmp_path / who / "clip.eaf", "clip.mp4") for who in ("anna", "ben")]
    head, said = ("id", "label"), [("a", "fear"), ("b", "sad")]
    pictures = [write(tmp_path / who / "codes.csv", head, *said) for who in ("anna", "ben")]
    for files in (videos, pictures):
        code, out_text, err = mien("agree", *files, *out)
        assert code == 0, err
        assert "anna, ben" in out_text
        code, _, err = mien("agree", files[0], files[0], *out)
        assert (code, f"Got {files[0].stem!r} twice" in err) == (2, True)


@pytest.mark.parametrize("largest", ["0", "0.0", "0,0", "0.00", " 0 ", ""])
def test_the_largest_face_is_known_however_its_number_is_written(tmp_path, largest):
    rows = [("a.jpg", largest, "fear"), ("a.jpg", "1.0", "sad"), ("b.jpg", "10", "sad")]
    path = write(tmp_path / "mien.csv", ("source", "face", "answer"), *rows)
    assert read_coding(path).said == {"a.jpg": "fear"}


@given(st.integers(0, 10**20), st.integers(1, 3), st.sampled_from(".,"))
def test_whole_numbers_are_the_same_with_decimals(number, digits, point):
    assert plain(f" {number}{point}{'0' * digits}") == plain(str(number)) == str(number)


@pytest.mark.parametrize("text", ["1_2", "v1.0", "1.5", "1.05", "mother", "1.0.0"])
def test_what_is_no_whole_number_stays_as_it_is(text):
    assert plain(text) == text


def two_persons(path, first="mother", second="infant"):
    said = [(first, "happy", 0, 4), (second, "sad", 1, 3), (second, "blink", 2, 2)]
    return write(path, BORIS, *(("one.mp4", *one) for one in said))


def test_one_of_a_table_s_persons_is_read(tmp_path):
    path = two_persons(tmp_path / "anna.csv")
    found = read_stretches(path, persons=["father", "infant"])
    assert found.videos == {"one.mp4": [Stretch(1, 3, "sadness")]}
    assert found.persons == {"infant"}
    with pytest.raises(DataError, match=r"anna\.csv: wanted the person father, found mother, inf"):
        read_stretches(path, persons=["father"])
    with pytest.raises(
        DataError, match=r"line 3: says 'sadness' of 1 s, .* name one with --person"
    ):
        read_stretches(path)
    with pytest.raises(DataError, match="'happiness' is said, too, but of 'mother', not 'infant'"):
        read_stretches(path, persons=["mother", "infant"])


def test_what_is_said_twice_of_one_person_is_not_two_persons(tmp_path):
    said = [("one.mp4", "mother", word, 0, 4) for word in ("happy", "sad")]
    with pytest.raises(DataError, match="categories that exclude each other") as error:
        read_stretches(write(tmp_path / "anna.csv", BORIS, *said))
    assert "--person" not in str(error.value)


@pytest.mark.parametrize(("written", "asked"), [("1.0", "1"), ("1", "1.0"), ("1", " 1")])
def test_a_person_s_number_may_have_decimals(tmp_path, written, asked):
    path = two_persons(tmp_path / "anna.csv", first=written, second="2.0")
    assert read_stretches(path, persons=[asked]).persons == {"1"}


def test_a_table_that_names_nobody_is_taken_whole(tmp_path):
    stretch = [Stretch(0, 4, "fear")]
    plain_table = write(tmp_path / "anna.csv", HEAD, ("clip.mp4", 0, 4, "fear"))
    assert read_stretches(plain_table, persons=["p1"]).videos["clip.mp4"] == stretch
    blank = write(tmp_path / "ben.csv", BORIS, ("clip.mp4", "", "fear", 0, 4))
    assert read_stretches(blank, persons=["p1"]).videos["clip.mp4"] == stretch


def test_a_video_without_the_person_is_not_coded(tmp_path):
    said = [("one.mp4", "mother", "sad", 0, 4), ("two.mp4", "infant", "sad", 0, 4)]
    found = read_stretches(write(tmp_path / "anna.csv", BORIS, *said), persons=["mother"])
    assert list(found.videos) == ["one.mp4"]


def test_frames_of_others_end_those_of_the_person(tmp_path):
    """Of the person nothing is said where others alone are seen, as where nobody is."""
    rows = [frame(0), frame(1, "2", "fear"), frame(2), frame(2, "2", "fear"), frame(3, "", "", "")]
    found = read_stretches(write(tmp_path / "rows.csv", ROWS, *rows), persons=["1"])
    spans = [(s.start, s.end, s.category) for s in found.videos["clip.mp4"]]
    assert spans == [(0.0, 0.1, "happiness"), (0.2, 0.3, "happiness")]


def test_the_command_compares_one_person(mien, tmp_path):
    anna = two_persons(tmp_path / "anna.csv")
    rows = [frame(n, track, "fear") for n in range(40) for track in ("1.0", "2.0")]
    table = write(tmp_path / "rows.csv", ROWS, *rows)
    carl = eaf(tmp_path / "carl.eaf", "clip.mp4")
    out = ("--out", tmp_path / "page")
    person = ("--person", "mother", "--person", "1")
    code, _, err = mien("agree", anna, table, carl, *person, *out)
    assert (code, "persons" in err) == (0, False), err
    code, _, err = mien("agree", anna, table, carl, *person[:2], *out)
    assert (code, "rows.csv: wanted the person mother, found 1, 2." in err) == (2, True)
    code, _, err = mien("agree", anna, table, *out)
    assert (code, "name one with --person" in err) == (2, True)
    whole = write(tmp_path / "dora.csv", HEAD, ("clip.mp4", 0, 4, "fear"))
    code, _, err = mien("agree", whole, carl, *person, *out)
    assert (code, "No table names persons, so that --person leaves nothing out." in err) == (
        0,
        True,
    )


SHORT = sorted({word for words in SPELLINGS.values() for word in words if len(word) == 2})


@pytest.mark.parametrize("word", SHORT)
def test_two_letters_are_a_code_of_their_own_unless_the_user_names_them(word):
    assert category_of(word.upper(), ClassNames()) == word
    assert category_of(word.upper(), ClassNames({"xy": "fear"})) == word
    meant = ClassNames().expression(word)
    assert category_of(word, ClassNames({word.upper(): meant})) == meant
    assert category_of(word, ClassNames({word: "surprise"})) == "surprise"


def test_longer_spellings_mean_expressions():
    said = [category_of(word, ClassNames()) for word in (" Happy ", "neu", "Sur", "blink")]
    assert said == ["happiness", "neutral", "surprise", "blink"]


def test_a_table_s_codes_of_two_letters_are_read_as_they_are(tmp_path):
    said = [("clip.mp4", "p1", word, n, n + 1) for n, word in enumerate(("NE", "SA", "sad"))]
    path = write(tmp_path / "anna.csv", BORIS, *said)
    assert [s.category for s in read_stretches(path).videos["clip.mp4"]] == ["ne", "sa", "sadness"]
    named = read_stretches(path, names=ClassNames({"NE": "neutral", "SA": "sadness"}))
    assert [s.category for s in named.videos["clip.mp4"]] == ["neutral", "sadness"]


def test_either_slash_tells_pictures_of_one_name_in_two_folders_apart():
    one = Coding("a", {"day1/1.jpg": "fear", "day2/1.jpg": "anger"})
    two = Coding("b", {"day1\\1.jpg": "fear", "day2\\1.jpg": "fear"})
    codes = together([one, two])
    assert codes.pictures == ("day1/1.jpg", "day2/1.jpg")
    assert codes.codes.tolist() == [[1, 0], [1, 1]]


def test_either_slash_tells_videos_of_one_name_in_two_folders_apart():
    said = [Stretch(0, 1, "fear")]
    one = TimedCoding("a", {"day1/c.mp4": said, "day2/c.mp4": said}, rests=True)
    two = TimedCoding("b", {"day1\\c.mp4": said, "day2\\c.mp4": said}, rests=True)
    for coding in by_shared_names([one, two]):
        assert list(coding.videos) == ["day1/c.mp4", "day2/c.mp4"]


def test_a_class_that_is_left_out_is_not_coded(tmp_path):
    rows = (("path", "label"), ("1.jpg", "unknown"), ("2.jpg", "fear"))
    names = ClassNames({"Unknown": ""})
    assert read_coding(write(tmp_path / "a.csv", *rows), names=names).said == {"2.jpg": "fear"}
    table = write(tmp_path / "t.csv", HEAD, ("c", 0, 1, "unknown"), ("c", 1, 2, "fear"))
    assert read_stretches(table, names=names).videos == {"c": [Stretch(1, 2, "fear")]}


def test_codes_that_look_like_expressions_are_said(mien, tmp_path):
    one = write(tmp_path / "a.csv", ("path", "label"), ("1.jpg", "HA"), ("2.jpg", "XY"))
    two = write(tmp_path / "b.csv", ("path", "label"), ("1.jpg", "happy"), ("2.jpg", "XY"))
    code, _, err = mien("agree", one, two, "--out", tmp_path / "out")
    assert code == 0
    said = "Taken for codes, not for expressions: ha; --name ha=… says otherwise."
    assert said in " ".join(err.split())
    _, _, err = mien("agree", one, two, "--out", tmp_path / "named", "--name", "HA=happiness")
    assert "Taken for codes" not in err
