from pathlib import Path, PurePath, PureWindowsPath

import numpy as np
import PIL.Image
import pytest

from mien.errors import MienError
from mien.inference.folders import MARK, find_pictures
from mien.inference.marked import MarkedCopies, below_drive, write_marked
from mien.inference.own_folder import OwnFolder

PICTURE = np.full((40, 60, 3), 120, np.uint8)


def test_copies_are_laid_out_below_the_common_folder():
    originals = [Path("photos/a.jpg"), Path("photos/more/b.bmp"), Path("photos/c.PNG")]
    copies = MarkedCopies(Path("marked"), originals)
    assert [copies.path(o) for o in originals] == [
        Path("marked/a.jpg"),
        Path("marked/more/b.bmp.png"),
        Path("marked/c.PNG"),
    ]
    outside = [Path("photos/../more/x.jpg"), Path("photos/y.jpg")]
    copies = MarkedCopies(Path("marked"), outside)
    assert [copies.path(o) for o in outside] == [
        Path("marked/more/x.jpg"),
        Path("marked/photos/y.jpg"),
    ]
    alone = MarkedCopies(Path("marked"), [Path("/far/away/a.tiff")])
    assert alone.path(Path("/far/away/a.tiff")) == Path("marked/a.tiff.png")


def test_drives_of_windows_have_no_folder_in_common_and_keep_their_letters():
    found = [below_drive(PureWindowsPath(p)) for p in (r"C:\photos\a.jpg", r"\\nas\all\b.jpg")]
    assert found == [PurePath("C/photos/a.jpg"), PurePath("nas_all/b.jpg")]


def test_what_viewers_leave_is_no_other_file(tmp_path):
    (tmp_path / ".DS_Store").touch()
    (tmp_path / "Thumbs.db").touch()
    with OwnFolder(tmp_path, ".mark"):
        assert (tmp_path / ".mark").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".DS_Store", "Thumbs.db"]
    (tmp_path / "other").touch()
    with pytest.raises(MienError, match="holds other files"):
        OwnFolder(tmp_path, ".mark")


def test_only_listed_results_below_the_folder_are_deleted(tmp_path):
    folder = tmp_path / "own"
    outside, listed, other = tmp_path / "a", folder / "new" / "b", folder / "c"
    with OwnFolder(folder, ".mark") as own:
        own.add([listed])
        assert not own.filled
        listed.parent.mkdir()
        for path in (outside, listed, other):
            path.touch()
        assert own.filled
    again = OwnFolder(folder, ".mark")
    again.clear([listed])
    assert listed.exists()
    again.clear()
    assert sorted(path.name for path in folder.iterdir()) == [".mark", "c"]
    for content in ('["../a", "/", 3]', '["../a"]', "3", "torn"):
        (folder / ".mark").write_text(content, encoding="ascii")
        OwnFolder(folder, ".mark").clear()
    assert outside.exists()


@pytest.mark.parametrize("name", ["marked", "marked.xyz"])
def test_a_copy_of_an_unknown_format_is_one_sentence(tmp_path, name):
    with pytest.raises(MienError, match=f"{name} cannot be written: unknown file extension"):
        write_marked(PICTURE, [], tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_other_files_is_refused_one_of_copies_is_not(tmp_path):
    photo = tmp_path / "photos" / "a.jpg"
    photo.parent.mkdir()
    photo.write_bytes(b"original")
    with pytest.raises(MienError, match="holds other files"):
        MarkedCopies(photo.parent, [photo])
    for _ in range(2):
        MarkedCopies(tmp_path / "marked", [photo]).write(photo, PICTURE, [])
    assert photo.read_bytes() == b"original"
    assert list(find_pictures([tmp_path])) == [photo]
    assert list(find_pictures([tmp_path / "marked"])) == [tmp_path / "marked" / "a.jpg"]


def test_two_photos_never_share_a_copy():
    with pytest.raises(MienError, match="same marked copy"):
        MarkedCopies(Path("marked"), [Path("a.webp"), Path("a.webp.png")])


def test_a_copy_never_replaces_an_original(tmp_path):
    inside, above = tmp_path / "copies" / "a.jpg", tmp_path / "a.jpg"
    OwnFolder(inside.parent, MARK).begin()
    for path in (inside, above):
        path.write_bytes(b"original")
    with pytest.raises(MienError, match=f"copy of {inside} would replace it: give another folder"):
        MarkedCopies(inside.parent, [inside])
    with pytest.raises(MienError, match=f"copy of {above} would replace {inside}: give another"):
        MarkedCopies(inside.parent, [above, inside])
    (tmp_path / "marked").mkdir()
    (tmp_path / "marked" / "a.jpg").symlink_to(above)
    (tmp_path / "marked" / MARK).touch()
    with pytest.raises(MienError, match=f"copy of {above} would replace it"):
        MarkedCopies(tmp_path / "marked", [above])
    MarkedCopies(tmp_path / "new", [above, inside])


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
