import numpy as np
import PIL.Image
import pytest

import makers
from mien.data.readers import find_reader, read_dataset
from mien.errors import DataError


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


@pytest.mark.parametrize("text", ["", "9.0", "happy", "2.5", "-1", "inf", "1e400", "nan"])
def test_a_wrong_emotion_file_is_named(ckplus, text):
    path = ckplus / "Emotion" / "S005" / "001" / "S005_001_00000011_emotion.txt"
    path.write_text(text)
    with pytest.raises(DataError, match=r"00000011_emotion\.txt: wanted an emotion from 0 to 7"):
        read_dataset(ckplus)


def test_missing_parts_say_so(ckplus):
    (ckplus / "Emotion").rename(ckplus / "Labels")
    with pytest.raises(DataError, match="holds no folder 'Emotion'"):
        read_dataset(ckplus)
    (ckplus / "Emotion").mkdir()
    with pytest.raises(DataError, match="holds no emotion file"):
        read_dataset(ckplus)


def test_a_damaged_frame_is_left_out_and_said(ckplus):
    path = ckplus / "cohn-kanade-images" / "S010" / "001" / "S010_001_00000011.png"
    path.write_bytes(b"x")
    skipped = []
    assert len(read_dataset(ckplus, skip=skipped.append)) == 2
    assert "S010_001_00000011.png" in str(skipped[0])
