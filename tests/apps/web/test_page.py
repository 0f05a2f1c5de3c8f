"""The page in a real browser, with a fake camera."""

import csv
import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from apps.api.clip import write_clip
from apps.api.running import Running, wait
from apps.web.looks import LOOKS, choose
from inference.tiny_models import write_model
from mien.apps.api import video_results
from mien.errors import VideoError
from mien.inference.zoo import model_path, read_card

TABS = ["photo", "batch", "video", "live", "about"]


@pytest.fixture(params=list(LOOKS))
def look(request):
    return request.param


@pytest.fixture
def page(opened, server, look):
    return opened(server.url, look)


@pytest.fixture
def keep(page, shots, look):
    """A function that checks what every view must keep to, and keeps a screenshot."""

    def checked(name):
        page.screenshot(path=shots / f"{look}-{name}.png", full_page=True)
        for check, good in (("nameless", []), ("pale", []), ("wide", 0)):
            assert page.evaluate(f"{CHECKS}.{check}()") == good

    return checked


CHECKS = Path(__file__).with_name("checks.js").read_text(encoding="utf-8").strip()


def saved(page, button, folder):
    """Press a button that saves a file; returns the file."""
    with page.expect_download() as download:
        page.click(button)
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_a_photo_is_read_and_explained(page, server, portrait, keep):
    keep("start")
    page.set_input_files("#photo-file", portrait)
    expect(page.locator("#photo-state")).to_have_text("1 face in grace_hopper.jpg")
    (result,) = server.analyze(portrait.read_bytes()).json()["results"]
    (face,) = result["faces"]
    card = page.locator("#photo-faces .face")
    expect(card).to_have_count(1)
    expect(card.locator("h2")).to_have_text(face["expression"])
    percent = f"{round(100 * face['confidence'])} %"
    expect(card.locator(".face-head p")).to_have_text(f"Face 1: {percent}, read by mien-base")
    canvas = page.locator("#photo-canvas")
    expect(canvas).to_have_attribute(
        "aria-label", f"grace_hopper.jpg. face 1: {face['expression']}."
    )
    card.locator("summary").click()
    expect(card.locator(".track")).to_have_count(8)
    card.get_by_role("button", name="Explain this face").click()
    expect(card.locator(".explained")).to_be_focused()
    overlay = card.locator(".explained img")
    expect(overlay).to_be_visible()
    assert face["expression"] in overlay.get_attribute("alt")
    assert overlay.evaluate("image => image.decode().then(() => image.naturalWidth)") == 240
    expect(card.locator(".explained .bars .track")).to_have_count(8)
    keep("photo")


def test_what_is_no_photo_is_said(page, tmp_path, keep):
    (tmp_path / "notes.txt").write_text("no picture")
    page.set_input_files("#photo-file", tmp_path / "notes.txt")
    expect(page.locator("#photo-state")).to_contain_text("notes.txt is not a picture mien reads")
    keep("no-photo")


def test_a_photo_is_taken_with_the_camera(page, keep):
    page.click("#photo-camera")
    wait(lambda: page.evaluate("document.querySelector('#photo-video').videoWidth > 0"))
    keep("booth")
    page.click("#photo-shoot")
    expect(page.locator("#photo-faces .face")).to_have_count(1)
    expect(page.locator("#photo-booth")).to_be_hidden()
    assert page.evaluate("document.querySelector('#photo-video').srcObject") is None


GIVE = """([content, kind, where]) => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(content)], `${kind}.jpg`, {type: "image/jpeg"}));
  const event = kind === "drop" ? new DragEvent("drop", {dataTransfer: data, bubbles: true})
    : new ClipboardEvent("paste", {clipboardData: data, bubbles: true});
  document.querySelector(where).dispatchEvent(event);
}"""
"""Drops a file on the page, or pastes it."""


@pytest.mark.parametrize(("kind", "where"), [("drop", "#photo-drop"), ("paste", "body")])
def test_a_photo_is_dropped_or_pasted(opened, server, portrait, kind, where):
    page = opened(server.url)
    page.evaluate(GIVE, [list(portrait.read_bytes()), kind, where])
    expect(page.locator("#photo-state")).to_have_text(f"1 face in {kind}.jpg")


REACH = "where => [...document.querySelectorAll(where)].at(-1).getBoundingClientRect().right"
"""How far right the last such element reaches, in pixels."""


