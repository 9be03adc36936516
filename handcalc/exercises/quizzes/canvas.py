"""A quiz as a zip for Canvas (QTI 1.2): a quiz for each variant, in it a numerical question for each number.

- `document(quiz)` is the archive.

Canvas gives every numeric condition full marks, whatever score stands beside it, so only right intervals are written; the frequent slips
are listed in the feedback of a wrong answer. The printed answer is one with a margin, what rounding on the way gives is a range; bounds
are inclusive. Variants are no group of questions: Canvas would draw each number from another one. Format: the importers of canvas-lms
(vendor/QTIMigrationTool) and of New Quizzes (instructure/qti).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256

from handcalc.errors import Message
from handcalc.exercises.intervals import Interval
from handcalc.exercises.quiz import RIGHT, AskedNumber, Question, Quiz
from handcalc.exercises.quiztext import asked_text
from handcalc.exercises.quizzes.markup import archive, blocks, html, marks, paragraphs, plain, slips, title, xml

_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
_QTI = "http://www.imsglobal.org/xsd/ims_qtiasiv1p2"
_PACKAGE = "http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1"
_META = "http://canvas.instructure.com/xsd/cccv1p0"
NAME_LENGTH = 200  # letters of a title
WRONG = Message("Not right.")
SLIPS = Message("Frequent slips, and what each gives:")


def document(quiz: Quiz) -> bytes:
    """The archive."""
    files: dict[str, str | bytes] = {}
    resources = []
    for one in quiz.questions:
        known = _id("quiz", one.code, one.digest)
        files[f"{known}/{known}.xml"] = _assessment(one, known)
        files[f"{known}/assessment_meta.xml"] = _meta(one, known)
        resources.append(_resources(known))
    manifest = (
        f'{_XML}<manifest identifier="{_id("manifest", *(one.code for one in quiz.questions))}" xmlns="{_PACKAGE}">\n'
        "<metadata><schema>IMS Content</schema><schemaversion>1.1.3</schemaversion></metadata>\n<organizations/>\n"
        f"<resources>\n{''.join(resources)}</resources>\n</manifest>\n"
    )
    return archive({"imsmanifest.xml": manifest, **files, "non_cc_assessments/": b""})


def _id(*parts: str) -> str:
    """A name for a part of the package that is the same for the same content."""
    return "g" + sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:31]


def _resources(known: str) -> str:
    meta = _id("meta", known)
    return (
        f'<resource identifier="{known}" type="imsqti_xmlv1p2">\n<file href="{known}/{known}.xml"/>\n'
        f'<dependency identifierref="{meta}"/>\n</resource>\n'
        f'<resource identifier="{meta}" type="associatedcontent/imscc_xmlv1p1/learning-application-resource"'
        f' href="{known}/assessment_meta.xml">\n<file href="{known}/assessment_meta.xml"/>\n</resource>\n'
    )


def _meta(question: Question, known: str) -> str:
    """What Canvas knows of a quiz besides its questions."""
    points = _points(question)
    return (
        f'{_XML}<quiz identifier="{known}" xmlns="{_META}">\n<title>{xml(title(question)[:NAME_LENGTH])}</title>\n<description/>\n'
        "<shuffle_answers>false</shuffle_answers>\n<scoring_policy>keep_highest</scoring_policy>\n<quiz_type>assignment</quiz_type>\n"
        f"<points_possible>{points}</points_possible>\n<show_correct_answers>true</show_correct_answers>\n"
        "<allowed_attempts>1</allowed_attempts>\n<one_question_at_a_time>false</one_question_at_a_time>\n"
        "<cant_go_back>false</cant_go_back>\n<available>false</available>\n</quiz>\n"
    )


def _points(question: Question) -> str:
    """The marks of all numbers together."""
    whole = sum(float(number.marks) for number in question.numbers)
    return f"{whole:.7f}".rstrip("0").rstrip(".")


def _assessment(question: Question, known: str) -> str:
    items = "\n".join(_item(question, number) for number in question.numbers)
    return (
        f'{_XML}<questestinterop xmlns="{_QTI}">\n<assessment ident="{known}" title="{xml(title(question)[:NAME_LENGTH])}">\n'
        f"<qtimetadata>\n{_fields({'cc_maxattempts': '1'})}</qtimetadata>\n"
        f'<section ident="root_section">\n{items}\n</section>\n</assessment>\n</questestinterop>\n'
    )


def _fields(fields: Mapping[str, str]) -> str:
    return "".join(
        f"<qtimetadatafield><fieldlabel>{label}</fieldlabel><fieldentry>{xml(entry)}</fieldentry></qtimetadatafield>\n"
        for label, entry in fields.items()
    )


def _item(question: Question, number: AskedNumber) -> str:
    known, translate = _id("item", question.code, number.id, question.digest), question.translate
    digits = html(asked_text(number.digits).text(translate))
    body = f"{blocks(question)}\n<p>{html(number.name)} = ? ({digits})</p>"
    fields = {
        "question_type": "numerical_question",
        "points_possible": marks(number),
        "original_answer_ids": ",".join(_id("answer", known, str(place)) for place in range(len(number.accepted))),
        "assessment_question_identifierref": _id("question", known),
    }
    wrong = [WRONG.text(translate), *([SLIPS.text(translate), *slips(number)] if number.slips else [])]
    told = {"general_fb": [number.working], "correct_fb": [RIGHT.text(translate)], "general_incorrect_fb": wrong}
    return (
        f'<item ident="{known}" title="{xml(title(question, number)[:NAME_LENGTH])}">\n'
        f"<itemmetadata><qtimetadata>\n{_fields(fields)}</qtimetadata></itemmetadata>\n"
        f'<presentation>\n<material><mattext texttype="text/html">{xml_lines(body)}</mattext></material>\n'
        '<response_str ident="response1" rcardinality="Single"><render_fib fibtype="Decimal"><response_label ident="answer1"/>'
        "</render_fib></response_str>\n</presentation>\n"
        f"<resprocessing>\n{''.join(_conditions(number))}</resprocessing>\n"
        + "".join(
            f'<itemfeedback ident="{name}"><flow_mat><material><mattext texttype="text/html">{xml_lines(paragraphs(lines))}</mattext>'
            "</material></flow_mat></itemfeedback>\n"
            for name, lines in told.items()
        )
        + "</item>"
    )


def xml_lines(text: str) -> str:
    """HTML as the text of an element."""
    return "\n".join(map(xml, text.split("\n")))


def _conditions(number: AskedNumber) -> Iterator[str]:
    """The solution for everybody; full marks for each right interval; for all others what is said of a wrong answer."""
    yield '<outcomes><decvar maxvalue="100" minvalue="0" varname="SCORE" vartype="Decimal"/></outcomes>\n'
    yield _otherwise("general_fb")
    for interval in number.accepted:
        yield (
            f'<respcondition continue="No"><conditionvar>{_range(interval)}</conditionvar>'
            '<setvar action="Set" varname="SCORE">100</setvar><displayfeedback feedbacktype="Response" linkrefid="correct_fb"/>'
            "</respcondition>\n"
        )
    yield _otherwise("general_incorrect_fb")


def _otherwise(feedback: str) -> str:
    return (
        '<respcondition continue="Yes"><conditionvar><other/></conditionvar>'
        f'<displayfeedback feedbacktype="Response" linkrefid="{feedback}"/></respcondition>\n'
    )


def _range(interval: Interval) -> str:
    """An answer with its margin, or a range."""
    ends = f'<vargte respident="response1">{plain(interval.low)}</vargte><varlte respident="response1">{plain(interval.high)}</varlte>'
    if not interval.answer:
        return ends
    exact = (
        f'<varequal respident="response1" margintype="absolute" margin="{plain(interval.tolerance)}">{plain(interval.centre)}</varequal>'
    )
    return f"<or>{exact}<and>{ends}</and></or>"
