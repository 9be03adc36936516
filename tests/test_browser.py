"""The page in a browser: nothing is loaded, lines are gone through and explained, by hand and by keyboard, on every screen.

Needs selenium, and Chromium with its driver; without them the tests are skipped. axe-core, for the test of
accessibility, is looked for in the folder named by HANDCALC_NODE_MODULES (else ./node_modules).
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from exports import derivation, written
from pages import Element, Page, data_of, number_in

from handcalc.core.rounding import Rounding
from handcalc.deriving import derive
from handcalc.loading.loader import loads
from handcalc.render import read
from handcalc.render.why import dependencies, ends, uses

selenium = pytest.importorskip("selenium", reason="selenium is not installed")
from selenium.webdriver import ActionChains, Chrome, ChromeOptions  # noqa: E402
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.remote.webelement import WebElement  # noqa: E402

DRIVER = shutil.which("chromedriver")
BROWSER = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")
AXE = Path(os.environ.get("HANDCALC_NODE_MODULES", "node_modules")) / "axe-core" / "axe.min.js"
PROBLEMS = ("mazur-2-2-2", "zhou-four-people", "softmax-cross-entropy", "micrograd-readme", "per-connection-bias-2-3-1")
WIDTHS = (360, 800, 1400)
ARGUMENTS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DRIVER or not BROWSER, reason="there is no Chromium with chromedriver"),
]


class Browser:
    """A browser without a screen, and what the tests do with it."""

    def __init__(self, folder: Path) -> None:
        options = ChromeOptions()
        for argument in (*ARGUMENTS, f"--user-data-dir={folder / 'profile'}"):
            options.add_argument(argument)
        options.binary_location = BROWSER or ""
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = Chrome(options=options, service=Service(DRIVER))
        self.folder = folder
        self.pages = 0

    def show(self, text: str, width: int = 1400, dark: bool = False, media: str = "") -> str:
        """Load a page from a file; answers its address."""
        self.pages += 1
        path = self.folder / f"page-{self.pages}.html"
        path.write_text(text, "utf-8")
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        wish = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        still = {"name": "prefers-reduced-motion", "value": "reduce"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": [wish, still]})
        for kind in ("browser", "performance"):
            self.driver.get_log(kind)
        self.driver.get(path.as_uri())
        return path.as_uri()

    def complaints(self) -> list[str]:
        """What the browser says went wrong, such as something its policy forbids."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """The addresses that were asked for; what is in the page itself has none."""
        messages = (json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance"))
        found = (message["params"]["request"]["url"] for message in messages if message["method"] == "Network.requestWillBeSent")
        return [address for address in found if not address.startswith("data:font/")]

    def run(self, script: str, *arguments: Any) -> Any:
        """The answer of a script."""
        return self.driver.execute_script(script, *arguments)

    def one(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def steps(self, selector: str) -> list[str]:
        """The steps of all elements that a selector finds, each once."""
        found: list[str] = self.run("return [...document.querySelectorAll(arguments[0])].map((one) => one.dataset.step)", selector)
        return list(dict.fromkeys(found))

    def press(self, *keys: str) -> None:
        """Press keys where the focus is."""
        for key in keys:
            ActionChains(self.driver).send_keys(key).perform()

    def source(self) -> str:
        """The page as it is now."""
        text: str = self.run("return document.documentElement.outerHTML")
        return text


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    found = Browser(tmp_path_factory.mktemp("browser"))
    yield found
    found.driver.quit()


def page(problem: str, **style: Any) -> str:
    return written(derivation(problem), "html", **style)


def number_of(line: str) -> int:
    """The place of a line of mazur-2-2-2, from 1."""
    lines = Page(page("mazur-2-2-2")).root.all("div", class_="text")[0].all("div", class_="step")
    return next(place for place, step in enumerate(lines, 1) if step.attributes["data-step"] == line)


# --- loading ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("problem", PROBLEMS)
def test_nothing_else_is_loaded(browser: Browser, problem: str) -> None:
    """No request but for the file itself, and no complaint of the policy, also after everything was used."""
    address = browser.show(page(problem))
    browser.press(Keys.ARROW_RIGHT, Keys.END, Keys.ARROW_LEFT, Keys.HOME)
    browser.run("document.querySelector('.text .step .place').click()")
    browser.press(Keys.ESCAPE)
    browser.one(".theme").click()
    assert browser.requests() == [address]
    assert browser.complaints() == []
    assert browser.run("return [...document.fonts].map((font) => font.status)") == ["loaded"]


def test_a_policy_that_is_broken_is_noticed(browser: Browser) -> None:
    """What the tests above rely on: scripts and pictures from elsewhere are refused, and the browser says so."""
    text = page("mazur-2-2-2").replace("<main", '<img src="http://localhost:1/x.png" alt=""><script>document.title = "run"</script><main')
    browser.show(text)
    assert len(browser.complaints()) >= 2 and browser.driver.title != "run"


def test_without_scripts_everything_is_there(browser: Browser) -> None:
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.show(page("mazur-2-2-2"))
        assert not browser.one("html").get_attribute("class")
        lines = browser.driver.find_elements(By.CSS_SELECTOR, ".text .step")
        assert len(lines) == 56 and all(line.is_displayed() for line in lines)
        figures = browser.driver.find_elements(By.CSS_SELECTOR, "figure svg")
        assert len(figures) == 2 and all(figure.is_displayed() for figure in figures)
        assert not browser.one(".panel").is_displayed() and not browser.one(".theme").is_displayed()
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_a_long_page_is_opened(browser: Browser) -> None:
    """What is packed takes the place of the same in letters, and is gone through; an address leads to its line."""
    text = page("deeplearning-ai-l2")
    assert 'class="packed"' in text
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.show(text)
        lines = browser.driver.find_elements(By.CSS_SELECTOR, ".text .line")
        assert all(line.is_displayed() for line in lines) and not browser.driver.find_elements(By.CSS_SELECTOR, ".text math")
        assert all(figure.is_displayed() for figure in browser.driver.find_elements(By.CSS_SELECTOR, "figure svg"))
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    address = browser.show(text)
    browser.driver.implicitly_wait(5)
    assert browser.one("html.scripted .text .step math")
    browser.driver.implicitly_wait(0)
    browser.press(Keys.ARROW_RIGHT, Keys.END)
    assert browser.steps(".text .current") == [data_of(Page(text).root)["ids"][data_of(Page(text).root)["lines"][-1]]]
    assert browser.requests() == [address] and browser.complaints() == []


def test_a_worksheet_has_its_drawing(browser: Browser) -> None:
    browser.show(page("mazur-2-2-2", view="worksheet"))
    shown = [svg.is_displayed() for svg in browser.driver.find_elements(By.CSS_SELECTOR, ".handcalc-diagram")]
    assert shown == [True]


def test_the_drawing_is_shown_once(browser: Browser) -> None:
    """Beside the lines on a screen, in the text on paper."""
    browser.show(page("mazur-2-2-2"))
    shown = [svg.is_displayed() for svg in browser.driver.find_elements(By.CSS_SELECTOR, ".handcalc-diagram")]
    assert shown == [True, False, False]
    browser.show(page("mazur-2-2-2"), 800, media="print")
    shown = [svg.is_displayed() for svg in browser.driver.find_elements(By.CSS_SELECTOR, ".handcalc-diagram")]
    assert shown == [False, True, True]
    assert not any(button.is_displayed() for button in browser.driver.find_elements(By.TAG_NAME, "button"))


# --- going through the lines ------------------------------------------------------------------------------------------


def test_keys_go_from_line_to_line(browser: Browser) -> None:
    browser.show(page("mazur-2-2-2"))
    assert browser.steps(".current") == []
    for key, line in (
        (Keys.ARROW_RIGHT, "net.h1"),
        (Keys.ARROW_RIGHT, "net.h2"),
        (Keys.ARROW_LEFT, "net.h1"),
        (Keys.ARROW_LEFT, "net.h1"),
        (Keys.END, "after.loss"),
        (Keys.ARROW_RIGHT, "after.loss"),
        (Keys.HOME, "net.h1"),
    ):
        browser.press(key)
        assert browser.steps(".text .current") == [line]
        assert browser.run("return document.querySelector('[aria-current=step]').dataset.step") == line
        said = browser.one(".status").text
        assert said.startswith(f"Line {number_of(line)} of 56"), said
        box = browser.run("const box = document.querySelector('.current').getBoundingClientRect(); return [box.top, box.bottom]")
        assert 0 <= box[0] < box[1] <= 900


def test_buttons_go_from_line_to_line(browser: Browser) -> None:
    browser.show(page("mazur-2-2-2"))
    for name, line in (("next", "net.h1"), ("next", "net.h2"), ("previous", "net.h1")):
        browser.one(f".controls .{name}").click()
        assert browser.steps(".text .current") == [line]


# line → what is lit up in the drawing, and of it what the line is about
LIT = {
    "net.h1": ({"out.h1", "w1", "w2", "i1", "i2", "b1"}, "out.h1"),
    "out.h2": ({"out.h2"}, "out.h2"),
    "net.o1": ({"out.o1", "w5", "w6", "out.h1", "out.h2", "b2"}, "out.o1"),
    "loss.o1": ({"target.o1", "out.o1"}, "target.o1"),
    "grad.out.o2": ({"out.o2", "target.o2"}, "out.o2"),
    "grad.w5": ({"w5", "out.o1", "out.h1"}, "w5"),
    "path.o2.h1": ({"out.h1", "out.o2", "w7"}, "out.h1"),
    "new.w5": ({"w5"}, "w5"),
    "after.net.h1": ({"out.h1", "w1", "w2", "i1", "i2", "b1"}, "out.h1"),
}


@pytest.mark.parametrize("line", LIT)
def test_what_a_line_uses_is_lit_up(browser: Browser, line: str) -> None:
    browser.show(page("mazur-2-2-2"))
    browser.run("document.querySelector(`.text [data-step='${arguments[0]}'] .place`).click()", line)
    browser.press(Keys.ESCAPE)
    lit, own = LIT[line]
    assert set(browser.steps(".panel .drawing .lit")) == lit
    assert browser.steps(".panel .drawing .own") == [own]
    dimmed = browser.run(
        "return [...document.querySelectorAll('.panel [data-step]:not(.link)')].filter((one) => getComputedStyle(one).opacity < 0.5)"
        ".map((one) => one.dataset.step)"
    )
    assert set(dimmed).isdisjoint(lit) and dimmed
    used = data_of(Page(page("mazur-2-2-2")).root)["uses"]
    assert used and set(browser.steps(".text .used")) <= set(browser.steps(".text .step"))


def test_numbers_appear_as_they_are_reached(browser: Browser) -> None:
    browser.show(page("mazur-2-2-2"))

    def shown() -> set[str]:
        found: list[str] = browser.run(
            "return [...document.querySelectorAll('.drawing [data-cell]')].filter((one) => getComputedStyle(one).visibility === 'visible')"
            ".filter((one) => one.closest('.panel')).map((one) => one.dataset.cell)"
        )
        return set(found)

    everything = shown()
    assert {"net.h1", "out.o2", "grad.w1", "loss"} <= everything
    browser.press(*[Keys.ARROW_RIGHT] * 3)
    assert {"net.h1", "net.h2", "out.h1", "w1", "i1"} <= shown() and shown().isdisjoint({"out.h2", "net.o1", "loss", "grad.w5"})
    browser.press(Keys.END)
    assert shown() == everything
    browser.show(page("karim-self-attention"))
    browser.driver.implicitly_wait(5)
    assert browser.one("html.scripted .text .step math")
    browser.driver.implicitly_wait(0)
    browser.run("const { lines, ids } = chapters[0].data; chapters[0].mark(lines.findIndex((line) => ids[line] === 'score1[1,1]'))")
    assert "score1[1,1]" in shown() and "score1[2,2]" not in shown()  # which has no line, but stands in the table after them


def test_the_current_line_stands_below_the_drawing(browser: Browser) -> None:
    """With its numbers, and a sentence that says what it is made from."""
    browser.show(page("mazur-2-2-2"))
    assert not browser.one(".now").is_displayed()
    browser.press(*[Keys.ARROW_RIGHT] * 3)
    formula, line = (
        browser.run("return document.querySelector(arguments[0]).textContent", one) for one in (".now .right", "#out\\.h1 .right")
    )
    assert formula == line and browser.run("return document.querySelector('.sentence').textContent") == "outh1 depends on neth1."


def test_a_drawing_wider_than_the_window_is_seen_whole_until_a_step_is_looked_at(browser: Browser) -> None:
    browser.show(page("small-gpt"))
    widths = "const one = document.querySelector('.panel .drawing'); return [one.scrollWidth, one.clientWidth]"
    whole, window = browser.run(widths)
    assert whole == window
    browser.run("chapters[0].mark(20)")
    assert browser.run(widths)[0] > 1.3 * window


def test_letters_of_drawings_are_legible(browser: Browser) -> None:
    """12 pixels and more on a large screen, but for indices; larger and smaller on request."""
    for problem in PROBLEMS:
        browser.show(page(problem))
        sizes = "return [...document.querySelectorAll('.panel .drawing text')].map((one) => parseFloat(getComputedStyle(one).fontSize))"
        scale = "const one = document.querySelector('.drawing svg'); return one.getBoundingClientRect().width / one.viewBox.baseVal.width"
        before = browser.run(scale)
        assert min(browser.run(sizes)) * before >= 12 - 1e-3
        browser.one(".larger").click()
        assert browser.run(scale) == pytest.approx(1.25 * before, rel=0.02)
        browser.one(".smaller").click()
        assert browser.run(scale) == pytest.approx(before, rel=0.02)


LARGE = """
inputs: [0.2, -0.4, 0.6, 0.1]
targets: [1, 0, 0]
layers:
  - {neurons: 8, activation: tanh, weights: {random: uniform, seed: 1}, bias: zeros}
  - {neurons: 3, activation: sigmoid, weights: {random: uniform, seed: 2}, bias: zeros}