def test_many_photos_become_a_table_and_a_csv(page, server, portrait, tmp_path, keep):
    files = []
    for number in range(10):
        files.append(tmp_path / f"photo {number}.jpg")
        files[-1].write_bytes(portrait.read_bytes())
    files.append(tmp_path / "=notes.txt")
    files[-1].write_text("no picture")
    choose(page, "batch")
    page.set_input_files("#batch-file", files)
    expect(page.locator("#batch-state")).to_have_text("10 of 11 photos read, 1 could not be read")
    expect(page.locator("#batch-table tbody tr")).to_have_count(11)
    keep("batch")
    error = page.locator("#batch-table tbody td.note").last
    expect(error).to_contain_text("is not a picture")
    assert page.evaluate(REACH, "#batch-table td.note") <= page.viewport_size["width"]
    expect(page.locator("#batch-table caption")).to_contain_text("read by mien-base; faces count")
    expect(page.locator("#batch-table caption")).to_contain_text("from 0 in the CSV")
    with saved(page, "#batch-save", tmp_path).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    (wanted,) = server.analyze(portrait.read_bytes()).json()["results"][0]["faces"]
    for number, row in enumerate(rows[:10]):
        assert row["source"] == f"photo {number}.jpg"
        assert (row["status"], row["expression"]) == ("ok", wanted["expression"])
        assert (int(row["face"]), row["model"]) == (0, "mien-base")
        for name, value in (wanted["probabilities"] | wanted["box"]).items():
            assert float(row[name]) == pytest.approx(value, abs=1e-5)
    assert rows[10]["status"] == "error"
    assert rows[10]["source"] == "'=notes.txt"  # a spreadsheet must not take it for a formula
    assert "is not a picture" in rows[10]["message"]


def test_a_video_is_read_and_its_results_saved(page, clip, tmp_path, keep):
    choose(page, "video")
    page.set_input_files("#video-file", clip)
    expect(page.locator("#video-progress")).to_be_visible()
    expect(page.locator("#video-results")).to_be_visible()
    expect(page.locator("#video-state")).to_contain_text("20 frames read, 20 faces")
    wait(lambda: page.evaluate("document.querySelector('#video-marked').videoWidth === 240"))
    timeline = page.frame_locator("#video-timeline")
    expect(timeline.locator("h1")).to_have_text("Expressions in clip.mp4")
    page.locator("#video-timeline").scroll_into_view_if_needed()
    keep("video")
    table = saved(page, "[data-format=csv]", tmp_path)
    assert len(table.read_text().splitlines()) == 21
    lines = saved(page, "[data-format=jsonl]", tmp_path).read_text().splitlines()
    assert json.loads(lines[0])["source"] == "clip.mp4"
    assert saved(page, "[data-format=video]", tmp_path).read_bytes()[4:8] == b"ftyp"
    page_ = saved(page, "[data-format=timeline]", tmp_path)
    assert "<!doctype html>" in page_.read_text()
    assert (table.name, page_.name) == ("clip.csv", "clip-timeline.html")


def test_a_video_is_cancelled(opened, server, portrait, tmp_path, shots):
    page = opened(server.url)
    choose(page, "video")
    page.set_input_files("#video-file", write_clip(tmp_path / "long.mp4", portrait, frames=600))
    expect(page.locator("#video-count")).to_contain_text("frames,")
    expect(page.locator("#video-state")).to_have_text("Reading …")
    wait(lambda: page.evaluate("document.querySelector('#video-progress progress').value > 0.01"))
    page.screenshot(path=shots / "wide-video-progress.png")
    page.click("#video-stop")
    expect(page.locator("#video-state")).to_have_text("Cancelled; the video was deleted.")
    expect(page.locator("#video-progress")).to_be_hidden()


def test_what_is_no_video_is_said(opened, server, tmp_path):
    (tmp_path / "notes.txt").write_text("no video")
    page = opened(server.url)
    choose(page, "video")
    page.set_input_files("#video-file", tmp_path / "notes.txt")
    expect(page.locator("#video-state")).to_contain_text("notes.txt cannot be opened as a video")


def test_the_camera_is_read_live(page, keep):
    choose(page, "live")
    page.click("#live-start")
    expect(page.locator("#live-faces .face")).to_have_count(1)
    wait(lambda: page.evaluate("document.querySelector('#live-rate').dataset.rate > 0"))
    keep("live")
    page.click("#live-stop")
    expect(page.locator("#live-start")).to_be_focused()
    expect(page.locator("#live-state")).to_have_text("The camera is off.")
    assert page.evaluate("document.querySelector('#live-video').srcObject") is None


def test_another_tab_turns_the_camera_off(opened, server):
    page = opened(server.url)
    choose(page, "live")
    page.click("#live-start")
    expect(page.locator("#live-stop")).to_be_visible()
    choose(page, "photo")
    assert page.evaluate("document.querySelector('#live-video').srcObject") is None


ASKED = """() => {
const give = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
window.given = [];
navigator.mediaDevices.getUserMedia = async (wanted) => {
  window.asked = (window.asked ?? 0) + 1;
  await new Promise((go) => { window.allow = go; });
  const stream = await give(wanted);
  window.given.push(stream);
  return stream;
};
}"""
"""Gives the camera when `allow()` says so, as a user does who answers the browser's question."""

