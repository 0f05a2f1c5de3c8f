"""What the page shows is what was asked for last, and where it belongs."""

import PIL.Image
import pytest
from playwright.sync_api import expect

from apps.web.looks import choose

SIZE = "(({width, height}) => [width, height])(document.getElementById('photo-canvas'))"

LINE = "document.getElementById('photo-canvas').getContext('2d').lineWidth"


def test_boxes_that_came_while_another_tab_was_shown_can_be_seen(opened, server, portrait):
    page = opened(server.url)
    page.set_input_files("#photo-file", portrait)
    expect(page.locator("#photo-state")).to_contain_text("1 face")
    line = page.evaluate(LINE)
    page.reload()
    page.set_input_files("#photo-file", portrait)
    choose(page, "about")
    expect(page.locator("#photo-state")).to_contain_text("1 face")
    choose(page, "photo")
    assert page.evaluate(LINE) == pytest.approx(line)


@pytest.mark.parametrize(("form", "turned"), [("JPEG", True), ("WEBP", None)])
def test_no_box_lies_beside_its_face(opened, server, portrait, tmp_path, form, turned):
    upright = PIL.Image.open(portrait).convert("RGB").crop((0, 0, 500, 600))
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / f"turned.{form.lower()}"
    upright.transpose(PIL.Image.Transpose.ROTATE_90).save(path, form, exif=exif)
    page = opened(server.url)
    page.set_input_files("#photo-file", path)
    expect(page.locator("#photo-state")).to_contain_text("1 face")
    shown = page.locator("#photo-stage").is_visible()
    # A browser that does not turn a picture as the server does shows none.
    if turned or shown:
        assert page.evaluate(SIZE) == [500, 600]
    assert shown or not turned


def test_a_marked_video_does_not_play_on_behind_the_next(opened, server, clip):
    page = opened(server.url, place="/#video")
    page.set_input_files("#video-file", clip)
    expect(page.locator("#video-marked")).to_be_visible()
    page.route("**/v1/videos", lambda route: None)  # the next one is never taken
    page.set_input_files("#video-file", clip)
    expect(page.locator("#video-results")).to_be_hidden()
    assert page.evaluate("document.getElementById('video-marked').paused")
    assert page.locator("#video-marked").get_attribute("src") is None


def test_what_was_read_before_a_stop_is_counted(opened, server):
    page = opened(server.url)
    asked = []

    def answer(route):
        asked.append(route)
        if len(asked) <= 4:  # all together, then three one by one; the next waits
            route.fulfill(status=422, json={"detail": "No picture."})

    page.route("**/v1/analyze*", answer)
    choose(page, "batch")
    broken = [{"name": f"{n}.jpg", "mimeType": "image/jpeg", "buffer": b"no"} for n in range(8)]
    page.set_input_files("#batch-file", broken)
    expect(page.locator("#batch-table tbody tr")).to_have_count(3)
    page.click("#batch-stop")
    expect(page.locator("#batch-state")).to_have_text(
        "Stopped: 0 of 8 photos read, 3 could not be read"
    )
