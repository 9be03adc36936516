"""Readers of quiz files by the rules that the platforms' own importers follow, written anew; nothing here uses the writers.

- `moodle(text)`, `gift(text)`, `canvas(content)`, `qti(content)` answer `Item`s: a code, a name, and `Answer`s in the order in which they
  are tried; `graded(item, typed)` is the percentage and the feedback of what somebody types.
- `parts(text)` splits the text of a cloze question.
"""

from __future__ import annotations

import html
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

CLOZE_NUMBER = re.compile(r"-?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][-+]?\d+)?")
PHP_NUMERIC = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?")
UNESCAPED = r"(?<!\\)"


@dataclass
class Answer:
    """An interval with its percentage and feedback."""

    low: float
    high: float
    percent: float
    feedback: str
    shown: str = ""


@dataclass
class Item:
    """One number that is asked: the text of its question, its answers in order, what is said otherwise, hints."""

    text: str
    answers: list[Answer]
    otherwise: str = ""
    hints: list[str] = field(default_factory=list)
    kind: str = ""
    raw: Any = None

    @property
    def code(self) -> str:
        found = re.search(r"\[([A-Za-z0-9_-]+)\]", self.text)
        assert found, self.text[:200]
        return found[1]


def graded(item: Item, typed: float) -> tuple[float, str]:
    """Percentage and feedback: the first answer whose interval has the number decides."""
    for answer in item.answers:
        slack = 1e-14 * max(1.0, abs(answer.low + answer.high) / 2)
        if answer.low - slack <= typed <= answer.high + slack:
            return answer.percent, answer.feedback
    return 0.0, item.otherwise


def interval(answer: str, tolerance: str) -> tuple[float, float]:
    """Ends in decimals, as they are written."""
    return float(Decimal(answer) - Decimal(tolerance)), float(Decimal(answer) + Decimal(tolerance))


# --- Moodle -----------------------------------------------------------------------------------------------------------


def parts(text: str) -> Iterator[tuple[int, list[str]]]:
    """The gaps of a cloze text: weight, and alternatives; a gap ends at the first } that no backslash stands before."""
    for found in re.finditer(rf"{{(\d*):(?:NUMERICAL|NM):(.*?){UNESCAPED}}}", text, re.DOTALL):
        yield int(found[1] or 1), re.split(rf"{UNESCAPED}~", found[2])


def alternative(text: str) -> Answer | str:
    """An alternative of a gap; a text where it is the one for everything else."""
    found = re.fullmatch(r"(?:=|%(-?\d+(?:[.,]\d*)?)%)?(.+?)(?:#(.*))?", text, re.DOTALL)
    assert found, text
    percent = 100.0 if text.startswith("=") else float(found[1] or 0)
    feedback = html.unescape(re.sub(r"\\([}#])", r"\1", found[3] or ""))
    if found[2] == "*":
        assert not percent
        return feedback
    answer, _, tolerance = found[2].partition(":")
    assert CLOZE_NUMBER.fullmatch(answer) and CLOZE_NUMBER.fullmatch(tolerance), text
    return Answer(*interval(answer, tolerance), percent, feedback, answer)


def moodle(text: str) -> tuple[list[str], list[Item]]:
    """Categories and numbers of a Moodle XML file; numbers of a gap carry those of their question."""
    root = ElementTree.fromstring(text)
    assert root.tag == "quiz"
    categories, items = [], []
    ids: set[tuple[str, str]] = set()
    for question in root:
        kind = question.get("type")
        if kind == "category":
            categories.append(question.findtext("category/text") or "")
            assert question.find("info").get("format")  # type: ignore[union-attr]
            continue
        name, number = question.findtext("name/text") or "", question.findtext("idnumber") or ""
        assert 0 < len(name) <= 255 and (categories[-1], number) not in ids
        ids.add((categories[-1], number))
        files = [file.get("name") for file in question.iterfind("questiontext/file")]
        body = question.findtext("questiontext/text") or ""
        assert all(f"@@PLUGINFILE@@/{file}" in body for file in files)
        hints = [hint.findtext("text") or "" for hint in question.iterfind("hint")]
        items += _cloze(body, hints) if kind == "cloze" else [_numerical(question, body, hints)]
    return categories, items


def _cloze(body: str, hints: list[str]) -> Iterator[Item]:
    for weight, alternatives in parts(body):
        read = [alternative(one) for one in alternatives]
        answers = [one for one in read if isinstance(one, Answer)]
        others = [one for one in read if isinstance(one, str)]
        assert any(one.percent == 100 for one in answers) and weight > 0 and isinstance(read[-1], str)
        yield Item(body, answers, others[0], hints, "cloze", alternatives)


