import shutil

import numpy as np
import PIL.Image
import pytest

import makers
from mien.data.readers import find_reader, read_dataset
from mien.data.tree import has_folder
from mien.errors import DataError
from mien.labels import ClassNames


@pytest.fixture
def ckplus(tmp_path):
    """Four sequences in CK+'s layout; the last has no emotion."""
    for number, (subject, sequence) in enumerate(
        [("S005", "001"), ("S005", "002"), ("S010", "001"), ("S011", "001")]
    ):
        for frame in (1, 2, 11):
            name = f"{subject}_{sequence}_{frame:08d}"
            path = tmp_path / "cohn-kanade-images" / subject / sequence / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            image = makers.drawn_face(number, np.random.default_rng(frame))
            PIL.Image.fromarray(image).resize((64, 49)).save(path)
        emotion = tmp_path / "Emotion" / subject / sequence
        emotion.mkdir(parents=True)
        if subject != "S011":
            (emotion / f"{name}_emotion.txt").write_text(f"   {number + 1}.0000000e+00\n")
    return tmp_path


def test_the_peak_frame_of_each_sequence_with_an_emotion(ckplus):
    assert find_reader(ckplus)[0] == "ckplus"
    dataset = read_dataset(ckplus)
    assert [s.expression for s in dataset] == ["anger", "contempt", "disgust"]
    assert dataset.subjects.tolist() == ["S005", "S005", "S010"]
    assert all(name.endswith("00000011.png") for name in dataset.ids)
    assert dataset.images.shape == (3, 49, 64)


def test_first_frames_are_neutral_on_request(ckplus):
    dataset = read_dataset(ckplus, layout="ckplus-neutral")
    assert [s.expression for s in dataset] == [
        *("anger", "neutral", "contempt", "neutral", "disgust", "neutral")
    ]
    assert dataset.ids[1].endswith("S005_001_00000001.png")


@pytest.mark.parametrize("text", ["", "9.0", "glad", "2.5", "-1", "inf", "1e400", "nan"])
def test_a_wrong_emotion_file_is_named(ckplus, text):
    path = ckplus / "Emotion" / "S005" / "001" / "S005_001_00000011_emotion.txt"
    path.write_text(text)
    with pytest.raises(DataError, match=r"00000011_emotion\.txt: wanted an emotion from 0 to 7"):
        read_dataset(ckplus)


def test_missing_parts_say_so(ckplus):
    shutil.copytree(ckplus / "Emotion", ckplus / "copy" / "Emotion")
    with pytest.raises(DataError, match=r"wanted one folder 'Emotion' .*, found Emotion, copy/Emo"):
        read_dataset(ckplus)
    (ckplus / "Emotion").rename(ckplus / "Labels")
    (ckplus / "copy" / "Emotion").rename(ckplus / "copy" / "Labels")
    with pytest.raises(DataError, match=r"Emotion/S005/001/\*\.txt, found none"):
        read_dataset(ckplus)


def test_the_archives_may_be_unpacked_into_folders_of_their_own(ckplus):
    whole = read_dataset(ckplus)
    for name, folder in (("cohn-kanade-images", "extended-images"), ("Emotion", "Emotion_labels")):
        (ckplus / folder).mkdir()
        (ckplus / name).rename(ckplus / folder / name)
    assert find_reader(ckplus)[0] == "ckplus"
    assert read_dataset(ckplus).fingerprint == whole.fingerprint


def test_folders_are_looked_for_as_trees_are_walked(ckplus):
    above = ckplus.parent / "above"
    above.mkdir()
    (above / "back").symlink_to(above)
    (above / "cohn-kanade-images.txt").touch()
    (above / ".cache" / "cohn-kanade-images").mkdir(parents=True)
    assert not has_folder(above, "cohn-kanade-images")
    (above / "linked").symlink_to(ckplus)
    assert has_folder(above, "cohn-kanade-images")
    assert find_reader(above)[0] == "ckplus"


def test_sequences_that_give_no_face_are_counted(ckplus):
    for subject, emotion in (("S005", "0"), ("S010", "5")):
        (ckplus / "Emotion" / subject / "001" / "z_emotion.txt").write_text(f"{emotion}.0000e+00")
    shutil.rmtree(ckplus / "cohn-kanade-images" / "S010")
    dataset = read_dataset(ckplus)
    assert [face.expression for face in dataset] == ["contempt"]
    assert dataset.history == (
        "read: 1 sequences with an emotion but no pictures left out",
        "read: 1 sequences whose emotion is neutral left out",
    )


def test_the_user_says_what_emotions_mean(ckplus):
    dataset = read_dataset(ckplus, names=ClassNames({"1": "", "2": "disgust"}))
    assert [face.expression for face in dataset] == ["disgust", "disgust"]
    assert dataset.history == (
        "read: 1 faces of class '1' left out",
        "read: the classes '2' and '3' are one, disgust",
    )


def test_a_damaged_frame_is_left_out_and_said(ckplus):
    path = ckplus / "cohn-kanade-images" / "S010" / "001" / "S010_001_00000011.png"
    path.write_bytes(b"x")
    skipped = []
    assert len(read_dataset(ckplus, skip=skipped.append)) == 2
    assert "S010_001_00000011.png" in str(skipped[0])
