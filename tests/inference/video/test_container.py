from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
import pytest
from clips import write_clip

from mien.errors import VideoError
from mien.inference.video.clip import Clip
from mien.inference.video.encoding import VideoWriter


def decoded(path):
    return list(Clip(path).frames())


def sound_only(path):
    with av.open(str(path), "w") as file:
        track = file.add_stream("aac", rate=16_000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate, frame.pts = 16_000, 0
        file.mux(track.encode(frame))
        file.mux(track.encode())
    return path


def no_frames(path):
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        file.start_encoding()
    return path


def as_text(path):
    path.write_text("not a video")
    return path


def headless(path):
    path.write_bytes(b"\0\0\0\x18ftypisom" + os.urandom(500))
    return path


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (sound_only, "holds only sound"),
        (no_frames, "clip.mp4"),
        (as_text, "cannot be opened as a video"),
        (headless, "has no index"),
        (lambda path: path, "does not exist"),
        (lambda path: path.mkdir() or path, "is a folder"),
        (lambda path: path.touch() or path, "is empty"),
    ],
)
def test_what_is_no_video_is_one_sentence(tmp_path, make, message):
    path = make(tmp_path / "clip.mp4")
    with pytest.raises(VideoError, match=message) as caught:
        decoded(path)
    assert str(path) in str(caught.value)
    assert str(caught.value).count("\n") == 0


def test_a_file_without_its_index_says_so(tmp_path, numbered):
    path = write_clip(tmp_path / "clip.mp4", numbered)
    content = path.read_bytes()
    assert content.index(b"moov") > content.index(b"mdat")
    for length in (content.index(b"moov") - 4, 40, 24):
        path.write_bytes(content[:length])
        with pytest.raises(VideoError, match=r"clip\.mp4 has no index \(moov\): it was cut short"):
            Clip(path)
    # With an index that is damaged, the index is not what is missing.
    start = content.index(b"moov")
    path.write_bytes(content[: start + 4] + b"\xff" * 40)
    with pytest.raises(VideoError, match="holds no picture"):
        Clip(path)


def test_a_photo_is_said_to_be_one(tmp_path, portrait):
    path = tmp_path / "photo.jpg"
    path.write_bytes(portrait.read_bytes()[:1000])
    with pytest.raises(VideoError, match=r"photo\.jpg is a photo, not a video"):
        list(Clip(path).frames())


def test_an_unknown_format_is_not_called_damage(tmp_path, numbered):
    path = write_clip(tmp_path / "clip.mp4", numbered)
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zzzz"))
    with pytest.raises(VideoError, match=r"clip\.mp4 is in a format that cannot be decoded\.$"):
        Clip(path)


@pytest.mark.parametrize("name", ["P01:rest.mp4", "2024-05-01T12:30:00.mp4"])
@pytest.mark.skipif(os.name == "nt", reason="Windows allows no colon in a name")
def test_a_name_may_hold_a_colon(tmp_path, numbered, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    write_clip(tmp_path / "clip.mp4", numbered[:5]).rename(name)
    assert len(decoded(Path(name))) == 5
    with VideoWriter(Path("S01:marked.mp4"), (64, 48), 25) as writer:
        writer.write(numbered[0], 0.0)
    assert len(decoded(Path("S01:marked.mp4"))) == 1


def test_a_name_that_is_too_long_is_one_sentence(tmp_path):
    with pytest.raises(VideoError, match=r"x\.mp4 cannot be read: File name too long\.$"):
        Clip(tmp_path / f"{'x' * 300}.mp4")


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="Windows has other rights")
def test_what_may_not_be_read_is_one_sentence(tmp_path, numbered):
    secret = write_clip(tmp_path / "secret.mp4", numbered[:2])
    folder = tmp_path / "closed"
    folder.mkdir()
    inside = write_clip(folder / "inside.mp4", numbered[:2])
    secret.chmod(0)
    folder.chmod(0)
    with unprivileged(tmp_path):
        for path in (secret, inside):
            with pytest.raises(VideoError, match=f"{path.name} cannot be .*: Permission denied"):
                Clip(path)
    folder.chmod(0o700)


@contextmanager
def unprivileged(folder):
    """Root may read everything; be somebody else who may reach the folder itself."""
    if os.geteuid() != 0:
        yield
        return
    closed = [path for path in (folder, *folder.parents) if path.stat().st_mode & 0o001 == 0]
    modes = [path.stat().st_mode for path in closed]
    for path in closed:
        path.chmod(0o711)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
        for path, mode in zip(closed, modes, strict=True):
            path.chmod(mode)