ON = "given.filter(s => s.getTracks().some(t => t.readyState === 'live')).length"


def comes(page, what):
    """Wait for a JavaScript expression to be true."""
    wait(lambda: page.evaluate(what))


@pytest.mark.parametrize(("tab", "button"), [("photo", "#photo-camera"), ("live", "#live-start")])
def test_a_camera_that_nobody_waits_for_any_more_is_off(opened, server, tab, button):
    page = opened(server.url)
    page.evaluate(ASKED)
    choose(page, tab)
    page.click(button)
    choose(page, "about")
    page.evaluate("allow()")
    comes(page, "given.length === 1")
    comes(page, f"{ON} === 0")
    choose(page, tab)
    page.click(button)
    comes(page, "asked === 2")
    page.evaluate("allow()")
    comes(page, f"{ON} === 1")


def test_a_camera_that_is_asked_for_twice_is_on_once(opened, server):
    page = opened(server.url)
    page.evaluate(ASKED)
    for turn in (1, 2):
        page.click("#photo-camera")
        comes(page, f"asked === {turn}")
        page.evaluate("allow()")
        comes(page, f"given.length === {turn}")
        comes(page, "document.querySelector('#photo-video').videoWidth > 0")
        assert page.evaluate(ON) == 1
    page.click("#photo-stop")
    assert page.evaluate(ON) == 0


def test_live_reading_that_goes_on_says_so(opened, server):
    page = opened(server.url)
    choose(page, "live")
    page.route("**/v1/analyze*", lambda route: route.fulfill(status=503, json={"detail": "Busy."}))
    page.click("#live-start")
    expect(page.locator("#live-state")).to_have_text("Busy.")
    page.unroute("**/v1/analyze*")
    expect(page.locator("#live-state")).to_have_text("The camera is on.")
    expect(page.locator("#live-state")).not_to_have_class("state bad")


def test_many_photos_on_a_server_that_takes_few(opened, portrait, tmp_path):
    files = [tmp_path / f"photo {number}.jpg" for number in range(6)]
    for file in files:
        file.write_bytes(portrait.read_bytes())
    with Running(waiting=4) as server:
        page = opened(server.url)
        choose(page, "batch")
        page.set_input_files("#batch-file", files)
        expect(page.locator("#batch-state")).to_have_text("6 of 6 photos read")
        names = page.locator("#batch-table tbody td.name").all_text_contents()
        assert names == [file.name for file in files]
        assert page.locator("#batch-table td.note").all_text_contents() == [""] * 6


def test_a_video_without_a_marked_copy(opened, server, clip, monkeypatch):
    def fails(clip, records, labels, path):
        raise VideoError(f"{path} cannot be written.")

    monkeypatch.setattr(video_results, "write_annotated", fails)
    page = opened(server.url)
    choose(page, "video")
    page.set_input_files("#video-file", clip)
    expect(page.locator("#video-state")).to_contain_text("20 faces. There is no marked copy")
    expect(page.locator("#video-timeline")).to_be_visible()
    expect(page.locator("#video-marked")).to_be_hidden()
    expect(page.locator("[data-format=video]")).to_be_hidden()
    expect(page.locator("[data-format=csv]")).to_be_visible()


def test_what_the_numbers_mean(page, keep):
    choose(page, "about")
    expect(page.locator("#about")).to_contain_text("how people would label the face")
    expect(page.locator("#about-model h2")).to_have_text("mien-base")
    doubt = page.locator("#about-doubt")
    for model in ("mien-base", "mien-tiny"):
        page.select_option("#model", model)
        least = read_card(model_path(model)).doubt.confidence
        expect(doubt).to_contain_text(f"{model} answers “uncertain” where its first choice has")
        expect(doubt).to_contain_text(f"less than {least:.0%}".replace("%", " %"))
        expect(doubt).to_contain_text("several people would not agree")
        expect(page.locator("#about")).to_contain_text("ten of them for the models that come")
    page.select_option("#model", "mien-base")
    keep("about")


def test_what_is_true_of_raters_is_said_of_models_that_learnt_from_them(opened, tmp_path):
    with Running(model=str(write_model(tmp_path / "own.onnx")), workers=1) as server:
        page = opened(server.url, place="/#about")
        expect(page.locator("#about-doubt")).to_have_text(
            "tiny answers “uncertain” where its first choice has less than 50 %."
        )
        expect(page.locator("#about-raters")).to_be_hidden()
        expect(page.locator("#about-labels")).to_be_visible()
        page.select_option("#model", "mien-base")
        expect(page.locator("#about-raters")).to_be_visible()
        expect(page.locator("#about-labels")).to_be_hidden()


