r"""A quiz as GIFT: a numerical question for each number. No drawings and no hints: GIFT has none.

- `document(quiz)` is the file.

An answer that PHP does not take for a number would silently become "every answer is right", so numbers are plain decimals, and a
tolerance always stands. There is no answer for everything else: readers besides Moodle's refuse it. Letters are escaped in the order in
which importers undo it: \ first, then # = ~ { } :. Format: question/format/gift/format.php of Moodle 5.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from handcalc.errors import printable
from handcalc.exercises.quiz import AskedNumber, Question, Quiz
from handcalc.exercises.quiztext import asked_text, inert
from handcalc.exercises.quizzes.markup import blocks, html, plain, title

_SPECIAL = "#=~{}:"
DIGEST = 12  # letters of the digest in a tag


def document(quiz: Quiz) -> str:
    """The whole file: for each group its category, then its questions, with blank lines between."""
    parts = ["// handcalc"]
    for group, questions in quiz.groups().items():
        path = "/".join(inert(part).replace("/", "//") for part in quiz.path(group))
        parts.append(f"$CATEGORY: top/{path}")
        parts += ["\n".join(_number(one, number)) for one in questions for number in one.numbers]
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """A text that means itself."""
    text = text.replace("\\", "\\\\")
    for letter in _SPECIAL:
        text = text.replace(letter, "\\" + letter)
    return text.replace("\r", "").replace("\n", "\\n")


def _number(question: Question, number: AskedNumber) -> Iterator[str]:
    translate = question.translate
    known = re.sub(r"[^\w.@#-]", ".", f"{question.code}/{number.id}")
    yield f"// [id:{known}] [tag:handcalc] [tag:handcalc-{question.digest[:DIGEST]}]"
    wanted = f"<p>{html(number.name)} = ? ({html(asked_text(number.digits).text(translate))})</p>"
    name = escaped(printable(title(question, number)))
    yield f"::{name}::[html]{escaped(blocks(question) + wanted)} {{#"
    for interval, percent, feedback in number.told(translate):
        centre = format(Decimal(interval.answer), "f") if interval.answer else plain(interval.centre)
        yield f"=%{percent}%{centre}:{plain(interval.tolerance)}#{escaped(feedback)}"
    yield f"####{escaped(html(number.working))}"
    yield "}"
