"""How many pixels the server has in memory at one time."""

from __future__ import annotations

import threading

import PIL.Image
import pytest

from apps.api.running import PATIENCE, encoded, wait
from mien.apps.api.decoder import Decoder
from mien.apps.api.received import Received
from mien.errors import ImageError
from mien.inference.pictures import LONGEST_EDGE


def grey(width: int, height: int) -> Received:
    return Received("a.png", encoded(PIL.Image.new("L", (width, height), 7)))


class Holding(threading.Thread):
    """Holds a decoded picture until it is let go."""

    def __init__(self, decoder: Decoder, picture: Received) -> None:
        super().__init__(daemon=True)
        self.decoder, self.picture = decoder, picture
        self.has, self.free = threading.Event(), threading.Event()
        self.start()

    def run(self) -> None:
        with self.decoder.decoded(self.picture):
            self.has.set()
            assert self.free.wait(PATIENCE)

    def let_go(self) -> None:
        assert self.has.wait(PATIENCE)
        self.free.set()
        self.join(PATIENCE)
        assert not self.is_alive()


def test_pictures_wait_until_there_is_room_for_their_pixels():
    decoder = Decoder(pixels=1000, together=1500)
    first, second = (Holding(decoder, grey(25, 40)) for _ in range(2))
    wait(lambda: first.has.is_set() or second.has.is_set())
    has, waits = (first, second) if first.has.is_set() else (second, first)
    small = Holding(decoder, grey(1, 1))  # there is room for it, but it came later
    assert not waits.has.wait(0.2)
    assert not small.has.is_set()
    has.let_go()
    assert small.has.wait(PATIENCE)
    waits.let_go()
    small.let_go()


def test_those_for_which_there_is_room_do_not_wait():
    decoder = Decoder(pixels=1000, together=1500)
    holding = [Holding(decoder, grey(25, 20)) for _ in range(3)]
    for one in holding:
        assert one.has.wait(PATIENCE)
    with (
        pytest.raises(ImageError, match=r"more than 0\.001 megapixels"),
        decoder.decoded(grey(1, 2000)),
    ):
        pass
    for one in holding:
        one.let_go()


def test_a_picture_larger_than_the_room_is_alone():
    decoder = Decoder(pixels=1000, together=10)
    large, small = Holding(decoder, grey(25, 40)), None
    assert large.has.wait(PATIENCE)
    small = Holding(decoder, grey(1, 1))
    assert not small.has.wait(0.2)
    large.let_go()
    small.let_go()


def test_a_damaged_picture_takes_no_room_for_ever():
    decoder = Decoder(pixels=10_000, together=10_000)
    for _ in range(3):
        cut = grey(100, 100)
        cut.content = cut.content[:-30]
        with pytest.raises(ImageError, match="damaged or cut short"), decoder.decoded(cut):
            pass
    Holding(decoder, grey(100, 100)).let_go()


@pytest.mark.parametrize("path", ["/v1/analyze", "/v1/explain"])
def test_a_picture_one_pixel_wide_is_not_decoded(server, path):
    long = grey(1, LONGEST_EDGE + 1).content
    answer = server.client.post(path, files={"files": ("a.png", long)})
    assert answer.status_code == 422
    sentence = f"a.png is 1x{LONGEST_EDGE + 1}: an edge may have {LONGEST_EDGE} pixels at most."
    assert answer.json() == {"detail": sentence}
