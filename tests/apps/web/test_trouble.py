"""The page where the server, the camera or the browser does not do what it should."""

import pytest
from playwright.sync_api import expect

from apps.api.running import Running, wait
from apps.web.looks import choose

LOST = "The camera gives no pictures any more. Is it still plugged in?"

UNPLUG = """where => {
  const [track] = document.querySelector(where).srcObject.getTracks();
  track.stop();
  track.dispatchEvent(new Event("ended"));
}"""
"""Ends a camera's track as where it is unplugged."""


def fail_first(page, pattern, times, status):
    """Let the first answers be errors; the list that comes back holds what was asked for."""
    asked = []

    def answer(route):
        asked.append(route.request.url)
        if len(asked) > times:
            route.fallback()
        elif status:
            route.fulfill(status=status, json={"detail": "Busy."})
        else:
            route.abort()

    page.route(pattern, answer)
    return asked


@pytest.mark.parametrize("status", [0, 429, 503])
def test_a_video_is_followed_though_asking_fails_for_a_moment(opened, server, clip, status):
    page = opened(server.url)
    fail_first(page, "**/v1/videos/*", 1, status)
    choose(page, "video")
    page.set_input_files("#video-file", clip)
    expect(page.locator("#video-state")).to_contain_text("Asking again …")
    expect(page.locator("#video-results")).to_be_visible()
    expect(page.locator("#video-state")).not_to_have_class("state bad")


def test_a_video_that_is_unknown_is_not_asked_for_again(opened, server, clip):
    page = opened(server.url)
    asked = fail_first(page, "**/v1/videos/*", 9, 404)
    choose(page, "video")
    page.set_input_files("#video-file", clip)
    expect(page.locator("#video-state")).to_have_text("Busy.")
    expect(page.locator("#video-progress")).to_be_hidden()
    assert len(asked) == 1


CHANGES = """() => {
  window.said = [];
  const state = document.getElementById("video-state");
  new MutationObserver(() => said.push(state.textContent)).observe(state, {childList: true});
}"""


def test_progress_is_not_read_aloud_again_and_again(opened, server, clip):
    page = opened(server.url)
    page.evaluate(CHANGES)
    choose(page, "video")
    page.set_input_files("#video-file", clip)
    expect(page.locator("#video-results")).to_be_visible()
    said = page.evaluate("said")
    assert len(said) == len(set(said)) <= 4
    assert not [one for one in said if "%" in one]


def test_a_browser_that_cannot_count_parameters(opened, server, portrait):
    page = opened(server.url)
    page.evaluate("delete URLSearchParams.prototype.size")
    with page.expect_request("**/v1/analyze*") as asked:
        page.set_input_files("#photo-file", portrait)
    assert "model=mien-base" in asked.value.url


def test_a_browser_that_keeps_nothing(browser, server):
    page = browser.new_page()
    page.add_init_script(
        "Object.defineProperty(window, 'sessionStorage', {get() { throw new Error('blocked'); }})"
    )
    page.goto(server.url)
    expect(page.locator("#model")).to_be_enabled()
    page.close()


def test_the_model_that_read_a_face_explains_it(opened, server, portrait):
    page = opened(server.url)
    page.set_input_files("#photo-file", portrait)
    explain = page.get_by_role("button", name="Explain this face")
    expect(explain).to_be_visible()
    page.select_option("#model", "mien-tiny")
    with page.expect_request("**/v1/explain*") as asked:
        explain.click()
    assert "model=mien-base" in asked.value.url


def test_a_table_is_read_by_one_model(opened, server, portrait, tmp_path):
    files = [tmp_path / f"photo {number}.jpg" for number in range(10)]
    for file in files:
        file.write_bytes(portrait.read_bytes())
    page = opened(server.url)
    asked = []

    def answer(route):
        asked.append(route.request.url)
        page.select_option("#model", "mien-tiny")
        route.fallback()

    page.route("**/v1/analyze*", answer)
    choose(page, "batch")
    page.set_input_files("#batch-file", files)
    expect(page.locator("#batch-state")).to_have_text("10 of 10 photos read")
    assert [url.partition("?")[2] for url in asked] == ["model=mien-base"] * 2


def test_why_a_face_is_not_explained_is_a_status(opened, server, portrait):
    page = opened(server.url)
    fail_first(page, "**/v1/explain*", 1, 503)
    page.set_input_files("#photo-file", portrait)
    card = page.locator("#photo-faces .face")
    explain = card.get_by_role("button", name="Explain this face")
    explain.click()
    expect(card.get_by_role("status")).to_have_text("Busy.")
    expect(explain).to_be_focused()
    explain.click()
    expect(card.locator(".explained")).to_be_focused()
    expect(card.get_by_role("status")).to_have_count(0)


def test_a_live_camera_that_is_unplugged_is_said(opened, server):
    page = opened(server.url)
    choose(page, "live")
    page.click("#live-start")
    expect(page.locator("#live-state")).to_have_text("The camera is on.")
    page.evaluate(UNPLUG, "#live-video")
    expect(page.locator("#live-state")).to_have_text(LOST)
    expect(page.locator("#live-start")).to_be_focused()


