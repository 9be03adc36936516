"""Quiz files in programs of others: gift-pegjs and pygiftparser read GIFT, PHP's regular expressions split cloze questions, text2qti
makes the same item for Canvas, citolab-qti-convert goes between versions of QTI, qti-components plays QTI 3 in Chromium.

Those for node are looked for in the folder named by HANDCALC_NODE_MODULES (else ./node_modules); those for Python in environments of
their own, pygiftparser/ and qti/ in the folder named by HANDCALC_QUIZ_CLIENTS (else ./clients), since they want other versions of
the same libraries; php on the path. Tests of what is missing are skipped.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import quizreaders
from quizreaders import IMSQTI, Item, graded
from test_quiz import hostile

from handcalc.exercises.quiz import Question, Quiz, QuizSource, QuizWish, question
from handcalc.exercises.quizzes import prepared, written

MODULES = Path(os.environ.get("HANDCALC_NODE_MODULES", "node_modules")).absolute()
CLIENTS = Path(os.environ.get("HANDCALC_QUIZ_CLIENTS", "clients")).absolute()
GIFT, QTI = MODULES / "gift-pegjs", MODULES / "@citolab" / "qti-components" / "cdn" / "index.global.js"
NAMES = ("mazur-2-2-2", "micrograd-readme", "xigua-thresholds")

pytestmark = pytest.mark.slow

READ = """
const {parse} = require(process.argv[1]);
process.stdout.write(JSON.stringify(parse(require("fs").readFileSync(0, "utf8"))));
"""
READ_GIFT = """
import json, sys
from pygiftparser import parser
found = parser.parseFile(open(sys.argv[1], encoding="utf-8"))
json.dump([[one.text, [[a.fraction, a.value, a.tolerance, a.feedback] for a in one.answers.answers] if one.valid else []]
           for one in found], sys.stdout)
"""
# what a cloze question is to PHP: gaps, alternatives, and of each the percentage, the answer, the tolerance, the feedback
SPLIT = r"""
$number = '-?(?:\d+[.,]?\d*|[.,]\d+)(?:e[-+]?\d+)?';
$gaps = [];
$text = stream_get_contents(STDIN);
preg_match_all('/\{(\d*):(?:NUMERICAL|NM):(.*?)(?<!\\\\)\}/su', $text, $found, PREG_SET_ORDER);
if (preg_last_error()) exit(preg_last_error_msg());
foreach ($found as $gap) {
  $alternatives = [];
  foreach (preg_split('/(?<!\\\\)~/u', $gap[2]) as $part) {
    if (!preg_match('/^(?:(=)|%(-?\d+(?:[.,]\d*)?)%)?(.+?)(?:(?<!\\\\)#(.*))?$/su', $part, $read)) exit("no alternative: $part");
    if ($read[3] !== '*' && !preg_match("/^($number)(?::($number))?$/i", $read[3], $digits)) exit("no number: $read[3]");
    $feedback = html_entity_decode(preg_replace('/\\\\([}#])/', '$1', $read[4] ?? ''), ENT_QUOTES | ENT_HTML5, 'UTF-8');
    $ends = $read[3] === '*' ? null : [(float) $digits[1] - (float) ($digits[2] ?? 0), (float) $digits[1] + (float) ($digits[2] ?? 0)];
    $alternatives[] = [$read[1] === '=' ? 100.0 : (float) $read[2], $ends, $feedback];
  }
  $gaps[] = $alternatives;
}
echo json_encode($gaps, JSON_UNESCAPED_UNICODE);
"""
IS_NUMERIC = "echo json_encode(array_map('is_numeric', json_decode(stream_get_contents(STDIN))));"
TEXT2QTI = """\
Quiz title: one number

1. [{code}] What is the number?
... general
+ right
- wrong
= {answer} +- {tolerance}
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


