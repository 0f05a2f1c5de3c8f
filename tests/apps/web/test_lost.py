"""Files that the browser cannot read, a server that is away for a moment, a page that is left."""

import pytest
from playwright.sync_api import expect

from apps.api.clip import write_clip
from apps.api.running import Running, wait
from apps.web.looks import choose
from apps.web.test_trouble import fail_first

LOST = "cannot be read: it is a folder, or it was moved or deleted."


@pytest.fixture
def photos(tmp_path, portrait):
    """Three photos."""
    files = [tmp_path / f"photo {number}.jpg" for number in range(3)]
    for file in files:
        file.write_bytes(portrait.read_bytes())
    return files


def drop(page, where, files):
    """Drop files from outside the browser."""
    box = page.locator(where).bounding_box()
    data = {"items": [], "files": [str(file) for file in files], "dragOperationsMask": 1}
    session = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        place = {"x": box["x"] + 20, "y": box["y"] + 20}
        session.send("Input.dispatchDragEvent", {"type": kind, "data": data, **place})


def notes(page):
    """What the table says beside each photo."""
    rows = page.locator("#batch-table tbody tr")
    cells = (rows.locator(f"td.{kind}").all_text_contents() for kind in ("name", "note"))
    return list(zip(*cells, strict=True))


def test_a_folder_among_photos_is_said_and_the_photos_are_read(opened, server, photos, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    page = opened(server.url)
    choose(page, "batch")
    drop(page, "#batch-drop", [photos[0], folder, *photos[1:]])
    expect(page.locator("#batch-state")).to_have_text("3 of 4 photos read, 1 could not be read")
    names = [photos[0].name, "folder", photos[1].name, photos[2].name]
    assert notes(page) == [(n, f"folder {LOST}" if n == "folder" else "") for n in names]


@pytest.mark.parametrize("tab", ["photo", "video"])
def test_a_folder_alone_is_said(opened, server, tmp_path, tab):
    folder = tmp_path / "folder"
    folder.mkdir()
    page = opened(server.url)
    choose(page, tab)
    drop(page, f"#{tab}-drop", [folder])
    expect(page.locator(f"#{tab}-state")).to_have_text(f"folder {LOST}")


def test_a_photo_that_is_deleted_spoils_no_other(opened, server, photos):
    page = opened(server.url)

    def gone(route):
        photos[2].unlink(missing_ok=True)
        route.abort()

    page.route("**/v1/analyze*", gone, times=1)
    choose(page, "batch")
    page.set_input_files("#batch-file", photos)
    expect(page.locator("#batch-state")).to_have_text("2 of 3 photos read, 1 could not be read")
    assert notes(page)[2] == (photos[2].name, f"{photos[2].name} {LOST}")


@pytest.mark.parametrize("status", [0, 502, 503, 504])
def test_many_photos_wait_for_a_server_that_is_away(opened, server, photos, status):
    page = opened(server.url)
    fail_first(page, "**/v1/analyze*", 2, status)
    choose(page, "batch")
    page.set_input_files("#batch-file", photos)
    expect(page.locator("#batch-state")).to_contain_text("Asking again …")
    expect(page.locator("#batch-state")).to_have_text("3 of 3 photos read")
    expect(page.locator("#batch-state")).not_to_have_class("state bad")
    assert notes(page) == [(photo.name, "") for photo in photos]


def test_photos_that_wait_for_a_server_are_stopped(opened, server, photos):
    page = opened(server.url)
    asked = fail_first(page, "**/v1/analyze*", 99, 0)
    choose(page, "batch")
    page.set_input_files("#batch-file", photos)
    expect(page.locator("#batch-state")).to_contain_text("Asking again …")
    page.click("#batch-stop")
    expect(page.locator("#batch-state")).to_have_text("Stopped: 0 of 3 photos read")
    count = len(asked)
    page.wait_for_timeout(1200)
    assert len(asked) == count


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory, portrait):
    return write_clip(tmp_path_factory.mktemp("clip") / "long.mp4", portrait, frames=1200)


def test_a_video_is_followed_again_after_a_reload_and_given_up_for_another(
    opened, portrait, clip, long_clip
):
    with Running(jobs=1, workers=1) as server:
        page = opened(server.url, place="/#video")
        page.set_input_files("#video-file", long_clip)
        expect(page.locator("#video-count")).to_contain_text("frames,")
        page.reload()
        expect(page.locator("#video-count")).to_contain_text("frames,")
        expect(page.locator("#video-progress")).to_be_visible()
        assert server.service.jobs.unfinished == 1
        page.click("#video-stop")
        expect(page.locator("#video-state")).to_have_text("Cancelled; the video was deleted.")
        wait(lambda: not server.service.jobs.unfinished)
        page.reload()
        expect(page.locator("#video-state")).to_be_empty()
        page.set_input_files("#video-file", long_clip)
        expect(page.locator("#video-count")).to_contain_text("frames,")
        page.reload()
        page.set_input_files("#video-file", clip)  # there is room for one alone
        expect(page.locator("#video-state")).to_contain_text("20 frames read, 20 faces")


def test_results_are_there_after_a_reload_and_a_forgotten_video_is_not_missed(opened, server, clip):
    page = opened(server.url, place="/#video")
    page.set_input_files("#video-file", clip)
    expect(page.locator("#video-results")).to_be_visible()
    page.reload()
    expect(page.locator("#video-results")).to_be_visible()
    expect(page.locator("#video-state")).to_contain_text("20 frames read, 20 faces")
    server.client.delete(f"/v1/videos/{page.evaluate(KEPT)}").raise_for_status()
    page.reload()
    expect(page.locator("#video-progress")).to_be_hidden()
    expect(page.locator("#video-state")).to_be_empty()
    assert page.evaluate(KEPT) == ""


KEPT = "sessionStorage.getItem('mien-video-/')"


def test_names_in_other_letters_are_kept(opened, server, clip):
    other = clip.with_name("видео моё.mp4")
    other.write_bytes(clip.read_bytes())
    page = opened(server.url, place="/#video")
    page.set_input_files("#video-file", other)
    expect(page.locator("#video-results")).to_be_visible()
    with page.expect_download() as download:
        page.click("[data-format=csv]")
    assert download.value.suggested_filename == "видео моё.csv"