def test_the_docs_name_every_route(page, server, keep):
    page.goto(f"{server.url}/docs")
    routes = [
        f"{way.upper()} {path}"
        for path, ways in server.client.get("/openapi.json").json()["paths"].items()
        for way in ways
    ]
    expect(page.locator("article h2")).to_have_text(routes)
    keep("docs")
    first, result = (
        page.locator("article", has=page.get_by_role("heading", name=way, exact=True))
        for way in ("POST /v1/analyze", "GET /v1/videos/{id}/result")
    )
    for field in ("results[].faces[].answer", "results[].faces[].box.width"):
        expect(first.locator("code", has_text=field)).to_be_visible()
    for format_ in ("csv", "jsonl", "video", "timeline"):
        expect(result.locator("td code", has_text=format_).first).to_be_visible()
    expect(page.locator("pre").first).not_to_contain_text("X-API-Key")


def test_the_docs_send_the_key_where_there_is_one(browser):
    with Running(api_key="geheim", workers=1) as server:
        page = browser.new_page()
        page.goto(f"{server.url}/docs")
        lines = page.locator("pre")
        expect(lines.first).to_contain_text("curl -H 'X-API-Key: …' -F files=@photo.jpg")
        expect(lines.last).to_have_text(f"curl {server.url}/metrics")
        page.close()


def test_everything_is_reached_by_keyboard(opened, server):
    page = opened(server.url)
    page.on("filechooser", lambda chooser: None)  # the browser is told early to show none itself
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.focus("#tab-photo")
    for key, tab in (
        *(("ArrowRight", tab) for tab in [*TABS[1:], TABS[0]]),
        ("ArrowLeft", "about"),
        ("Home", "photo"),
        ("End", "about"),
        ("Home", "photo"),
    ):
        page.keyboard.press(key)
        expect(page.locator(f"#tab-{tab}")).to_be_focused()
        expect(page.locator(f"#tab-{tab}")).to_have_attribute("aria-selected", "true")
        assert [t for t in TABS if page.locator(f"#{t}").is_visible()] == [tab]
    page.keyboard.press("Tab")
    expect(page.locator("#photo-file")).to_be_focused()
    ring = "getComputedStyle(document.activeElement.parentElement).outlineStyle"
    assert page.evaluate(ring) == "solid"
    with page.expect_file_chooser():
        page.keyboard.press("Space")
    page.keyboard.press("Tab")
    expect(page.locator("#photo-camera")).to_be_focused()


def test_the_docs_open_beside_the_page(opened, server):
    page = opened(server.url, place="/#about")
    with page.expect_popup() as docs:
        page.get_by_role("link", name="The API, for programs").click()
    assert docs.value.url == f"{server.url}/docs"
    assert page.url.endswith("/#about")


def test_a_link_opens_its_tab(opened, server):
    page = opened(server.url, place="/#live")
    expect(page.locator("#live")).to_be_visible()


def test_the_model_that_is_chosen_is_asked(opened, server, portrait):
    page = opened(server.url)
    with page.expect_request("**/v1/analyze*") as asked:
        page.set_input_files("#photo-file", portrait)
    assert "model=mien-base" in asked.value.url


def test_the_browser_itself_asks_no_other_host(browser, server):
    page = browser.new_page()
    page.goto(server.url)
    with Running(origins=("*",)) as other:
        for way in (f"fetch('{other.url}/v1/models')", f"import('{other.url}/static/api.js')"):
            assert page.evaluate(f"{way}.then(() => 'came', () => 'stopped')") == "stopped"
    page.close()


def test_a_key_is_asked_for(opened, portrait, browser, shots):
    with Running(api_key="geheim") as server:
        page = browser.new_page()
        page.goto(server.url)
        expect(page.locator("#key-form")).to_be_visible()
        page.fill("#key", "wrong")
        page.keyboard.press("Enter")
        expect(page.locator("#key-label")).to_have_text("That is not the key of this server.")
        page.screenshot(path=shots / "wide-key.png")
        page.fill("#key", "geheim")
        page.keyboard.press("Enter")
        expect(page.locator("#key-form")).to_be_hidden()
        expect(page.locator("#model")).to_be_focused()
        page.set_input_files("#photo-file", portrait)
        expect(page.locator("#photo-state")).to_have_text("1 face in grace_hopper.jpg")
        page.close()


def test_a_server_that_is_gone_is_said(browser, portrait):
    with Running() as server:
        page = browser.new_page()
        page.goto(server.url)
        wait(lambda: page.evaluate("document.querySelector('#model').options.length > 0"))
    page.set_input_files("#photo-file", portrait)
    expect(page.locator("#photo-state")).to_contain_text("The server does not answer")
    page.close()
