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
    assert MarkedCopies(Path("marked")).path(Path(original)) == Path(copy)


def test_a_copy_has_the_format_its_name_says(tmp_path):
    copies = MarkedCopies(tmp_path)
    for name, found in (("a.jpg", "JPEG"), ("a.png", "PNG"), ("a.webp", "PNG")):
        copies.write(Path(name), PICTURE, [])
        with PIL.Image.open(copies.path(Path(name))) as image:
            assert (image.format, image.size) == (found, (60, 40))


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(MienError, match=r"a\.png cannot be written: "):
        write_marked(PICTURE, [], tmp_path / "file" / "a.png")