def program(environment: str, name: str, package: str) -> str:
    """A program of an environment of its own; without it the test is skipped."""
    found = CLIENTS / environment / "bin" / name
    if not found.exists():
        folder = f"$HANDCALC_QUIZ_CLIENTS/{environment}"
        pytest.skip(f"{package} is not installed: python -m venv {folder}; {folder}/bin/pip install {package}")
    return str(found)


def php(script: str, typed: str) -> Any:
    """What a script of PHP answers as JSON."""
    command = shutil.which("php")
    if command is None:
        pytest.skip("php is not installed")
    done = subprocess.run([command, "-r", script], input=typed, capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.startswith("["), done.stdout[:500] + done.stderr[:500]
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", (*NAMES, "hostile"))
def test_pygiftparser_reads_the_same(name: str, tmp_path: Path) -> None:
    """Numbers, tolerances, weights, feedback; it undoes no escapes, and knows no negative numbers."""
    python = program("pygiftparser", "python", "pygiftparser==1.1")
    text = str(written(Quiz((hostile(tmp_path) if name == "hostile" else asking(name),), "number"), "gift"))
    (tmp_path / "quiz.gift").write_text(text, encoding="utf-8")
    done = subprocess.run([python, "-c", READ_GIFT, str(tmp_path / "quiz.gift")], capture_output=True, check=True)
    read, items = json.loads(done.stdout), quizreaders.gift(text)[1]
    assert len(read) == len(items)
    compared = 0
    for (body, answers), item in zip(read, items):
        assert quizreaders.unescaped(body) == item.text
        found = [(part, value - slack, value + slack, quizreaders.unescaped(said)) for part, value, slack, said in answers]
        expected = [
            (one.percent, *(pytest.approx(end, rel=1e-12, abs=1e-15) for end in (one.low, one.high)), one.feedback) for one in item.answers
        ]
        negative = any(one.shown.startswith("-") for one in item.answers)
        assert found == ([] if negative else expected)
        compared += not negative
    assert compared


@pytest.mark.parametrize("name", (*NAMES, "hostile"))
def test_php_splits_the_gaps_into_our_answers(name: str, tmp_path: Path) -> None:
    """Every gap, alternative by alternative: nothing is cut off, spilled or added, and every answer is a number."""
    one = hostile(tmp_path) if name == "hostile" else asking(name)
    text = str(written(Quiz((one,), "variant"), "moodle"))
    (body,) = (question.findtext("questiontext/text") or "" for question in ElementTree.fromstring(text) if question.get("type") == "cloze")
    read = php(SPLIT, body)
    assert len(read) == len(one.numbers)
    for gap, number in zip(read, one.numbers):
        *answers, (percent, ends, otherwise) = gap
        assert (percent, ends) == (0, None) and otherwise
        told = number.told(one.translate)
        assert [(part, said) for part, _, said in answers] == [(part, said) for _, part, said in told]
        for (_, found, _), (interval, _, _) in zip(answers, told):
            assert found == pytest.approx([float(interval.low), float(interval.high)], rel=1e-5)
    found = [text for item in quizreaders.gift(str(written(Quiz((one,), "number"), "gift")))[1] for text in _typed(item)]
    assert found and all(php(IS_NUMERIC, json.dumps(found)))


def _typed(item: Item) -> Iterator[str]:
    yield from (answer.shown for answer in item.answers)


def test_text2qti_makes_the_same_item(tmp_path: Path) -> None:
    """Files, resources and every element of an item; ours has a further condition for what was rounded on the way."""
    command = program("qti", "text2qti", "text2qti==0.8.0 citolab-qti-convert==0.2.0")
    quiz, _ = prepared(Quiz((asking("mazur-2-2-2"),), "number"), "canvas")
    content = written(quiz, "canvas")
    assert isinstance(content, bytes)
    number = quiz.questions[0].numbers[0]
    asked = TEXT2QTI.format(code="a", answer=number.answer, tolerance=10 * number.unit)  # it rounds ends to 4 decimals
    (tmp_path / "quiz.md").write_text(asked, encoding="utf-8")
    subprocess.run([command, "quiz.md"], cwd=tmp_path, capture_output=True, check=True)
    with zipfile.ZipFile(tmp_path / "quiz.zip") as theirs, zipfile.ZipFile(io.BytesIO(content)) as ours:
        files = [sorted(re.sub(r"\w{30,}", "ID", name) for name in archive.namelist()) for archive in (theirs, ours)]
        assert files[0] == files[1]
        manifests = [ElementTree.fromstring(archive.read("imsmanifest.xml")) for archive in (theirs, ours)]
        shapes = [_shape(next(one for one in root if one.tag.endswith("}resources"))) for root in manifests]
        assert shapes[0] == shapes[1]
        items = [
            next(archive.read(name) for name in archive.namelist() if re.search(r"/\w{30,}\.xml$", name)) for archive in (theirs, ours)
        ]
    their, own = (next(ElementTree.fromstring(item).iter(f"{IMSQTI}item")) for item in items)
    (processing,) = own.iter(f"{IMSQTI}resprocessing")
    for condition in [one for one in processing if one.get("continue") == "No"][1 : len(number.accepted)]:
        processing.remove(condition)
    assert _shape(their) == _shape(own)


def _shape(element: ElementTree.Element) -> Any:
    """The tags of an element and of all below it, with their attributes; what names and numbers are is left out."""
    kept = {name: value for name, value in element.attrib.items() if not re.search(r"\w{30,}|^answer1$", value)}
    for name in ("title", "ident", "margin", "margintype", "identifier", "href", "identifierref"):
        kept.pop(name, None)
    return element.tag, sorted(kept.items()), [_shape(one) for one in element]


def packed(name: str, format: str) -> bytes:
    """A quiz as an archive."""
    content = written(Quiz((asking(name),), "number"), format)
    assert isinstance(content, bytes)
    return content


def converted(way: str, source: str, folder: Path) -> bytes:
    """The same in another version, by the converter."""
    command = program("qti", "qti-convert", "text2qti==0.8.0 citolab-qti-convert==0.2.0")
    (folder / "source.zip").write_bytes(packed("mazur-2-2-2", source))
    subprocess.run([command, way, "-q", "source.zip", "target.zip"], cwd=folder, capture_output=True, check=True)
    return (folder / "target.zip").read_bytes()


@pytest.mark.parametrize("way", ["upgrade", "downgrade"])
def test_a_converter_of_versions_keeps_what_is_right(way: str, tmp_path: Path) -> None:
    """QTI 2.1 made into 3.0 and the other way round: the same numbers, intervals, scores and feedback."""
    source, target = ("qti21", "qti3") if way == "upgrade" else ("qti3", "qti21")
    with zipfile.ZipFile(io.BytesIO(converted(way, source, tmp_path))) as archive:
        test = ElementTree.fromstring(archive.read("test.xml"))
        names = [quizreaders.attribute(one, "href") for one in quizreaders.named(test, "assessmentItemRef")]
        items = [quizreaders.qti_item(ElementTree.fromstring(archive.read(name))) for name in names]
    expected = quizreaders.qti(packed("mazur-2-2-2", target))
    assert [one.answers for one in items] == [one.answers for one in expected]
    assert [one.otherwise for one in items] == [one.otherwise for one in expected]


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


@pytest.mark.parametrize("way", ["own", "upgrade"])
def test_the_player_scores_and_names(player: Any, way: str, tmp_path: Path) -> None:
    """Right, rounded, every slip, and what is no number, in QTI 3.0 and in 2.1 made into it; the player knows no tolerance."""
    one = asking("mazur-2-2-2")
    content = packed("mazur-2-2-2", "qti3")
    with zipfile.ZipFile(io.BytesIO(content if way == "own" else converted(way, "qti21", tmp_path))) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
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
