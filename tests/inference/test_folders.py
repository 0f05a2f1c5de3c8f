from __future__ import annotations

import os
import subprocess
import sys

import pytest

from mien.inference.folders import find_pictures, find_videos


@pytest.fixture
def tree(tmp_path):
    for name in ("b.JPG", "a.png", "notes.txt", "sub/c.webp", "sub/deep/d.TIFF", ".hidden/e.png"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "._a.png").touch()
    return tmp_path


def names(root, found):
    return [path.relative_to(root).as_posix() for path in found]


def test_a_folder_is_walked_in_the_order_of_names(tree):
    found = find_pictures([tree])
    assert names(tree, found) == ["a.png", "b.JPG", "sub/c.webp", "sub/deep/d.TIFF"]


def test_the_videos_of_a_folder_are_found_by_content_or_suffix(tree):
    (tree / "sub" / "film.MOV").touch()
    (tree / "clip.jpg").write_bytes(b"\0\0\0\x20ftypisom")
    for name in ("a.wav", "b.m4a", ".hidden/c.mp4"):
        (tree / name).touch()
    passed_over = []
    found = find_videos([tree / "x.mp4", tree], passed_over=passed_over.append)
    assert names(tree, found) == ["x.mp4", "clip.jpg", "sub/film.MOV"]
    expected = ["a.png", "a.wav", "b.JPG", "b.m4a", "notes.txt", "sub/c.webp", "sub/deep/d.TIFF"]
    assert names(tree, passed_over) == expected


def test_files_are_given_as_they_are_even_missing_ones(tree):
    inputs = [tree / "notes.txt", tree / "missing.jpg", str(tree / "a.png")]
    assert names(tree, find_pictures(inputs)) == ["notes.txt", "missing.jpg", "a.png"]


def test_a_path_is_given_once(tree):
    found = names(tree, find_pictures([tree / "b.JPG", tree, tree / "sub"]))
    assert found == ["b.JPG", "a.png", "sub/c.webp", "sub/deep/d.TIFF"]


def test_links_that_go_round_end(tree):
    (tree / "sub" / "up").symlink_to(tree, target_is_directory=True)
    (tree / "self").symlink_to("self")
    found = names(tree, find_pictures([tree]))
    assert found == ["a.png", "b.JPG", "sub/c.webp", "sub/deep/d.TIFF"]


def test_a_linked_folder_is_walked(tree, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    (other / "z.bmp").touch()
    (tree / "link").symlink_to(other, target_is_directory=True)
    assert "link/z.bmp" in names(tree, find_pictures([tree]))


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="needs another user")
def test_a_folder_one_may_not_read_is_reported_and_passed_over(tree):
    code = (
        "import os, pathlib, tempfile\n"
        "from mien.inference.folders import find_pictures\n"
        "root = pathlib.Path(tempfile.mkdtemp()); root.chmod(0o755)\n"
        "for name in ('closed', 'open'):\n"
        "    (root / name).mkdir(); (root / name / 'a.png').touch()\n"
        "(root / 'closed').chmod(0)\n"
        "os.setuid(65534)\n"
        "errors = []\n"
        "print([str(p.relative_to(root)) for p in find_pictures([root], errors.append)])\n"
        "print(*errors)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found, errors = done.stdout.splitlines()
    assert found == "['open/a.png']"
    assert errors.endswith("closed cannot be read: Permission denied.")


def test_pictures_that_mien_made_are_no_photos(tree):
    for name in (".mien-marked", ".mien-report"):
        folder = tree / f"own{name}"
        folder.mkdir()
        (folder / name).touch()
        (folder / "person-1.png").touch()
    assert not [path for path in find_pictures([tree]) if "own" in str(path)]
    # Who names such a folder wants its pictures.
    assert [p.name for p in find_pictures([tree / "own.mien-report"])] == ["person-1.png"]