def _numerical(question: ElementTree.Element, body: str, hints: list[str]) -> Item:
    answers, otherwise = [], ""
    for answer in question.iterfind("answer"):
        text, feedback = answer.findtext("text") or "", answer.findtext("feedback/text") or ""
        percent = float(answer.get("fraction") or 0)
        assert percent in (0, 50, 100)
        if text == "*":
            otherwise = html.unescape(feedback)
            continue
        assert PHP_NUMERIC.fullmatch(text), text
        answers.append(Answer(*interval(text, answer.findtext("tolerance") or "0"), percent, html.unescape(feedback), text))
    assert question.get("type") == "numerical" and question.find("units") is None
    return Item(body, answers, otherwise, hints, "numerical")


# --- GIFT -------------------------------------------------------------------------------------------------------------


def unescaped(text: str) -> str:
    """What GIFT's escapes mean, undone in Moodle's order: a newline, then every letter behind a backslash."""
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], text, flags=re.DOTALL)


def gift(text: str) -> tuple[list[str], list[Item]]:
    """Categories and numbers of a GIFT file."""
    categories, items = [], []
    for block in re.split(r"\n\s*\n", text):
        lines = [line for line in block.split("\n") if not line.lstrip().startswith("//")]
        joined = "\n".join(lines).strip()
        if joined.startswith("$CATEGORY:"):
            assert "\n" not in joined
            categories.append(joined.removeprefix("$CATEGORY:").strip())
        elif joined:
            items.append(_gift_item(joined))
    return categories, items


def _gift_item(text: str) -> Item:
    start, end = (re.search(rf"{UNESCAPED}{sign}", text) for sign in (r"{", r"}"))
    assert start and end and end.end() == len(text)
    head = re.fullmatch(rf"::(.*?){UNESCAPED}::\[html\](.*)", text[: start.start()].strip(), re.DOTALL)
    assert head, text[:200]
    inside = text[start.end() : end.start()]
    assert inside.startswith("#")
    body = inside[1:].partition("####")[0]
    assert not re.search(rf"{UNESCAPED}~", body)  # no wrong-answer part: it would have to be the last
    found = [part.strip() for part in re.split(rf"{UNESCAPED}=", body) if part.strip()]
    return Item(unescaped(head[2]), [_gift_answer(part) for part in found], kind="gift")


def _gift_answer(text: str) -> Answer:
    found = re.fullmatch(rf"%(\d+)%(.*?)(?:{UNESCAPED}#(.*))?", text, re.DOTALL)
    assert found, text
    answer, _, tolerance = found[2].partition(":")
    assert PHP_NUMERIC.fullmatch(answer) and PHP_NUMERIC.fullmatch(tolerance), text
    assert re.fullmatch(r"-?\d+(\.\d+)?", answer) and re.fullmatch(r"\d+(\.\d+)?", tolerance)
    return Answer(*interval(answer, tolerance), float(found[1]), unescaped(found[3] or ""), answer)


# --- Canvas -----------------------------------------------------------------------------------------------------------

IMSQTI, IMSCP = "{http://www.imsglobal.org/xsd/ims_qtiasiv1p2}", "{http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1}"


