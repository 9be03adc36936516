"""A quiz as a package of QTI, in either version: an item for each number, a test with a section for each variant, one of them drawn.

- `package(quiz, version)` is the archive; `QTI21` and `QTI3` are the versions, which differ in how the same things are spelled.

The first interval that has the answer decides: SCORE 1 for right ones, else FEEDBACK names the mistake by its slug, and the modal
feedback of that name is shown. Players compare in binary, for which every interval has a little more than half a unit; some know no
tolerance at all, for which what rounding on the way gives is written as bounds too. Format: IMS QTI
2.1 (imsqti_v2p1) and 1EdTech QTI 3.0 (imsqtiasi_v3p0).
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from decimal import Decimal

from handcalc.core.record import Record
from handcalc.errors import Message
from handcalc.exercises.intervals import Interval
from handcalc.exercises.quiz import OTHERWISE, RIGHT, ROUNDED, AskedNumber, Question, Quiz
from handcalc.exercises.quiztext import asked_text, inert
from handcalc.exercises.quizzes.markup import archive, blocks, html, marks, plain, title, xml

_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'


class QtiVersion(Record):
    """How a version spells. namespace: of items and tests; package: of the manifest; schema, number: what the manifest says it is;
    resource: the ending of types; kebab: qti-response-if for responseIf, and a body in feedback."""

    namespace: str
    package: str
    schema: str
    number: str
    resource: str
    kebab: bool = False


QTI21 = QtiVersion(
    "http://www.imsglobal.org/xsd/imsqti_v2p1", "http://www.imsglobal.org/xsd/imscp_v1p1", "QTIv2.1 Package", "1.0.0", "xmlv2p1"
)
QTI3 = QtiVersion(
    "http://www.imsglobal.org/xsd/imsqtiasi_v3p0",
    "http://www.imsglobal.org/xsd/qti/qtiv3p0/imscp_v1p1",
    "QTI Package",
    "3.0.0",
    "xmlv3p0",
    kebab=True,
)


def package(quiz: Quiz, version: QtiVersion) -> bytes:
    """The archive: manifest, test, items."""
    writer = _Writer(version)
    items = {_item_id(one, place): writer.item(one, number, place) for one in quiz.questions for place, number in enumerate(one.numbers, 1)}
    files: dict[str, str | bytes] = {"imsmanifest.xml": _manifest([*items], version), "test.xml": writer.test(quiz)}
    return archive(files | {f"items/{known}.xml": text for known, text in items.items()})


def _item_id(question: Question, place: int) -> str:
    return f"{_section_id(question)}-{place}"


def _section_id(question: Question) -> str:
    """An identifier: it begins with a letter, and has no others than these."""
    return "q-" + re.sub(r"[^A-Za-z0-9._-]", "_", question.code)


def _manifest(items: list[str], version: QtiVersion) -> str:
    depends = "".join(f'<dependency identifierref="{known}"/>' for known in items)
    resources = "\n".join(
        f'<resource identifier="{known}" type="imsqti_item_{version.resource}" href="items/{known}.xml"><file href="items/{known}.xml"/>'
        "</resource>"
        for known in items
    )
    return (
        f'{_XML}<manifest xmlns="{version.package}" identifier="manifest">\n'
        f"<metadata><schema>{version.schema}</schema><schemaversion>{version.number}</schemaversion></metadata>\n<organizations/>\n"
        f'<resources>\n<resource identifier="test" type="imsqti_test_{version.resource}" href="test.xml"><file href="test.xml"/>{depends}'
        f"</resource>\n{resources}\n</resources>\n</manifest>\n"
    )


class _Writer:
    """Writes items and tests in a version."""

    def __init__(self, version: QtiVersion) -> None:
        self.version = version

    def tag(self, name: str, attributes: str = "", *inside: str) -> str:
        """An element; attributes as they are called in 2.1: `identifier="a" baseType="float"`."""
        if self.version.kebab:
            name = "qti-" + _kebab(name)
            attributes = re.sub(r'\b([a-z]+[A-Z]\w*)(?==")', lambda found: _kebab(found[1]), attributes)
        start = f"{name} {attributes}" if attributes else name
        return f"<{start}>{''.join(inside)}</{name}>" if inside else f"<{start}/>"

    def whole(self, name: str, attributes: str, *inside: str) -> str:
        """A file."""
        return f'{_XML}{self.tag(name, f"""xmlns="{self.version.namespace}" {attributes}""", *inside)}\n'

    # --- items ---

    def item(self, question: Question, number: AskedNumber, place: int) -> str:
        """A number."""
        tag, told = self.tag, self.told(question, number)
        attributes = (
            f'identifier="{_item_id(question, place)}" title="{xml(title(question, number))}" xml:lang="{question.language}"'
            ' adaptive="false" timeDependent="false"'
        )
        correct = tag("correctResponse", "", tag("value", "", plain(number.printed.centre)))
        return self.whole(
            "assessmentItem",
            attributes,
            "\n" + tag("responseDeclaration", 'identifier="RESPONSE" cardinality="single" baseType="float"', correct),
            "\n" + self._outcome("SCORE", "float", "0"),
            "\n" + self._outcome("MAXSCORE", "float", "1"),
            "\n" + tag("outcomeDeclaration", 'identifier="FEEDBACK" cardinality="single" baseType="identifier"'),
            "\n" + tag("itemBody", "", self.body(question, number)),
            "\n" + tag("responseProcessing", "", self.processing(number, [name for name, _ in told])),
            *(f"\n{self.modal(name, text)}" for name, text in told),
            "\n",
        )

    def _outcome(self, name: str, kind: str, value: str) -> str:
        default = self.tag("defaultValue", "", self.tag("value", "", value))
        return self.tag("outcomeDeclaration", f'identifier="{name}" cardinality="single" baseType="{kind}"', default)

    def body(self, question: Question, number: AskedNumber) -> str:
        """What is given, the drawing, the field."""
        drawing = ""
        if question.drawing:
            data = b64encode(question.drawing.encode()).decode("ascii")
            words = html(Message("Drawing").text(question.translate))
            drawing = f'\n<p><img src="data:image/svg+xml;base64,{data}" alt="{words}"/></p>'
        field = self.tag("textEntryInteraction", 'responseIdentifier="RESPONSE" expectedLength="14"')
        digits = html(asked_text(number.digits).text(question.translate))
        return f"<div>\n{blocks(question, '')}{drawing}\n<p>{html(number.name)} = {field} ({digits})</p>\n</div>"

    def told(self, question: Question, number: AskedNumber) -> list[tuple[str, str]]:
        """The feedback of every interval by its identifier, and that of everything else."""
        right = [("right", RIGHT), ("rounded", ROUNDED)][: len(number.accepted)]
        found = {name: inert(text.text(question.translate)) for name, text in right}
        for slip in number.slips:
            slugs = "_or_".join(dict.fromkeys(form.slug for form in slip.forms))
            count, name = 1, slugs
            while name in found:
                count += 1
                name = f"{slugs}_{count}"
            found[name] = slip.feedback
        return [*found.items(), ("otherwise", inert(OTHERWISE.text(question.translate)))]

    def processing(self, number: AskedNumber, names: list[str]) -> str:
        """The first interval that has the answer decides."""
        tag = self.tag
        intervals = [*number.accepted, *(slip.interval for slip in number.slips)]
        branches = []
        for place, (interval, name) in enumerate(zip(intervals, names)):
            equal = self._equal(interval)
            if not interval.answer:  # players that know no tolerance take the printed answer only
                equal = tag("or", "", equal, self._between(interval))
            score = [self._set("SCORE", "float", "1")] if place < len(number.accepted) else []
            branches.append(tag("responseElseIf" if place else "responseIf", "", equal, *score, self._set("FEEDBACK", "identifier", name)))
        branches.append(tag("responseElse", "", self._set("FEEDBACK", "identifier", names[-1])))
        return tag("responseCondition", "", *(f"\n{branch}" for branch in branches), "\n")

    def _equal(self, interval: Interval) -> str:
        tolerance = plain(interval.tolerance)
        attributes = f'toleranceMode="absolute" tolerance="{tolerance} {tolerance}"'
        return self.tag("equal", attributes, self._response(), self._number(interval.centre))

    def _between(self, interval: Interval) -> str:
        ends = (("gte", interval.low), ("lte", interval.high))
        return self.tag("and", "", *(self.tag(name, "", self._response(), self._number(end)) for name, end in ends))

    def _response(self) -> str:
        return self.tag("variable", 'identifier="RESPONSE"')

    def _number(self, number: Decimal) -> str:
        return self.tag("baseValue", 'baseType="float"', plain(number))

    def _set(self, name: str, kind: str, value: str) -> str:
        return self.tag("setOutcomeValue", f'identifier="{name}"', self.tag("baseValue", f'baseType="{kind}"', value))

    def modal(self, name: str, text: str) -> str:
        """What is shown of an answer."""
        inside = self.tag("contentBody", "", f"<p>{html(text)}</p>") if self.version.kebab else f"<p>{html(text)}</p>"
        return self.tag("modalFeedback", f'outcomeIdentifier="FEEDBACK" identifier="{name}" showHide="show"', inside)

    # --- the test ---

    def test(self, quiz: Quiz) -> str:
        """A section for each group; of its variants one is drawn."""
        tag = self.tag
        groups = [f"\n{self._group(place, quiz.path(name), found)}" for place, (name, found) in enumerate(quiz.groups().items(), 1)]
        name = " / ".join(quiz.path(next(iter(quiz.groups()))))
        total = tag("sum", "", tag("testVariables", 'variableIdentifier="SCORE" weightIdentifier="MARKS"'))
        return self.whole(
            "assessmentTest",
            f'identifier="test" title="{xml(name)}"',
            "\n" + self._outcome("SCORE", "float", "0"),
            "\n" + tag("testPart", 'identifier="part" navigationMode="nonlinear" submissionMode="individual"', *groups, "\n"),
            "\n" + tag("outcomeProcessing", "", tag("setOutcomeValue", 'identifier="SCORE"', total)),
            "\n",
        )

    def _group(self, place: int, path: tuple[str, ...], questions: list[Question]) -> str:
        drawn = [self.tag("selection", 'select="1"')] if len(questions) > 1 else []
        attributes = f'identifier="group-{place}" title="{xml(" / ".join(path))}" visible="false"'
        return self.tag("assessmentSection", attributes, *drawn, *map(self._section, questions))

    def _section(self, question: Question) -> str:
        items = (f"\n{item}" for item in self._references(question))
        return "\n" + self.tag(
            "assessmentSection", f'identifier="{_section_id(question)}" title="{xml(title(question))}" visible="true"', *items
        )

    def _references(self, question: Question) -> Iterator[str]:
        for place, number in enumerate(question.numbers, 1):
            known = _item_id(question, place)
            weight = self.tag("weight", f'identifier="MARKS" value="{marks(number)}"')
            yield self.tag("assessmentItemRef", f'identifier="ref-{known}" href="items/{known}.xml"', weight)


def _kebab(name: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", lambda found: "-" + found[1].lower(), name)
