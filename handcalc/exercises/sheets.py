"""What is handed out and kept of a variant: the sheet, the key, an empty table for answers.

- `Paper` says how they are wanted: formats, language, notation, whether all are in one file.
- `files_of(variant, paper)` is the content of each file by its name; `together(variants, paper)` that of the files for all.

The code, and the name of the student, is in the title, which stands on every page.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from handcalc.core.derivation import Derivation
from handcalc.core.record import Record
from handcalc.deriving import derive
from handcalc.errors import Message, OutputError, printable
from handcalc.exercises.asked import Exercise
from handcalc.language import translator
from handcalc.marking.answers import Sheet
from handcalc.marking.blank import blank_sheet
from handcalc.marking.check import Checker
from handcalc.problem.schema import Problem, Task
from handcalc.render.report import FORMATS, Style, export

if TYPE_CHECKING:
    from handcalc.exercises.generate import Variant

SHEET, KEY = "sheet", "key"
VIEW_OF = {SHEET: "worksheet", KEY: "key"}
PROBLEM, ANSWERS = "problem.yaml", "answers.csv"

Content = str | bytes
Files = dict[str, Content]


class Paper(Record):
    """How sheets and keys are wanted; formats are those of FORMATS; language and notation are explicit, "" is the problem's notation."""

    sheets: tuple[str, ...] = ("html",)
    keys: tuple[str, ...] = ("html",)
    language: str = "en"
    notation: str = ""
    together: bool = False

    def wanted(self) -> Iterable[tuple[str, str]]:
        """(sheet or key, format) of every document."""
        yield from ((SHEET, format) for format in self.sheets)
        yield from ((KEY, format) for format in self.keys)


def format_named(word: str) -> str:
    """The format that a word or an ending means: docx is word. Raises OutputError."""
    found = next((one for one in FORMATS.values() if word in (one.name, one.suffix.removeprefix("."))), None)
    if found is None or not found.suffix or not found.document:
        known = ", ".join(one.suffix.removeprefix(".") for one in FORMATS.values() if one.suffix and one.document)
        raise OutputError(Message("there are no sheets in the format {found}; known are {known}", found=f'"{word}"', known=known))
    return found.name


def files_of(variant: Variant, paper: Paper) -> Files:
    """The files of one variant: the problem, the empty answers, sheets and keys if they are not all in one file."""
    files: Files = {PROBLEM: variant.text, ANSWERS: _answers(variant, paper)}
    if not paper.together:
        for kind, format in paper.wanted():
            files |= _exported([variant], paper, kind, format, kind)
    return files


def together(variants: Sequence[Variant], paper: Paper) -> Files:
    """The files that have the sheets, or the keys, of all."""
    files: Files = {}
    if paper.together:
        for kind, format in paper.wanted():
            files |= _exported(variants, paper, kind, format, f"{kind}s")
    return files


def _exported(variants: Sequence[Variant], paper: Paper, kind: str, format: str, name: str) -> Files:
    style = Style(notation=paper.notation, view=VIEW_OF[kind])
    derivations = [_derivation(variant, paper) for variant in variants]
    found = export(derivations, format, style, paper.language, name)
    return {name + FORMATS[format].suffix: found.content, **found.beside}


def _derivation(variant: Variant, paper: Paper) -> Derivation:
    problem = with_tasks(variant.exercise)
    return derive(problem.replace(title=titled(variant, paper)), iterations=variant.exercise.book.iterations)


def titled(variant: Variant, paper: Paper) -> str:
    """The title with the code, and with the name of the student."""
    student = variant.student.shown if variant.student else ""
    return " · ".join(filter(None, (variant.problem.title, variant.code, printable(student))))


def with_tasks(exercise: Exercise) -> Problem:
    """The problem with its tasks; with what is asked where it has none."""
    problem = exercise.problem
    if problem.tasks:
        return problem
    tasks = (
        Task(exercise.id(wanted), decimals=digits.decimals, significant=digits.significant) for wanted, digits in exercise.asked.items()
    )
    return problem.replace(tasks=tuple(tasks))


def _answers(variant: Variant, paper: Paper) -> str:
    """The empty table, with the code in its first line."""
    translate = translator(paper.language)
    desk = Checker(with_tasks(variant.exercise), paper.notation).desk_for(Sheet("", ()))
    table = blank_sheet(desk, "csv", translate)
    student = printable(variant.student.shown) if variant.student else ""
    heading = Message("# name:").text(translate)
    text = f"# variant: {variant.code}\n" + table.replace(f"{heading} \n", f"{heading} {student}\n", 1)
    return "\ufeff" * (not text.isascii()) + text
