"""Frames that are too large are not decoded, not even while a video is looked at."""

from __future__ import annotations

import av
import numpy as np
import pytest

from apps.api.running import Running
from mien.errors import VideoError
from mien.inference.video.clip import Clip
from mien.inference.video.container import open_video, picture_stream

SIDE = 400


def write(path, codec="png", pixels="rgba", side=SIDE):
    """Write two frames in a format whose header does not say what its frames are."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = side, side, pixels
        picture = np.random.default_rng(0).integers(0, 255, (side, side, 3), dtype=np.uint8)
        for number in range(2):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pixels)
            frame.pts = number
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return path


def size_of(path, most_pixels):
    with open_video(path, most_pixels=most_pixels) as container:
        context = picture_stream(container).codec_context
        # Older PyAV crashes when asked for the name of a format that is not known.
        pixels = context.format and context.format.name
        return context.width, context.height, pixels


@pytest.mark.parametrize("suffix", ["avi", "mov"])
def test_a_frame_is_not_decoded_to_find_out_what_it_is(tmp_path, suffix):
    path = write(tmp_path / f"a.{suffix}")
    assert size_of(path, 0) == (SIDE, SIDE, "rgba")
    assert size_of(path, SIDE**2 + 1000) == (SIDE, SIDE, "rgba")
    width, height, pixels = size_of(path, SIDE**2 // 2)
    assert (width * height, pixels) == (0, None)


@pytest.mark.parametrize("suffix", ["avi", "mov"])
def test_a_clip_decodes_none_of_them(tmp_path, suffix):
    path = write(tmp_path / f"a.{suffix}")
    assert len(list(Clip(path, 2 * SIDE**2).frames())) == 2
    with pytest.raises(VideoError, match="has no frame to read"):
        list(Clip(path, SIDE**2 // 2).frames())


@pytest.mark.parametrize("suffix", ["avi", "mov"])
def test_the_server_refuses_them(tmp_path, suffix):
    path = write(tmp_path / f"a.{suffix}")
    with Running(video_pixels=SIDE**2 // 4, workers=1) as server:
        answer = server.upload(path)
        assert answer.status_code == 422
        assert answer.json()["detail"].startswith("A video may have 0.04 megapixels. Got more, or")
        assert list(server.service.jobs.root.iterdir()) == []
    with Running(video_pixels=SIDE**2, workers=1) as server:
        assert server.ended(server.upload(path).json()["id"])["frames"] == 2


@pytest.mark.parametrize(
    ("suffix", "codec"), [("flv", "flv"), ("mpg", "mpeg1video"), ("y4m", "wrapped_avframe")]
)
def test_formats_that_cannot_be_bounded_are_not_opened(server, tmp_path, suffix, codec):
    path = write(tmp_path / f"a.{suffix}", codec, "yuv420p", 64)
    answer = server.upload(path)
    assert answer.status_code == 422
    sentence = f"a.{suffix} cannot be opened as a video: it is none of MP4, MOV, WebM, MKV, AVI,"
    assert answer.json()["detail"].startswith(sentence)
