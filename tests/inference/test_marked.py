from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from mien.errors import MienError
from mien.inference.marked import MarkedCopies, write_marked

PICTURE = np.full((40, 60, 3), 120, np.uint8)


@pytest.mark.parametrize(
    ("original", "copy"),
    [
        ("photos/a.jpg", "marked/photos/a.jpg"),
        ("/home/me/a.PNG", "marked/home/me/a.PNG"),
        ("../b/a.bmp", "marked/b/a.bmp.png"),
        ("a.tiff", "marked/a.tiff.png"),
    ],
)
def test_copies_are_laid_out_like_the_originals(original, copy):
    copies = MarkedCopies(Path("marked"), [Path(original)])
    assert copies.path(Path(original)) == Path(copy)


def test_no_photo_and_no_other_copy_is_replaced(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    photo = Path("photos/a.jpg")
    photo.parent.mkdir()
    photo.write_bytes(b"original")
    for folder, original in ((".", photo), ("/", photo.absolute()), ("here/..", photo)):
        with pytest.raises(MienError, match="would replace the photo"):
            MarkedCopies(Path(folder), [original])
    with pytest.raises(MienError, match=r"would have the same marked copy, marked/p/a\.jpg"):
        MarkedCopies(Path("marked"), [Path("/p/a.jpg"), Path("../p/a.jpg")])
    with pytest.raises(MienError, match="same marked copy"):
        MarkedCopies(Path("marked"), [Path("a.webp"), Path("a.webp.png")])


def test_a_copy_has_the_format_its_name_says(tmp_path):
    copies = MarkedCopies(tmp_path, [Path("a.jpg"), Path("a.png"), Path("a.webp")])
    for name, found in (("a.jpg", "JPEG"), ("a.png", "PNG"), ("a.webp", "PNG")):
        copies.write(Path(name), PICTURE, [])
        with PIL.Image.open(copies.path(Path(name))) as image:
            assert (image.format, image.size) == (found, (60, 40))


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(MienError, match=r"a\.png cannot be written: "):
        write_marked(PICTURE, [], tmp_path / "file" / "a.png")
