"""What files of quizzes have in common: the text of a question as HTML, numbers as text, archives with the same bytes everywhere.

- `html(text)` is a text that means itself, in an element or in quotation marks, whatever reads it; `blocks(question)` what is given.
- `plain(number)` is a number without a power of ten; `archive(files)` a zip, dated 1980.

The HTML is XML as well. Letters that begin the markup of a platform, or a formula, are written as character references.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from handcalc.errors import printable
from handcalc.exercises.quiztext import QuizTable

if TYPE_CHECKING:
    from handcalc.exercises.quiz import AskedNumber, Question

LINES = ' border="1" cellpadding="4" style="border-collapse: collapse"'  # of tables
_REFERENCES = {letter: f"&#{ord(letter)};" for letter in "&<>\"'{}\\$@[]"}


def xml(text: str) -> str:
    """A text in XML, in an element or in quotation marks, on one line."""
    return "".join({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}.get(letter, letter) for letter in printable(text))


def html(text: str) -> str:
    """A text in HTML that means itself: no markup, no gap, no formula."""
    return "".join(_REFERENCES.get(letter, letter) for letter in printable(text))


def table(found: QuizTable, attributes: str) -> str:
    """A table."""
    head = "".join(f"<th>{html(text)}</th>" for text in found.columns)
    rows = "".join("<tr>" + "".join(f"<td>{html(text)}</td>" for text in row) + "</tr>" for row in found.rows)
    return f"<table{attributes}>" + (f"<thead><tr>{head}</tr></thead>" if head else "") + f"<tbody>{rows}</tbody></table>"


def blocks(question: Question, attributes: str = LINES) -> str:
    """What is given, after the code in square brackets, which is on the line of the title; attributes: of tables."""
    told = [table(one, attributes) if isinstance(one, QuizTable) else f"<p>{html(one)}</p>" for one in question.text]
    code = f"<p>[{html(question.code)}]"
    started = told[0].startswith("<p>")
    return "\n".join([code + told[0].replace("<p>", " ", 1), *told[1:]] if started else [f"{code}</p>", *told])


def title(question: Question, number: AskedNumber | None = None) -> str:
    """What an item is called: the code, then the number that it asks or the title."""
    return " ".join(filter(None, (question.code, number.name if number else question.title)))


def paragraphs(lines: Iterable[str]) -> str:
    """Lines one below the other."""
    return "".join(f"<p>{html(line)}</p>" for line in lines)


def slips(number: AskedNumber) -> list[str]:
    """The frequent slips of a number, each with what it gives."""
    return [f"{slip.answer}: {slip.feedback}" for slip in number.slips]


def plain(number: Decimal) -> str:
    """A number in plain digits."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def marks(number: AskedNumber) -> str:
    """What a number is worth, as a decimal."""
    return f"{float(number.marks):.7f}".rstrip("0").rstrip(".")


def archive(files: Mapping[str, str | bytes]) -> bytes:
    """A zip archive without the time of day."""
    from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

    packed = io.BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as after:
        for name, content in files.items():
            entry = ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type, entry.create_system = (ZIP_DEFLATED, 3) if content else (0, 3)
            after.writestr(entry, content)
    return packed.getvalue()
