"""The page where another application has mounted the server's under a path."""

from playwright.sync_api import expect

from apps.api.mounted import Under


def test_the_page_works_under_a_path(opened, portrait):
    with Under(mounted=True) as server:
        # What is asked for outside of this address fails the test.
        page = opened(f"{server.url}/mien/")
        page.set_input_files("#photo-file", portrait)
        expect(page.locator("#photo-state")).to_have_text("1 face in grace_hopper.jpg")
        page.click("#tab-about")
        with page.expect_popup() as opening:
            page.get_by_text("The API, for programs").click()
        docs = opening.value
        expect(docs.get_by_text(f"{server.url}/mien/v1/analyze").first).to_be_visible()
        docs.get_by_role("link", name="The page").click()
        expect(docs).to_have_url(f"{server.url}/mien/")


def test_the_page_without_its_last_slash_is_found(opened):
    with Under(mounted=True) as server:
        page = opened(f"{server.url}/mien")
        expect(page).to_have_url(f"{server.url}/mien/")
