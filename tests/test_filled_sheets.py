"""Worksheets filled in in a browser: checked with reasons, saved as a sheet that `handcalc check` reads, by keyboard, on every screen.

Needs Chromium, as the tests of test_browser.py do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from exports import derivation
from shipping import loaded
from test_browser import AXE, BROWSER, DRIVER, Browser, Keys, _barriers, _overflow
from test_fields import sheet_page

from handcalc.marking.answers import read_sheet
from handcalc.marking.check import Checker
from handcalc.render.reading import read

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DRIVER or not BROWSER, reason="there is no Chromium with chromedriver"),
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    found = Browser(tmp_path_factory.mktemp("browser"))
    yield found
    found.driver.quit()


FILL = """
for (const field of document.querySelectorAll("input.answer")) {
  const text = arguments[0][field.dataset.answer];
  if (text === undefined) continue;
  field.value = text;
  field.dispatchEvent(new Event("input"));
}
"""
ANSWERS = {"net.h1": "0.3775", "out.h1": "0.15*0.05 = 0,5933", "out.h2": "0.6", "loss": "0.1492", "grad.net.o1": "0.7414", "new.w5": "oops"}


SHEETS = [("mazur-2-2-2", ""), ("mazur-2-2-2", "zhou"), ("xigua-thresholds", ""), ("prachub-bptt", "")]


@pytest.mark.parametrize("problem, notation", SHEETS)
def test_what_is_saved_is_a_sheet(browser: Browser, problem: str, notation: str, tmp_path: Path) -> None:
    """Filled with right numbers in the letters of a notation it is right on the page, and for handcalc check; nothing was asked of
    any network."""
    address = browser.show(sheet_page(problem, notation=notation))
    found = derivation(problem)
    reading = read(found, notation)
    ids = browser.run("return [...document.querySelectorAll('input.answer')].map((field) => field.dataset.answer)")
    browser.run(FILL, {id: reading.shown(*found.find(id)).plain for id in ids})
    browser.one(".student").send_keys("Nina")
    browser.one(".check").click()
    score = re.findall(r"[\d.]+", browser.one(".score").text)
    assert score[0] == score[1] == str(len(set(ids)))
    path = tmp_path / "sheet.txt"
    path.write_text(browser.run("return new Sheet(document.querySelector('.chapter')).text()"), "utf-8")
    sheet = read_sheet(path)
    marking = Checker(loaded(problem)).mark(sheet)
    assert sheet.name == "Nina" and {answer.verdict for answer in marking.answers} <= {"correct", "rounded"}
    browser.one(".save").click()
    assert browser.requests() == [address] and browser.complaints() == []


def test_reasons_are_said(browser: Browser) -> None:
    """A verdict and why stands beside each answer, and is what describes its field; Enter asks for one."""
    browser.show(sheet_page("mazur-2-2-2"))
    browser.run(FILL, ANSWERS)
    field = browser.one("[data-answer='net.h1']")
    field.send_keys(Keys.ENTER)
    assert [one.text for one in browser.driver.find_elements("css selector", ".said") if one.text] == ["✓ Right."]
    browser.one(".check").send_keys(Keys.ENTER)
    described = "return document.getElementById(document.querySelector(arguments[0]).getAttribute('aria-describedby')).textContent"
    texts = {id: browser.run(described, f"[data-answer='{id}']") for id in ANSWERS}
    assert texts["out.h1"] == "✓ Right." and texts["out.h2"] == "~ Right, but with too few digits."
    assert texts["loss"].startswith("✗ 1/n stood beside 1/2") and "oops is no number" in texts["new.w5"]
    assert browser.one("[data-answer='loss']").get_attribute("aria-invalid") == "true"
    assert browser.one(".score").text.startswith("2.5 of 56 marks")
    field.send_keys("1")
    assert not browser.one("[data-answer='net.h1'] + .said").text


@pytest.mark.parametrize("width, dark", [(1400, True), (390, False)])
def test_on_every_screen(browser: Browser, width: int, dark: bool) -> None:
    browser.show(sheet_page("mazur-2-2-2"), width, dark)
    browser.run(FILL, ANSWERS)
    browser.run("document.querySelector('.check').click(); document.querySelector('.written').open = true")
    browser.run(AXE.read_text("utf-8") if AXE.exists() else "axe = {run: async () => ({violations: []})}")
    assert _overflow(browser) == 0 and _barriers(browser) == []
