"""The player: one clock for all sounds of a set, a playhead to drag, keys, one set at a time, and no script at all."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from playwright.sync_api import expect

from lass_lab.course.players import player_html, player_script
from lass_lab.course.players.hands import sounding_map

SECONDS = 6
TIME = np.arange(SECONDS * 32_000) / 32_000
LOW, HIGH = (0.1 * np.sin(2 * np.pi * hertz * TIME) for hertz in (500, 2000))
# What goes to the loudspeaker is listened to as well: a test asks how loud it is near each of the two tones.
LISTEN = """
window.started = 0;
const start = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function (...when) { window.started++; return start.apply(this, when); };
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (to, ...more) {
    if (to === this.context.destination && !(this instanceof AnalyserNode)) {
        window.ear ??= new AnalyserNode(this.context, {fftSize: 2048, smoothingTimeConstant: 0});
        connect.call(this, window.ear);
    }
    return connect.call(this, to, ...more);
};
window.hear = () => {
    const levels = new Float32Array(window.ear.frequencyBinCount);
    window.ear.getFloatFrequencyData(levels);
    return [500, 2000].map(hertz => levels[Math.round(hertz * 2048 / window.ear.context.sampleRate)]);
};
"""
AT = "player => player.lassPlayer.position()"
CLOCK = "player => [player.lassPlayer.started, player.lassPlayer.at]"
# Chooses another sound twenty times while playing, and returns the softest moment (RMS of 2048 samples) on the way.
SWITCH = """async player => {
    const samples = new Float32Array(2048);
    let softest = Infinity;
    for (let turn = 0; turn < 120; turn++) {
        if (turn % 6 === 0) player.lassPlayer.choose((turn / 6 + 1) % 2);
        await new Promise(requestAnimationFrame);
        window.ear.getFloatTimeDomainData(samples);
        softest = Math.min(softest, Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length));
    }
    return softest;
}"""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A page with two sets, and with the script twice, as two outputs of a notebook bring it."""
    sets = [player_html({"low": LOW, "high": HIGH}), player_html({"other": LOW}, pictures=False)]
    policy = "<meta http-equiv='Content-Security-Policy' content=\"default-src data: 'unsafe-inline'\">"
    head = f"<!doctype html><html lang=en><head><meta charset=utf-8><title>two sets</title>{policy}</head>"
    path = tmp_path_factory.mktemp("player") / "sets.html"
    body = "".join(each + player_script() for each in sets)
    path.write_text(f"{head}<body style='color-scheme: light dark'><main><h1>Two sets</h1>{body}</main></body></html>")
    return path.as_uri()


@pytest.fixture
def opened(page, address):
    """The first player of the page, whose sound is listened to."""
    page.add_init_script(LISTEN)
    page.goto(address)
    return page.locator(".lass-player").first


def play(player):
    player.get_by_role("button", name="Play").click()
    at_least(player, 0.2)


def at_least(player, seconds):
    player.page.wait_for_function(f"player => ({AT})(player) > {seconds}", arg=player.element_handle())


def track(player, name):
    return player.get_by_role("group", name="tracks").get_by_role("button", name=name)


def test_another_sound_is_chosen_without_a_gap_on_the_same_clock(opened, page):
    play(opened)
    low, high = page.evaluate("hear()")
    assert low > high + 40
    clock = opened.evaluate(CLOCK)
    track(opened, "high").click()
    page.wait_for_timeout(200)
    low, high = page.evaluate("hear()")
    assert high > low + 40
    softest = opened.evaluate(SWITCH)
    # Both are at -23 dBFS, an RMS of 0.07; halfway between two tones, 3 dB less is heard.
    assert softest > 0.07 / 2, f"an RMS of {softest}"
    assert opened.evaluate(CLOCK) == clock and page.evaluate("started") == 2, "nothing was started again"


def test_a_click_and_a_drag_on_the_picture_seek(opened, page):
    box = opened.get_by_role("slider").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 20)
    assert opened.evaluate(AT) == pytest.approx(SECONDS / 2, abs=0.05)
    play(opened)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 30, steps=5)
    page.mouse.up()
    expect(opened.get_by_role("button", name="Pause")).to_be_visible()
    assert SECONDS / 4 - 0.05 <= opened.evaluate(AT) < SECONDS / 2 - 0.2, "it plays on, from there"


