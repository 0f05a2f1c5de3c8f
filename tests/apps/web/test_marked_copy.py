"""The marked copy on the page, and what the page says of where pictures go."""

import PIL.Image
import pytest
from playwright.sync_api import expect

from apps.api.running import wait
from mien.inference.pictures import read_picture


def test_the_marked_copy_keeps_its_kind(opened, server, clip):
    page = opened(server.url, place="/#video")
    page.set_input_files("#video-file", clip)
    expect(page.locator("#video-marked")).to_be_visible()
    expect(page.locator("#video-unplayable")).to_be_hidden()
    kinds = page.evaluate("""async () => {
      const { remembered, videoResult } = await import("./static/api.js");
      const fetched = (form) => videoResult(remembered("video"), form);
      const files = await Promise.all(["video", "csv", "timeline"].map(fetched));
      return files.map((file) => [file.name, file.type]);
    }""")
    assert kinds == [
        ["clip-marked.mp4", "video/mp4"],
        ["clip.csv", "text/csv"],
        ["clip-timeline.html", "text/html"],
    ]


def test_a_marked_copy_that_the_browser_cannot_play_can_still_be_saved(opened, server, clip):
    page = opened(server.url, place="/#video")
    bad = {"Content-Type": "video/mp4", "Content-Disposition": 'attachment; filename="a.mp4"'}
    page.route("**/result?format=video", lambda r: r.fulfill(status=200, body="x", headers=bad))
    page.set_input_files("#video-file", clip)
    expect(page.locator("#video-unplayable")).to_be_visible()
    expect(page.locator("#video-marked")).to_be_hidden()
    expect(page.locator("[data-format=video]")).to_be_visible()
    page.unroute("**/result?format=video")
    page.set_input_files("#video-file", clip)
    expect(page.locator("#video-marked")).to_be_visible()
    expect(page.locator("#video-unplayable")).to_be_hidden()


def test_a_video_of_odd_size_is_played(opened, server, portrait, tmp_path):
    picture = PIL.Image.fromarray(read_picture(portrait)).resize((241, 283))
    frames = [picture.rotate(turn) for turn in range(5)]
    frames[0].save(tmp_path / "odd.gif", save_all=True, append_images=frames[1:], duration=40)
    page = opened(server.url, place="/#video")
    page.set_input_files("#video-file", tmp_path / "odd.gif")
    expect(page.locator("#video-state")).to_contain_text("5 frames read")
    wait(lambda: page.evaluate("document.querySelector('#video-marked').videoWidth === 242"))
    assert page.evaluate("document.querySelector('#video-marked').videoHeight === 284")


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_the_page_does_not_say_that_pictures_stay_where_it_is_seen(opened, server, name):
    page = opened(f"http://{name}:{server.port}")  # a tunnel ends at localhost, too
    said = "Pictures go to this page’s server and nowhere else."
    expect(page.locator(".private")).to_have_text(said)
