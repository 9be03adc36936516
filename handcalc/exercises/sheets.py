"""What is handed out and kept of a variant: the sheet, the key, an empty table for answers.

- `Paper` says how they are wanted: formats, language, notation, whether all are in one file.
- `Handout` is a variant as it is sent to another process; `all_files(handouts, paper)` the content of each file of each by its name,
  `together(handouts, paper)` that of the files for all.

The code, and the name of the student, is in the title, which stands on every page.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from handcalc.core.record import Record
from handcalc.core.rounding import Rounding
from handcalc.deriving import derive
from handcalc.errors import Message, OutputError, printable
from handcalc.exercises.asked import USUAL, AskedDigits, Exercise
from handcalc.exercises.keypage import KeyChapter
from handcalc.exercises.wronganswers import ExpectedSlip
from handcalc.language import translator
from handcalc.loading.loader import loads
from handcalc.marking.answers import Sheet
from handcalc.marking.blank import blank_sheet
from handcalc.marking.check import Checker
from handcalc.marking.workbook import iteration_of
from handcalc.problem.schema import Problem, Task
from handcalc.processes import in_processes, processors
from handcalc.render.report import FORMATS, Chapter, Report, Style, check_view, dialect_of, written

if TYPE_CHECKING:
    from handcalc.exercises.generate import Variant

SHEET, KEY = "sheet", "key"
TEXT = "terminal"
VIEW_OF = {SHEET: "worksheet", KEY: "key"}
CHUNK = 4  # variants handed to a process at once
PER_PROCESS = 15  # variants that a process must have to pay for its start
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
    """The format that a word or an ending means: docx is word, txt what a terminal shows, with names as they are written. Raises
    OutputError."""
    if word == "txt":
        return TEXT
    found = next((one for one in FORMATS.values() if word in (one.name, one.suffix.removeprefix("."))), None)
    if found is None or not found.suffix or not found.document:
        known = ", ".join(one.suffix.removeprefix(".") for one in FORMATS.values() if one.suffix and one.document)
        raise OutputError(Message("there are no sheets in the format {found}; known are {known}", found=f'"{word}"', known=known))
    return found.name


class Handout(Record):
    """What is known of a variant where its papers are written: its text, where it comes from, its code, for whom, and
    the slips to expect."""

    text: str
    path: str
    folder: str
    code: str
    student: str = ""
    slips: tuple[ExpectedSlip, ...] = ()

    @classmethod
    def of(cls, variant: Variant, folder: str) -> Handout:
        """That of a variant; folder: that of the template."""
        student = printable(variant.student.shown) if variant.student else ""
        return cls(variant.text, variant.problem.path, folder, variant.code, student, variant.slips)

    def problem(self, notation: str) -> Problem:
        """The problem, with what is asked as its tasks, and the code and the student in its title."""
        found = with_tasks(Exercise(loads(self.text, self.path, self.folder), notation=notation))
        chinese = " · ".join(filter(None, (found.title_zh, self.code, self.student))) if found.title_zh else ""
        return found.replace(title=" · ".join(filter(None, (found.title, self.code, self.student))), title_zh=chinese)


def files_of(handout: Handout, paper: Paper) -> Files:
    """The files of one variant: the problem, the empty answers, sheets and keys if they are not all in one file."""
    problem = handout.problem(paper.notation)
    files: Files = {PROBLEM: handout.text, ANSWERS: _answers(problem, handout, paper)}
    if not paper.together:
        for kind, format in paper.wanted():
            files |= _exported([(problem, handout)], paper, kind, format, kind)
    return files


def together(handouts: Sequence[Handout], paper: Paper) -> Files:
    """The files that have the sheets, or the keys, of all."""
    files: Files = {}
    if paper.together:
        problems = [(handout.problem(paper.notation), handout) for handout in handouts]
        for kind, format in paper.wanted():
            files |= _exported(problems, paper, kind, format, f"{kind}s")
    return files


def _exported(problems: Sequence[tuple[Problem, Handout]], paper: Paper, kind: str, format: str, name: str) -> Files:
    check_view(format, VIEW_OF[kind])
    dialect, chapters = dialect_of(format), []
    for problem, handout in problems:
        style = Style(notation=paper.notation, view=VIEW_OF[kind], student=handout.student)
        derivation = derive(problem, rounding_of(problem), iterations_of(problem))
        chapters.append(KeyChapter(derivation, dialect, style, handout.slips) if kind == KEY else Chapter(derivation, dialect, style))
    found = written(Report(tuple(chapters), translator(paper.language), paper.language, name), format)
    return {name + (FORMATS[format].suffix or ".txt"): found.content, **found.beside}


def rounding_of(problem: Problem) -> Rounding:
    """The rounding of the problem, else the digits that most of its tasks ask."""
    if problem.rounding is not None:
        return problem.rounding
    asked = [(task.decimals, task.significant) for task in problem.tasks if (task.decimals, task.significant) != (None, None)]
    return Rounding(*max(dict.fromkeys(asked), key=asked.count)) if asked else AskedDigits(USUAL).rounding


def iterations_of(problem: Problem) -> int:
    """How many updates the tasks speak of."""
    return max((iteration_of(task.ask) for task in problem.tasks), default=1)


# --- many of them -----------------------------------------------------------------------------------------------------


def all_files(handouts: Sequence[Handout], paper: Paper) -> list[Files]:
    """The files of many variants, in their order; in several processes where that pays."""
    count = min(processors(), len(handouts) // PER_PROCESS) if not paper.together else 1
    ended = OutputError(Message("a process that wrote sheets ended; is there enough memory?"))
    return list(in_processes(partial(files_of, paper=paper), handouts, count, ended, CHUNK))


def with_tasks(exercise: Exercise) -> Problem:
    """The problem with its tasks; with what is asked where it has none."""
    problem = exercise.problem
    if problem.tasks:
        return problem
    tasks = (
        Task(exercise.id(wanted), decimals=digits.decimals, significant=digits.significant) for wanted, digits in exercise.asked.items()
    )
    return problem.replace(tasks=tuple(tasks))


def _answers(problem: Problem, handout: Handout, paper: Paper) -> str:
    """The empty table, with the code in its first line."""
    translate = translator(paper.language)
    desk = Checker(problem, paper.notation).desk_for(Sheet("", ()))
    table = blank_sheet(desk, "csv", translate)
    heading = Message("# name:").text(translate)
    text = f"# variant: {handout.code}\n" + table.replace(f"{heading} \n", f"{heading} {handout.student}\n", 1)
    return "\ufeff" * (not text.isascii()) + text
