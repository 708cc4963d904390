"""What a user hears, sees and reaches on a page: players that sound, words that can be read, links by keyboard."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

GRAVE = ("serious", "critical")
PAPER_PX = 680  # between the margins of a sheet of A4
# Decoded by the browser itself, from the player's own source: seconds and RMS.
DECODE = """async audio => {
    const bytes = await (await fetch(audio.src)).arrayBuffer();
    const sound = await new OfflineAudioContext(1, 1, 32000).decodeAudioData(bytes);
    const samples = sound.getChannelData(0);
    return [sound.duration, Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length)];
}"""
# What the keyboard is at, by its number among all elements, and whether that can be seen.
FOCUS = """() => {
    const here = document.activeElement, style = getComputedStyle(here);
    const seen = style.outlineStyle !== "none" || style.boxShadow !== "none";
    return [[...document.querySelectorAll("*")].indexOf(here), seen];
}"""
PLACES = """elements => {
    const all = [...document.querySelectorAll("*")];
    return elements.filter(each => each.checkVisibility({visibilityProperty: true})).map(each => all.indexOf(each));
}"""
# Words and pictures that reach over the edge of the page, or of a box that would not let them be seen on paper.
CUT_OFF = """() => [...document.querySelectorAll("body *")].filter(each => {
    if (!each.checkVisibility({visibilityProperty: true}) || each.closest("svg, math")) return false;
    const box = each.getBoundingClientRect(), hidden = getComputedStyle(each).overflowX !== "visible";
    if (box.width <= 1 || box.right <= 0) return false;
    return box.right > innerWidth + 1 || (hidden && each.scrollWidth > each.clientWidth + 1);
}).map(each => each.outerHTML.slice(0, 120))"""


def assert_sounds(player, start) -> None:
    """Every sound of a player is no silence, and is heard when it is chosen once `start` has been called with it."""
    player.scroll_into_view_if_needed()
    for audio in player.locator("audio").all():
        seconds, rms = audio.evaluate(DECODE)
        assert seconds > 0.5 and rms > 0.001, f"{seconds} s at an RMS of {rms}"
    start(player)
    waiting = "player => player.lassPlayer.position() > 0.2"
    player.page.wait_for_function(waiting, arg=player.element_handle())
    for track in player.get_by_role("group", name="tracks").get_by_role("button").all():
        track.click()
        expect(track).to_have_attribute("aria-pressed", "true")
    player.get_by_role("button", name="Pause").click()


def click_play(player) -> None:
    """As with a mouse."""
    player.get_by_role("button", name="Play").click()


def press_play(player) -> None:
    """As with a keyboard."""
    player.get_by_role("slider").focus()
    player.page.keyboard.press("Space")


def grave_faults(page) -> list[str]:
    """What axe-core finds that keeps somebody from reading or using the page; a line each."""
    found = Axe().run(page).response["violations"]
    return [
        f"{fault['id']}: {node['target']}: {node['failureSummary']}"
        for fault in found
        if fault["impact"] in GRAVE
        for node in fault["nodes"]
    ]


def tab_through(page, selector: str, longest: int) -> set[int]:
    """Press Tab until all elements of a selector had the focus; return the numbers of those that never did.

    Raises AssertionError where the focus cannot be seen.
    """
    waiting = set(page.locator(selector).evaluate_all(PLACES))
    assert waiting, selector
    for _ in range(longest):
        page.keyboard.press("Tab")
        place, seen = page.evaluate(FOCUS)
        assert seen or place not in waiting, page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
        waiting.discard(place)
        if not waiting:
            break
    return waiting


def cut_off(page) -> list[str]:
    """The beginnings of those elements that do not fit on a printed sheet."""
    page.set_viewport_size({"width": PAPER_PX, "height": 960})
    page.emulate_media(media="print")
    return page.evaluate(CUT_OFF)
