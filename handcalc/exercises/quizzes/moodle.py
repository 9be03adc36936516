"""A quiz as Moodle XML: a cloze question for each variant, or a numerical question for each number.

- `document(quiz)` is the file.

The first answer whose interval has what was typed decides, so the right ones come first. In a gap everything is plain: no bracket,
tilde or number sign may stand in a feedback. Codes begin the text, because with questions drawn at random only the text says which
variant somebody had. Format: question/format/xml/format.php and question/type/multianswer of Moodle 5.1.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from math import lcm

from handcalc.errors import Message
from handcalc.exercises.quiz import OTHERWISE, AskedNumber, Question, Quiz
from handcalc.exercises.quiztext import asked_text
from handcalc.exercises.quizzes.markup import blocks, html, marks, paragraphs, plain, title, xml

NAME_LENGTH = 200  # letters of the name of a question
ID_LENGTH = 100  # letters of its number
DRAWING = "drawing.svg"
DIGEST = 12  # letters of the digest in a tag


def document(quiz: Quiz) -> str:
    """The whole file: for each group its category, then its questions."""
    parts = ['<?xml version="1.0" encoding="UTF-8"?>', "<quiz>"]
    for group, questions in quiz.groups().items():
        parts.append(_category(quiz.path(group)))
        for one in questions:
            parts += [_cloze(one)] if quiz.per == "variant" else [_numerical(one, number) for number in one.numbers]
    return "\n".join([*parts, "</quiz>"]) + "\n"


def _category(path: tuple[str, ...]) -> str:
    names = "/".join(["$course$", "top", *(part.replace("/", "//") for part in path)])
    return (
        f'<question type="category">\n<category><text>{xml(names)}</text></category>\n'
        '<info format="html"><text></text></info>\n<idnumber></idnumber>\n</question>'
    )


def _cloze(question: Question) -> str:
    """All numbers of a variant: a row for each, with its gap."""
    scale = lcm(*(number.marks.denominator for number in question.numbers))
    rows = "\n".join(
        f"<tr><td>{html(number.name)} =</td><td>{_gap(question, number, scale)}</td><td>{_digits(question, number)}</td></tr>"
        for number in question.numbers
    )
    body = f"{_given(question)}\n<table><tbody>\n{rows}\n</tbody></table>"
    ladder = [_rung(question, rung) for rung in range(max(len(number.hints) for number in question.numbers))]
    parts = [
        *_head(question, title(question), body, [number.working for number in question.numbers], question.code),
        "<penalty>0.3333333</penalty>",
        *(_hint(lines, "<shownumcorrect/>") for lines in ladder),
        _tags(question),
    ]
    return '<question type="cloze">\n' + "\n".join(parts) + "\n</question>"


def _rung(question: Question, rung: int) -> list[str]:
    """The hints of all numbers that are so far up the ladder; a general formula once."""
    return list(dict.fromkeys(number.hints[rung] for number in question.numbers if rung < len(number.hints)))


def _gap(question: Question, number: AskedNumber, scale: int) -> str:
    """{1:NUMERICAL:%100%0.3589:0.00005#feedback~…~*#feedback}"""
    told = [
        f"%{percent}%{interval.answer or plain(interval.centre)}:{plain(interval.tolerance)}#{feedback}"
        for interval, percent, feedback in number.told(question.translate)
    ]
    weight = int(number.marks * scale)
    return f"{{{weight}:NUMERICAL:{'~'.join([*told, '*#' + OTHERWISE.text(question.translate)])}}}"


def _numerical(question: Question, number: AskedNumber) -> str:
    """One number."""
    body = f"{_given(question)}\n<p>{html(number.name)} = ? ({_digits(question, number)})</p>"
    answers = [
        f'<answer fraction="{percent}" format="moodle_auto_format"><text>{interval.answer or plain(interval.centre)}</text>'
        f"<tolerance>{plain(interval.tolerance)}</tolerance>{_feedback(feedback)}</answer>"
        for interval, percent, feedback in number.told(question.translate)
    ]
    parts = [
        *_head(question, title(question, number), body, [number.working], f"{question.code}/{number.id}"),
        f"<defaultgrade>{marks(number)}</defaultgrade>",
        "<penalty>0.3333333</penalty>",
        *answers,
        f'<answer fraction="0" format="moodle_auto_format"><text>*</text><tolerance>0</tolerance>'
        f"{_feedback(OTHERWISE.text(question.translate))}</answer>",
        "<unitgradingtype>0</unitgradingtype>\n<unitpenalty>0.1</unitpenalty>\n<showunits>3</showunits>\n<unitsleft>0</unitsleft>",
        *(_hint([line]) for line in number.hints),
        _tags(question),
    ]
    return '<question type="numerical">\n' + "\n".join(parts) + "\n</question>"


# --- parts ------------------------------------------------------------------------------------------------------------


def _head(question: Question, name: str, body: str, working: list[str], number: str) -> Iterator[str]:
    """Name, text, drawing, the lines of the solution, the number of the question."""
    drawing = ""
    if question.drawing:
        content = b64encode(question.drawing.encode()).decode("ascii")
        drawing = f'<file name="{DRAWING}" path="/" encoding="base64">{content}</file>'
    yield f"<name><text>{xml(name[:NAME_LENGTH])}</text></name>"
    yield f'<questiontext format="html"><text>{_data(body)}</text>{drawing}</questiontext>'
    yield f'<generalfeedback format="html"><text>{_data(paragraphs(working))}</text></generalfeedback>'
    yield f"<idnumber>{xml(number[:ID_LENGTH])}</idnumber>"


def _given(question: Question) -> str:
    given = blocks(question)
    if question.drawing:
        words = html(Message("Drawing").text(question.translate))
        given += f'\n<p><img src="@@PLUGINFILE@@/{DRAWING}" alt="{words}"/></p>'
    return f'<div class="tex2jax_ignore nolink">\n{given}\n</div>'


def _digits(question: Question, number: AskedNumber) -> str:
    return html(asked_text(number.digits).text(question.translate))


def _feedback(text: str) -> str:
    return f'<feedback format="html"><text>{xml(text)}</text></feedback>'


def _hint(lines: list[str], more: str = "") -> str:
    return f'<hint format="html"><text>{_data(paragraphs(lines))}</text>{more}</hint>'


def _tags(question: Question) -> str:
    """What says where a question is from: importing again adds copies, which a teacher finds by this."""
    return f"<tags><tag><text>handcalc</text></tag><tag><text>handcalc-{question.digest[:DIGEST]}</text></tag></tags>"


def _data(text: str) -> str:
    return "<![CDATA[" + text.replace("]]>", "]]]]><![CDATA[>") + "]]>"