loss: half_squared_error
learning_rate: 0.5
"""


@pytest.mark.parametrize("problem", ("4-8-3", "conv-pool-dense", "dlfs-simplenet", "deeplearning-ai-l2", "hungyi-lee-lstm"))
def test_large_drawings_have_room(browser: Browser, problem: str) -> None:
    """Beside the text or above it, they need not be moved from side to side; and the text has room."""
    browser.show(written(derive(loads(LARGE)) if problem == "4-8-3" else derivation(problem), "html"))
    browser.press(Keys.ARROW_RIGHT)
    script = "const at = (one) => document.querySelector(one); const box = at('.panel .drawing'), svg = box.firstElementChild;"
    browser.run("dispatchEvent(new Event('resize'))")
    assert browser.run(f"{script} return box.scrollWidth <= box.clientWidth")
    assert browser.run(f"{script} return svg.getBoundingClientRect().width >= 12 / 12.3 * svg.viewBox.baseVal.width - 1")
    assert browser.run(f"{script} return at('.text').clientWidth >= 450 && at('.panel').offsetHeight <= 0.8 * innerHeight")


def test_it_goes_on_by_itself(browser: Browser) -> None:
    """As fast as is wanted, until it is stopped."""
    browser.show(page("mazur-2-2-2"))
    browser.run("document.querySelector('.speed input').value = 9; document.querySelector('.play').click()")
    assert browser.one(".play").get_attribute("aria-pressed") == "true"
    browser.driver.implicitly_wait(5)
    assert browser.one("#net\\.h2.current")
    browser.driver.implicitly_wait(0)
    browser.one(".play").click()
    assert browser.one(".play").get_attribute("aria-pressed") == "false"


def test_each_round_has_its_drawing(browser: Browser) -> None:
    browser.show(written(derivation("mazur-2-2-2", 2), "html"))
    browser.press(Keys.ARROW_RIGHT)
    assert "out.h1" in browser.steps(".panel .drawing .node")
    browser.press(Keys.END)
    assert "#2:out.h1" in browser.steps(".panel .drawing .node") and browser.steps(".panel .drawing .own") == ["#2:loss"]


def test_chapters_have_lines_of_their_own(browser: Browser) -> None:
    problems = ("mazur-2-2-2", "micrograd-readme")
    browser.show(written(tuple(map(derivation, problems)), "html"))
    browser.press(Keys.ARROW_RIGHT)
    assert browser.steps("#problem-1 .text .current") == ["net.h1"] and not browser.steps("#problem-2 .current")
    browser.run("document.querySelector('#problem-2').scrollIntoView({block: 'start'})")
    browser.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert browser.steps("#problem-1 .text .current") == ["net.h1"] and browser.steps("#problem-2 .text .current") == ["d1"]
    assert browser.steps("#problem-2 .panel .own") and browser.one("#problem-2 .panel").is_displayed()


# --- explanations -----------------------------------------------------------------------------------------------------


def explained(problem: str, start: str) -> list[str]:
    """What the command why goes through, in its order."""
    found = derivation(problem)
    reading = read(found)
    order = dependencies(lambda current: uses(reading, current), ends(found, found.find(start)[0]))
    return [found.step_id(cell) for cell in order]


PARTS = {".edge[data-step=w1]": "new.w1", ".node[data-step='out.h1']": "out.h1", ".bias[data-step=b1]": "grad.b1"}


@pytest.mark.parametrize("part", PARTS)
def test_a_click_on_the_drawing_says_why(browser: Browser, part: str) -> None:
    browser.show(page("mazur-2-2-2"))
    start = browser.one(f".panel .drawing {part}").get_attribute("data-step") or ""
    browser.run("document.querySelector(arguments[0]).dispatchEvent(new MouseEvent('click', {bubbles: true}))", f".panel .drawing {part}")
    assert browser.one(".why").is_displayed()
    steps = browser.steps(".why .step")
    assert set(steps) == set(explained("mazur-2-2-2", start)) and steps[-1] == PARTS[part]
    titles = [title.text for title in browser.driver.find_elements(By.CSS_SELECTOR, ".why h3")]
    phases = ["Given", "Forward pass", "Backward pass", "Update"]
    assert titles == phases[: {"w1": 4, "b1": 3, "out.h1": 2}[start]]
    assert browser.steps(".panel .drawing .own") == [start] and set(browser.steps(".panel .drawing .path")) >= {start}
    browser.press(Keys.ESCAPE)
    assert not browser.one(".why").is_displayed() and not browser.steps(".panel .drawing .lit")


def test_the_paths_of_a_weight(browser: Browser) -> None:
    """From the weight to the outputs, and nothing beside."""
    browser.show(page("mazur-2-2-2"))
    browser.run("document.querySelector('.panel .edge[data-step=w1]').dispatchEvent(new MouseEvent('click', {bubbles: true}))")
    assert browser.steps(".panel .drawing .edge.path") == ["w1", "w5", "w7"]
    assert set(browser.steps(".panel .drawing .node.path")) == {"i1", "out.h1", "out.o1", "out.o2", "target.o1", "target.o2"}


def test_a_click_on_a_line_says_why(browser: Browser) -> None:
    browser.show(page("zhou-four-people"))
    line = browser.one(".text .step[data-step='grad.w5']")
    browser.run("arguments[0].scrollIntoView({block: 'center'})", line)
    line.find_element(By.CSS_SELECTOR, ".left").click()
    steps = browser.steps(".why .step")
    assert set(steps) == set(explained("zhou-four-people", "grad.w5")) and "net.h1@Diana" in steps and steps[-1] == "grad.w5"
    browser.one(".why .close").click()
    assert not browser.one(".why").is_displayed() and browser.steps(".text .current") == ["grad.w5"]


def test_what_is_given_needs_nothing(browser: Browser) -> None:
    browser.show(page("mazur-2-2-2"))
    browser.run("document.querySelector('.panel .node[data-step=i1]').dispatchEvent(new MouseEvent('click', {bubbles: true}))")
    assert browser.steps(".why .step") == ["i1"] and "It is given; nothing else is needed for it." in browser.one(".why").text


def test_a_number_in_an_explanation_leads_to_its_line(browser: Browser) -> None:
    browser.show(page("mazur-2-2-2"))
    browser.run("document.querySelector('.panel .edge[data-step=w5]').dispatchEvent(new MouseEvent('click', {bubbles: true}))")
    browser.one(".why .step[data-step='net.o1'] .place").click()
    assert browser.steps(".text .current") == ["net.o1"] and not browser.one(".why").is_displayed()


def test_everything_by_keyboard(browser: Browser) -> None:
    """Tab reaches the buttons, the parts of the drawing and the lines; Enter and Space use them; Esc goes back to where it was."""
    browser.show(page("mazur-2-2-2"))
    reached: list[str] = []
    for _ in range(50):
        browser.press(Keys.TAB)
        reached.append(
            browser.run(
                "const one = document.activeElement; return one.dataset.step ?? one.closest('.step')?.dataset.step ?? one.className"
            )
        )
        if reached[-1] == "w7":
            browser.press(Keys.SPACE)
            assert browser.steps(".why .step")[-1] == "new.w7" and browser.run("return document.activeElement.className") == "why"
            browser.press(Keys.ESCAPE)
            assert browser.run("return document.activeElement.dataset.step") == "w7"
        if reached[-1] == "next":
            browser.press(Keys.ENTER)
            assert browser.steps(".text .current") == ["net.h1"]
            browser.press(Keys.SPACE)
            assert browser.steps(".text .current") == ["net.h2"]
        if reached[-1] == "net.h2":
            browser.press(Keys.ENTER)
            assert browser.steps(".why .step")[-1] == "net.h2"
            browser.press(Keys.ESCAPE)
            assert browser.run("return document.activeElement.closest('.text .step').dataset.step") == "net.h2"
    assert {"skip", "theme", "previous", "next", *(f"w{number}" for number in range(1, 9)), "out.h1", "b1", "net.h1", "net.h2"} <= set(
        reached
    )
    assert reached.index("next") < reached.index("net.h1")


# --- decimals ---------------------------------------------------------------------------------------------------------


def test_other_decimals_are_those_of_solve(browser: Browser) -> None:
    """Every number and every relation on the page, seen or unseen, is that of solve --decimals N; and back."""
    for problem in ("mazur-2-2-2", "zhou-four-people"):
        before = page(problem)
        browser.show(before)
        slider = browser.one(".decimals input")
        slider.click()
        slider.send_keys(Keys.HOME)
        start = _content(browser)
        for decimals in (2, 3, 4, 5, 6, 7, 8):
            slider.send_keys(Keys.ARROW_RIGHT)
            assert browser.one(".decimals output").text == str(decimals) == slider.get_attribute("aria-valuetext")
            found = derivation(problem, 1, Rounding(decimals=decimals, significant=None))
            solved = {step["id"]: step["shown"] for step in json.loads(written(found, "json"))["steps"]}
            now = Page("<html>" + browser.source() + "</html>").root
            numbers = now.all(data_cell="")
            assert len(numbers) > 200
            assert all(number_in(number) == solved[number.attributes["data-cell"]] for number in numbers), decimals
            wanted = Page(written(found, "html")).root
            assert _lines(now) == _lines(wanted), decimals
            assert _gaps(now) == _gaps(wanted), decimals
            assert [note.text for note in now.all("p", class_="rounding")] == [note.text for note in wanted.all("p", class_="rounding")]
        slider.send_keys(Keys.HOME)
        assert _content(browser) == start and browser.one(".decimals output").text == "as given"


def _content(browser: Browser) -> str:
    text: str = browser.run("return document.querySelector('.text').innerHTML")
    return text


def _lines(root: Element) -> list[tuple[str, str]]:
    (text,) = root.all("div", class_="text")
    return [(line.attributes["data-step"], line.text) for line in text.all("div", class_="step")]


def _gaps(root: Element) -> set[tuple[str, str]]:
    """What follows the numbers of tables, unseen. (The same columns may stand in fewer tables.)"""
    cells = [(cell.all(data_cell=""), cell.attributes.get("data-gap", "")) for cell in root.all("td", class_="number")]
    return {(number.attributes["data-cell"], gap) for numbers, gap in cells for number in numbers}


def test_a_small_number_gets_brackets_before_a_power(browser: Browser) -> None:
    found = derive(loads("given: {a: 0.03}\nequations: {b: a*0.04, c: b^2}\n", "small"))
    browser.show(written(found, "html"))
    slider = browser.one(".decimals input")
    slider.send_keys(Keys.ARROW_RIGHT)
    line = browser.one(".text .step[data-step=c]")
    assert "=(1.2×10−3)2" in (line.get_attribute("textContent") or "")
    slider.send_keys(Keys.ARROW_RIGHT)
    assert "≈0.0012" in (line.get_attribute("textContent") or "")
    slider.send_keys(Keys.HOME)
    assert "=0.00122" in (line.get_attribute("textContent") or "")


# --- screens ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("problem", [*PROBLEMS, "chinese-homework", "several"])
def test_no_page_is_wider_than_its_screen(browser: Browser, problem: str, width: int) -> None:
    several = tuple(derivation(name) for name in PROBLEMS[:3])
    text = written(several, "html") if problem == "several" else page(problem, form="both")
    browser.show(text, width)
    assert _overflow(browser) <= 0
    browser.press(Keys.ARROW_RIGHT)
    browser.run("document.querySelector('.text .step .place').click()")
    assert _overflow(browser) <= 0
    unreached = browser.run(
        "return [...document.querySelectorAll('.right, .scroll, .drawing')].filter((one) => one.scrollWidth > one.clientWidth + 1"
        " && one.tabIndex < 0).length"
    )
    assert unreached == 0


@pytest.mark.parametrize("problem", PROBLEMS)
def test_nothing_is_wider_than_paper(browser: Browser, problem: str) -> None:
    """A4 between its margins: nothing scrolls there, so nothing may stand out."""
    for view in ("key", "worksheet"):
        browser.show(page(problem, view=view, form="both"), 670, media="print")
        out = browser.run(
            "return [...document.querySelectorAll('main math, main td, main th, main svg, main .blank')]"
            ".filter((one) => one.getBoundingClientRect().right > innerWidth + 1).map((one) => one.textContent.slice(0, 60))"
        )
        assert out == []


def _overflow(browser: Browser) -> int:
    """How much wider the page is than the window."""
    width: int = browser.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return width


def test_light_and_dark(browser: Browser) -> None:
    colour = "return getComputedStyle(document.documentElement).backgroundColor"
    browser.show(page("mazur-2-2-2"))
    light = browser.run(colour)
    browser.one(".theme").click()
    dark = browser.run(colour)
    browser.one(".theme").click()
    assert browser.run(colour) == light != dark
    browser.show(page("mazur-2-2-2"), dark=True)
    assert browser.run(colour) == dark
    browser.show(page("mazur-2-2-2"), dark=True, media="print")
    assert browser.run(colour) == "rgb(255, 255, 255)"


@pytest.mark.skipif(not AXE.exists(), reason=f"there is no {AXE}; set HANDCALC_NODE_MODULES to where axe-core is installed")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("problem", ["mazur-2-2-2", "worksheet", "several", "dlfs-convolution", "attention-backward"])
def test_no_serious_barriers(browser: Browser, problem: str, dark: bool) -> None:
    """axe-core finds nothing serious: as loaded, at a line, and with an explanation open."""
    if problem == "several":
        text = written((derivation("mazur-2-2-2"), derivation("micrograd-readme")), "html")
    else:
        text = page("mazur-2-2-2", view="worksheet") if problem == "worksheet" else page(problem)
    browser.show(text, 1400 if dark else 800, dark)
    browser.run(AXE.read_text("utf-8"))
    assert _barriers(browser) == []
    if problem != "worksheet":
        browser.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
        assert _barriers(browser) == []
        browser.run("[...document.querySelectorAll('.text .step .place')].at(-1).click()")
        assert _barriers(browser) == []


def _barriers(browser: Browser) -> list[str]:
    found = browser.driver.execute_async_script("axe.run().then(arguments[arguments.length - 1])")
    return [
        f"{fault['impact']}: {fault['help']}: {fault['nodes'][0]['html'][:200]} {fault['nodes'][0].get('failureSummary', '')[:300]}"
        for fault in found["violations"]
        if fault["impact"] in ("serious", "critical")
    ]


def test_barriers_are_found(browser: Browser) -> None:
    if not AXE.exists():
        pytest.skip(f"there is no {AXE}")
    browser.show(page("mazur-2-2-2"))
    browser.run("document.querySelector('.next').removeAttribute('aria-label'); document.querySelector('.next').textContent = ''")
    browser.run("document.querySelector('.next').removeAttribute('title')")
    browser.run(AXE.read_text("utf-8"))
    assert any("critical" in barrier for barrier in _barriers(browser))


# --- windows and shares -----------------------------------------------------------------------------------------------


def test_a_window_is_lit_in_the_drawing(browser: Browser) -> None:
    """Stepping through a convolution and a pooling, the squares that a number is made from light up, and its own."""
    browser.show(page("conv-pool-dense"))
    lit = "return [...document.querySelectorAll('.panel .cell.lit')].map((cell) => cell.dataset.step)"
    places = browser.run("return chapters[0].data.lines.map((line) => chapters[0].data.ids[line])")
    for step in ("net.f1[1,2]", "out2[1,2,1]"):
        browser.run("chapters[0].mark(arguments[0])", places.index(step))
        graph = derivation("conv-pool-dense").graph
        cell = graph.find(step)
        assert cell is not None
        assert {step, *map(graph.cell_id, graph.uses(cell))} <= {*browser.run(lit)}


def test_attention_is_shaded(browser: Browser) -> None:
    """The larger a share, the more colour is behind it, in the drawing and in the table; no other square has any."""
    browser.show(page("karim-self-attention"))
    shades = (
        "return [...document.querySelectorAll(arguments[0] + ' .share')].map((one) => "
        "[parseFloat(one.style.getPropertyValue('--share')), (one.matches('td') ? one : one.parentNode).textContent])"
    )
    found = derivation("karim-self-attention")
    (name,) = (quantity.name for quantity in found.graph if quantity.role == "attention")
    shares = [float(found.evaluation.precise((name, place))) for place in found.graph.positions(name)]
    for where in (".panel", ".text table"):
        seen = browser.run(shades, where)
        assert sorted(shade for shade, _ in seen) == sorted(round(45 * share) for share in shares)


# --- slides -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width, dark", [(1400, False), (390, True)])
def test_slides_are_gone_through(browser: Browser, width: int, dark: bool) -> None:
    """By keys and clicks, each as high as the window; nothing is loaded, and nobody is kept out."""
    address = browser.show(written(derivation("tiny-linear-neuron"), "slides"), width, dark)
    heights = browser.run("return [...document.querySelectorAll('.slide')].map((one) => one.offsetHeight)")
    assert {*heights} == {900}
    place = "return location.hash"
    browser.press(Keys.ARROW_RIGHT, " ", Keys.PAGE_DOWN)
    assert browser.run(place) == "#s4"
    browser.press(Keys.ARROW_LEFT)
    browser.one("#s3").click()
    assert browser.run(place) == "#s4"
    browser.press(Keys.END, Keys.ARROW_RIGHT)
    assert browser.run(place) == f"#s{len(heights)}"
    assert browser.run("return Math.abs(document.querySelector('.slide:last-of-type').getBoundingClientRect().top)") < 2
    assert browser.run("return document.documentElement.scrollWidth") <= width
    assert browser.requests() == [address] and browser.complaints() == []
    browser.run(AXE.read_text("utf-8") if AXE.exists() else "axe = {run: async () => ({violations: []})}")
    assert _barriers(browser) == []


def test_slides_show_what_is_known(browser: Browser) -> None:
    """A number of the drawing is seen from the slide on that works it out."""
    browser.show(written(derivation("mazur-2-2-2"), "slides"))
    script = (
        "const one = [...document.querySelectorAll('#d1-1 [data-n]')].find((one) => one.textContent === '0.3775');"
        "const step = Number(one.dataset.n);"
        "const seen = [step - 1, step, step + 9].map((k) => {"
        "document.querySelector('.store').style.setProperty('--k', k); return Number(getComputedStyle(one).fillOpacity) });"
        "return [seen, document.querySelector(`#s${step} .step`).textContent]"
    )
    seen, line = browser.run(script)
    assert seen == [0, 1, 1] and line.endswith("0.3775")


def test_slides_print_one_a_page(browser: Browser) -> None:
    import base64
    import io

    pypdf = pytest.importorskip("pypdf", reason="PDF is read back with the package pypdf")
    text = written(derivation("tiny-linear-neuron"), "slides")
    browser.show(text)
    printed = browser.driver.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True, "printBackground": True})
    pages = pypdf.PdfReader(io.BytesIO(base64.b64decode(printed["data"]))).pages
    assert len(pages) == text.count('<section class="slide')
    assert all(f"{place} / {len(pages)}" in one.extract_text() for place, one in enumerate(pages, 1))