def archive(content: bytes) -> dict[str, bytes]:
    """The files of an archive, all dated 1980."""
    with zipfile.ZipFile(io.BytesIO(content)) as found:
        assert {entry.date_time for entry in found.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert len({*found.namelist()}) == len(found.namelist())
        return {name: found.read(name) for name in found.namelist()}


def canvas(content: bytes) -> list[Item]:
    """The numbers of a package for Canvas; every condition counts with full marks, whatever its score."""
    files = archive(content)
    assert "non_cc_assessments/" in files
    resources = list(ElementTree.fromstring(files["imsmanifest.xml"]).iter(f"{IMSCP}resource"))
    known = {resource.get("identifier"): resource for resource in resources}
    assert len(known) == len(resources)
    items: list[Item] = []
    for resource in resources:
        for file in resource.iter(f"{IMSCP}file"):
            assert file.get("href") in files
        if resource.get("type") != "imsqti_xmlv1p2":
            assert resource.get("type") == "associatedcontent/imscc_xmlv1p1/learning-application-resource"
            continue
        depends = [known[one.get("identifierref")] for one in resource.iter(f"{IMSCP}dependency")]
        name = resource.get("identifier")
        assert [one.get("href") for one in depends] == [f"{name}/assessment_meta.xml"]
        root = ElementTree.fromstring(files[f"{name}/{name}.xml"])
        items += [_canvas_item(item) for item in root.iterfind(f"{IMSQTI}assessment/{IMSQTI}section/{IMSQTI}item")]
    return items


def _canvas_item(item: ElementTree.Element) -> Item:
    fields = {
        field.findtext(f"{IMSQTI}fieldlabel"): field.findtext(f"{IMSQTI}fieldentry") for field in item.iter(f"{IMSQTI}qtimetadatafield")
    }
    assert fields["question_type"] == "numerical_question" and float(fields["points_possible"] or 0) > 0
    assert not list(item.iter(f"{IMSQTI}vargt")) and not list(item.iter(f"{IMSQTI}varlt"))
    told = {
        one.get("ident"): html.unescape("".join(text.text or "" for text in one.iter(f"{IMSQTI}mattext")))
        for one in item.iter(f"{IMSQTI}itemfeedback")
    }
    answers, otherwise = [], ""
    for condition in item.iter(f"{IMSQTI}respcondition"):
        shown = [told[one.get("linkrefid")] for one in condition.iter(f"{IMSQTI}displayfeedback")]
        if condition.find(f".//{IMSQTI}other") is not None:
            otherwise = shown[-1]
            continue
        low, high = (float(condition.findtext(f".//{IMSQTI}{name}") or "nan") for name in ("vargte", "varlte"))
        exact = condition.findtext(f".//{IMSQTI}varequal")
        if exact is not None:  # classic Canvas takes the lower bound for the margin on both sides
            assert Decimal(exact) * 2 == Decimal(condition.findtext(f".//{IMSQTI}vargte") or 0) + Decimal(
                condition.findtext(f".//{IMSQTI}varlte") or 0
            )
        assert [one.text for one in condition.iter(f"{IMSQTI}setvar")] == ["100"]
        answers.append(Answer(low, high, 100, shown[0], exact or ""))
    body = item.findtext(f"{IMSQTI}presentation/{IMSQTI}material/{IMSQTI}mattext") or ""
    return Item(body, answers, otherwise, kind="canvas")


# --- QTI --------------------------------------------------------------------------------------------------------------


def _local(element: ElementTree.Element) -> str:
    """The name of an element as 2.1 calls it."""
    name = element.tag.rpartition("}")[2].removeprefix("qti-")
    return re.sub(r"-([a-z])", lambda found: found[1].upper(), name)


def attribute(element: ElementTree.Element, name: str) -> str:
    return element.get(name) or element.get(re.sub(r"([A-Z])", lambda found: "-" + found[1].lower(), name)) or ""


def named(element: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [one for one in element.iter() if _local(one) == name]


def qti(content: bytes) -> list[Item]:
    """The numbers of a package of QTI 2.1 or 3.0, in the order of its test."""
    files = archive(content)
    manifest = ElementTree.fromstring(files["imsmanifest.xml"])
    resources = named(manifest, "resource")
    hrefs = [resource.get("href") or "" for resource in resources]
    assert {*hrefs} == {*files} - {"imsmanifest.xml"} and len({one.get("identifier") for one in resources}) == len(resources)
    test = ElementTree.fromstring(files["test.xml"])
    references = [attribute(one, "href") for one in named(test, "assessmentItemRef")]
    assert {"test.xml", *references} == {*hrefs}
    return [qti_item(ElementTree.fromstring(files[reference])) for reference in references]


def qti_item(item: ElementTree.Element) -> Item:
    told = {attribute(one, "identifier"): "".join(one.itertext()).strip() for one in named(item, "modalFeedback")}
    answers, otherwise = [], ""
    (condition,) = named(item, "responseCondition")
    for branch in condition:
        outcomes = {attribute(one, "identifier"): "".join(one.itertext()) for one in named(branch, "setOutcomeValue")}
        score, feedback = float(outcomes.get("SCORE", 0)), told[outcomes["FEEDBACK"]]
        if _local(branch) == "responseElse":
            assert not score
            otherwise = feedback
            continue
        (equal,) = named(branch, "equal")
        assert attribute(equal, "toleranceMode") == "absolute"
        below, above = attribute(equal, "tolerance").split()
        (centre,) = named(equal, "baseValue")
        assert below == above
        low, high = interval(centre.text or "", above)
        for name, end in (("gte", low), ("lte", high)):
            assert [float(named(one, "baseValue")[0].text or "nan") for one in named(branch, name)] in ([], [end])
        answers.append(Answer(low, high, 100 * score, feedback, centre.text or ""))
    (body,) = named(item, "itemBody")
    assert len(named(body, "textEntryInteraction")) == 1
    return Item("".join(body.itertext()), answers, otherwise, kind="qti")