def test_nothing_is_taken_before_the_camera_gives_a_picture(opened, server):
    page = opened(server.url)
    page.evaluate(
        """() => {
          const give = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
          const allowed = new Promise((go) => { window.allow = go; });
          navigator.mediaDevices.getUserMedia = async (wanted) => (await allowed, give(wanted));
        }"""
    )
    page.click("#photo-camera")
    expect(page.locator("#photo-shoot")).to_be_disabled()
    page.evaluate("allow()")
    expect(page.locator("#photo-shoot")).to_be_focused()
    page.evaluate(UNPLUG, "#photo-video")
    expect(page.locator("#photo-state")).to_have_text(LOST)
    expect(page.locator("#photo-booth")).to_be_hidden()


def test_models_that_cannot_be_listed_are_said_and_asked_for_again(browser, server):
    page = browser.new_page()
    fail_first(page, "**/v1/models", 1, 503)
    page.goto(server.url)
    expect(page.locator("#trouble")).to_contain_text("The models cannot be listed. Busy.")
    page.click("#again")
    expect(page.locator("#model")).to_be_focused()
    expect(page.locator("#trouble")).to_be_hidden()
    page.close()


EDGES = """() => {
  const parts = (text) => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
  const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const light = (text) => parts(text).map((v) => linear(v / 255))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = light(getComputedStyle(document.body).backgroundColor);
  return Object.fromEntries(["#model", "#key", "#photo-camera"].map((where) => {
    const pair = [light(getComputedStyle(document.querySelector(where)).borderColor), behind];
    return [where, (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05)];
  }));
}"""
"""How much the edges of what can be used stand out from what is behind them."""


@pytest.mark.parametrize("look", ["wide", "phone"])
def test_edges_stand_out(opened, server, look):
    page = opened(server.url, look)
    found = page.evaluate(EDGES)
    assert min(found.values()) >= 3, found


def test_a_key_that_cannot_be_sent_is_asked_for_again(browser):
    with Running(api_key="geheim--2024", workers=1) as server:
        page = browser.new_page()
        page.goto(server.url)
        page.fill("#key", "geheim–2024")  # as a word processor would write it
        page.keyboard.press("Enter")
        expect(page.locator("#key-label")).to_have_text("That is not the key of this server.")
        expect(page.locator("#trouble")).to_be_hidden()
        page.reload()
        expect(page.locator("#key-form")).to_be_visible()
        page.fill("#key", "geheim--2024")
        page.keyboard.press("Enter")
        expect(page.locator("#key-form")).to_be_hidden()
        expect(page.locator("#model")).to_be_focused()
        page.close()


DROP = """(where) => {
  const carried = new DataTransfer();
  carried.items.add(new File(["x"], "a.jpg", {type: "image/jpeg"}));
  return ["dragover", "drop"].map((kind) => !document.querySelector(where).dispatchEvent(
    new DragEvent(kind, {bubbles: true, cancelable: true, dataTransfer: carried})));
}"""
"""Drags a file to a place and drops it; returns whether the browser is kept from opening it."""


def test_a_file_that_is_dropped_beside_its_place_does_not_replace_the_page(opened, server):
    page = opened(server.url)
    assert page.evaluate(DROP, "header") == [True, True]
    expect(page.locator("#photo-state")).to_be_empty()


def test_text_may_be_dropped(opened, server):
    page = opened(server.url)
    text = DROP.replace('items.add(new File(["x"], "a.jpg", {type: "image/jpeg"}))', PLAIN)
    assert page.evaluate(text, "#key") == [False, False]


PLAIN = 'setData("text/plain", "x")'


@pytest.mark.parametrize(
    ("tab", "pattern"), [("batch", "**/v1/analyze*"), ("video", "**/v1/videos/*")]
)
def test_the_focus_stays_when_what_has_it_goes(opened, server, portrait, clip, tab, pattern):
    page = opened(server.url)
    choose(page, tab)
    waiting = []

    def hold(route):
        if waiting:
            route.continue_()
        waiting.append(route)

    page.route(pattern, hold)
    page.set_input_files(f"#{tab}-file", portrait if tab == "batch" else clip)
    page.focus(f"#{tab}-stop")
    wait(lambda: page.evaluate("1") and waiting)
    waiting[0].continue_()
    expect(page.locator(f"#{tab}-progress")).to_be_hidden()
    expect(page.locator(f"#{tab}-file")).to_be_focused()


def test_a_second_table_begins_anew(opened, server, portrait):
    page = opened(server.url)
    choose(page, "batch")
    page.set_input_files("#batch-file", portrait)
    expect(page.locator("#batch-state")).to_have_text("1 of 1 photos read")
    page.route("**/v1/analyze*", lambda route: None)
    page.set_input_files("#batch-file", [portrait, portrait])
    expect(page.locator("#batch-state")).to_have_text("0 of 2 photos read")
    assert page.evaluate("document.querySelector('#batch-progress progress').value") == 0
