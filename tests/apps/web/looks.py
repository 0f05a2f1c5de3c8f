"""How the page is looked at."""

from playwright.sync_api import Page, expect

from apps.api.running import PATIENCE

expect.set_options(timeout=PATIENCE * 1000)

LOOKS = {
    "wide": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "phone": {
        "viewport": {"width": 390, "height": 850},
        "color_scheme": "dark",
        "has_touch": True,
        "is_mobile": True,
    },
}


def choose(page: Page, tab: str) -> None:
    """Choose a tab."""
    page.click(f"#tab-{tab}")
    expect(page.locator(f"#{tab}")).to_be_visible()
