"""Quiz files in programs of others: gift-pegjs reads GIFT, qti-components plays QTI 3 in Chromium.

Both are looked for in the folder named by HANDCALC_NODE_MODULES (else ./node_modules); without them, and without node, selenium or
Chromium, the tests are skipped.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import quizreaders
from quizreaders import Item, graded

from handcalc.exercises.quiz import Question, Quiz, QuizSource, QuizWish, question
from handcalc.exercises.quizzes import written

MODULES = Path(os.environ.get("HANDCALC_NODE_MODULES", "node_modules")).absolute()
GIFT, QTI = MODULES / "gift-pegjs", MODULES / "@citolab" / "qti-components" / "cdn" / "index.global.js"
NAMES = ("mazur-2-2-2", "micrograd-readme", "xigua-thresholds")

pytestmark = pytest.mark.slow

READ = """
const {parse} = require(process.argv[1]);
process.stdout.write(JSON.stringify(parse(require("fs").readFileSync(0, "utf8"))));
"""
SHOW = """
document.body.textContent = "";
const item = document.createElement("qti-item"), container = document.createElement("item-container");
container.itemXML = arguments[0];
item.appendChild(container);
document.body.appendChild(item);
const done = arguments[1];
const wait = () => container.shadowRoot && container.shadowRoot.querySelector("qti-text-entry-interaction") ? setTimeout(done, 100)
                 : setTimeout(wait, 20);
wait();
"""
TYPE = """
const [typed, done] = arguments;
const root = document.querySelector("item-container").shadowRoot, item = root.querySelector("qti-assessment-item");
const entry = item.querySelector("qti-text-entry-interaction"), field = (entry.shadowRoot || entry).querySelector("input");
field.value = typed;
for (const kind of ["input", "change"]) field.dispatchEvent(new Event(kind, {bubbles: true}));
setTimeout(() => {
  item.processResponse();
  setTimeout(() => done(["SCORE", "FEEDBACK"].map(name => item.getOutcome(name).value)), 20);
}, 20);
"""


def asking(name: str) -> Question:
    return question(QuizSource(name, name, name, "0" * 64), QuizWish())


@pytest.mark.parametrize("name", NAMES)
def test_gift_pegjs_reads_the_same(name: str) -> None:
    """Numbers, tolerances, weights, feedback, categories, ids."""
    node = shutil.which("node")
    if not GIFT.is_dir() or node is None:
        pytest.skip("gift-pegjs is not installed: npm install gift-pegjs, or name its node_modules in HANDCALC_NODE_MODULES")
    text = str(written(Quiz((asking(name),), "number"), "gift"))
    done = subprocess.run([node, "-e", READ, str(GIFT)], input=text, capture_output=True, encoding="utf-8", check=True)
    category, *read = json.loads(done.stdout)
    categories, items = quizreaders.gift(text)
    assert category["title"] == categories[0] and len(read) == len(items)
    for one, item in zip(read, items):
        assert one["type"] == "Numerical" and one["stem"]["text"] == item.text and one["id"].startswith(name)
        assert [_gift(choice) for choice in one["choices"]] == [
            (answer.percent, pytest.approx((answer.low, answer.high), rel=1e-12, abs=1e-15), answer.feedback) for answer in item.answers
        ]


def _gift(choice: Any) -> tuple[float, tuple[float, float], str]:
    number, tolerance = choice["text"]["number"], choice["text"]["range"]
    return choice["weight"], (number - tolerance, number + tolerance), choice["feedback"]["text"]


@pytest.fixture(scope="module")
def player(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A page of Chromium with the player."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    from selenium.webdriver.chrome.service import Service

    driver, browser = shutil.which("chromedriver"), shutil.which("chromium") or shutil.which("google-chrome")
    if not driver or not browser:
        pytest.skip("there is no Chromium with chromedriver")
    if not QTI.exists():
        pytest.skip("qti-components is not installed: npm install @citolab/qti-components, or name its folder in HANDCALC_NODE_MODULES")
    folder = tmp_path_factory.mktemp("player")
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(argument)
    options.binary_location = browser
    found = webdriver.Chrome(options=options, service=Service(driver))
    page = folder / "page.html"
    page.write_text(f'<!DOCTYPE html><meta charset="utf-8"><script src="{QTI.as_uri()}"></script><body></body>', "utf-8")
    found.get(page.as_uri())
    found.set_script_timeout(30)
    yield found
    found.quit()


def test_the_player_scores_and_names(player: Any) -> None:
    """Right, rounded, every slip, and what is no number; the player knows no tolerance."""
    one = asking("mazur-2-2-2")
    content = written(Quiz((one,), "number"), "qti3")
    assert isinstance(content, bytes)
    files = quizreaders.archive(content)
    numbers = [(place, number) for place, number in enumerate(one.numbers, 1) if number.id in ("loss", "grad.net.o2", "new.w5")]
    for place, number in numbers:
        player.execute_async_script(SHOW, files[f"items/q-mazur-2-2-2-{place}.xml"].decode())
        item: Item = quizreaders.qti(content)[place - 1]
        middle = str(float(number.wide.centre))
        expected = {number.answer: 1, middle: 1, "junk": 0, "1e9": 0, **{slip.answer: 0 for slip in number.slips}}
        for typed, score in expected.items():
            got, feedback = player.execute_async_script(TYPE, typed)
            assert float(got) == score == (graded(item, float(typed))[0] / 100 if typed != "junk" else 0), (number.id, typed)
            slip = next((slip for slip in number.slips if slip.answer == typed), None)
            assert feedback.startswith(slip.forms[0].slug if slip else ("right", "rounded") if score else "otherwise"), (typed, feedback)