def test_the_picture_is_that_of_the_sound_that_is_heard(opened):
    pictures = opened.locator("img")
    for name in ("high", "low"):
        track(opened, name).click()
        shown = pictures.locator("visible=true")
        expect(shown).to_have_count(1)
        assert f"Spectrogram of “{name}”" in shown.get_attribute("alt")


def test_keys_play_choose_and_seek_and_are_told(opened, page):
    slider = opened.get_by_role("slider")
    slider.focus()
    for key, at in (("ArrowRight", 1), ("ArrowUp", 6), ("ArrowLeft", 5), ("ArrowDown", 0), ("End", 6), ("Home", 0)):
        page.keyboard.press(key)
        assert opened.evaluate(AT) == at, key
        expect(slider).to_have_attribute("aria-valuetext", f"{at}.0 of 6.0 seconds, low")
    page.keyboard.press("2")
    expect(slider).to_have_attribute("aria-valuetext", "0.0 of 6.0 seconds, high")
    page.keyboard.press("3")  # there is no third
    expect(track(opened, "high")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Space")
    at_least(opened, 0.1)
    track(opened, "low").focus()
    page.keyboard.press("Space")  # chooses, as with any button
    expect(track(opened, "low")).to_have_attribute("aria-pressed", "true")
    expect(opened.get_by_role("button", name="Pause")).to_be_visible()
    page.keyboard.press("Space")  # nothing is left to choose
    expect(opened.get_by_role("button", name="Play")).to_be_visible()


def test_only_one_set_sounds_and_the_end_leads_back_to_the_beginning(opened, page):
    other = page.locator(".lass-player").nth(1)
    play(opened)
    play(other)
    expect(opened.get_by_role("button", name="Play")).to_be_visible()
    assert opened.evaluate(AT) > 0.2, "it stands where it was left"
    other.get_by_role("slider").focus()
    page.keyboard.press("ArrowUp")
    expect(other.get_by_role("button", name="Play")).to_be_visible()
    assert other.evaluate(AT) == 0


def test_without_scripts_or_web_audio_each_sound_has_a_plain_player(browser, page, address):
    with browser.new_context(java_script_enabled=False) as context:
        plain = context.new_page()
        plain.goto(address)
        expect(plain.locator("audio").locator("visible=true")).to_have_count(3)
        expect(plain.locator("img").locator("visible=true")).to_have_count(2)
    page.add_init_script("delete window.AudioContext")
    page.goto(address)
    expect(page.locator("audio").locator("visible=true")).to_have_count(3)


def test_a_sound_that_the_browser_cannot_decode_is_left_to_the_plain_players(opened, page):
    page.evaluate("() => { BaseAudioContext.prototype.decodeAudioData = () => Promise.reject(new Error()); }")
    opened.get_by_role("button", name="Play").click()
    expect(opened.locator("audio").locator("visible=true")).to_have_count(2)
    expect(opened.locator("figure img").locator("visible=true")).to_have_count(2)


def test_a_click_on_a_map_plays_the_nearest_sound(page, tmp_path):
    plt.switch_backend("agg")
    places = np.array([[0, 0], [4, 2], [1, 3]])
    ax = plt.subplots()[1]
    ax.plot(*places.T, "o")
    sounds = {"first": LOW, "second": HIGH, "third": LOW}
    path = tmp_path / "map.html"
    path.write_text(f"<!doctype html><meta charset=utf-8>{sounding_map(ax, 'three sounds', sounds, places).data}")
    page.goto(path.as_uri())
    area, player = page.locator(".lass-map"), page.locator(".lass-player")
    box = area.locator("img").bounding_box()
    for place, name in ((1, "second"), (2, "third")):
        # Where matplotlib drew the dot, in parts of the figure.
        x, y = ax.figure.transFigure.inverted().transform(ax.transData.transform(places[place]))
        page.mouse.click(box["x"] + x * box["width"] + 5, box["y"] + (1 - y) * box["height"] - 5)
        expect(track(player, name)).to_have_attribute("aria-pressed", "true")
        at_least(player, 0.1)
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
