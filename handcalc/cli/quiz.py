"""Quiz files of `handcalc export`: which outputs are quizzes, and writing them.

- `QuizOptions` is what the options say, `quiz_options` their decorator.
- `is_quiz(output, options, …)` says whether an output is one, `write_quizzes(files, outputs, options, settings)` writes some.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from gettext import gettext
from typing import TYPE_CHECKING

import click

from handcalc.cli.endings import ending_of
from handcalc.cli.options import FileName, Settings, gathered
from handcalc.cli.output import say, write
from handcalc.core.record import Record
from handcalc.disk.jsontext import json_text
from handcalc.disk.writing import check_target
from handcalc.errors import Message, OutputError
from handcalc.exercises.quizzes import QUIZ_FORMATS, QuizFormat
from handcalc.render.report import FORMATS

if TYPE_CHECKING:
    from handcalc.exercises.quiz import Question, QuizWish
    from handcalc.language import Translate

LINES = 12  # of what is said on the screen
PER = tuple(dict.fromkeys(per for format in QUIZ_FORMATS.values() for per in format.per))


class QuizOptions(Record):
    """What was said of a quiz; what was not said is None, or as it stands here."""

    quiz: str | None = None
    per: str | None = None
    feedback: int | None = None
    hints: bool = False
    category: str | None = None
    report: str | None = None

    @property
    def given(self) -> list[str]:
        """The options that only quizzes have."""
        return [f"--{name}" for name in self._fields[1:] if getattr(self, name) not in (None, False)]


quiz_options = gathered(
    "wanted",
    QuizOptions,
    click.option("--quiz", type=click.Choice(list(QUIZ_FORMATS)), help="A quiz for a learning platform."),
    click.option("--per", type=click.Choice(PER), help="Quiz: one question a variant, or one a number."),
    click.option("--feedback", type=click.IntRange(0, 50), metavar="N", help="Quiz: so many mistakes of a number are told (6)."),
    click.option("--hints", is_flag=True, help="Quiz: hints, one more at every try."),
    click.option("--category", metavar="PATH", help="Quiz: where questions are filed, such as course/week-3."),
    click.option("--report", type=FileName(), metavar="FILE", help="Quiz: what became of every mistake, as JSON."),
)


def quiz_endings() -> str:
    """The endings that always mean a quiz."""
    return " ".join(dict.fromkeys(format.suffix for format in QUIZ_FORMATS.values() if not _is_shared(format.suffix)))


def _is_shared(ending: str) -> bool:
    """Whether worked solutions have an ending too."""
    return any(format.suffix == ending for format in FORMATS.values())


def is_quiz(output: str, options: QuizOptions, formats: Sequence[str], files: Sequence[str]) -> bool:
    """Whether an output is a quiz: it was said, or its ending says it and no other format was named; a table of numbers is one
    where it is made of a manifest."""
    if options.quiz is not None:
        return True
    ending = ending_of(output)
    if formats or not any(format.suffix == ending for format in QUIZ_FORMATS.values()):
        return False
    from handcalc.exercises.quizsources import manifests_of

    return not _is_shared(ending) or bool(options.given) or any(map(manifests_of, files))


def _format(output: str, options: QuizOptions) -> QuizFormat:
    """The format of a file: the one that was named, else the first that its ending stands for."""
    meant = [format for format in QUIZ_FORMATS.values() if format.suffix == ending_of(output)]
    if options.quiz is None:
        return meant[0]
    chosen = QUIZ_FORMATS[options.quiz]
    if meant and chosen not in meant:
        text = "the ending stands for {meant}, but --quiz says {chosen}"
        raise OutputError(Message(text, f"{output}: ", meant=meant[0].name, chosen=chosen.name))
    return chosen


def _per(format: QuizFormat, options: QuizOptions) -> str:
    if options.per is not None and options.per not in format.per:
        text = "{format} has one question a {known}, not a {per}"
        raise click.UsageError(Message(text, format=format.name, known=format.per[0], per=options.per).text(gettext))
    return options.per or format.per[0]


def write_quizzes(files: Sequence[str], outputs: Sequence[str], options: QuizOptions, settings: Settings) -> None:
    """Some files with the same questions, and the report. Nothing is written where something cannot be."""
    from handcalc.exercises.quiz import questions
    from handcalc.exercises.quizsources import read_files, sources_of

    _check(outputs, options, settings)
    formats = {output: _format(output, options) for output in outputs}
    quizzes = {output: (format, _per(format, options)) for output, format in formats.items()}
    sources = sources_of(files)
    inputs = (*files, *read_files(files, sources))
    targets = [*outputs, *([options.report] if options.report else [])]
    for target in targets:
        check_target(target, settings.force, inputs)
    made = tuple(questions(sources, _wish(options, settings)))
    translate = settings.translator(made[0].language)
    contents, said = _written(made, quizzes, options, translate)
    for target, content in contents.items():
        write(content, target, settings.force, inputs)
    for line in said[:LINES]:
        say(line, sys.stderr)
    if len(said) > LINES:
        say(Message("… and {count} more; --report FILE has all of them", count=len(said) - LINES).text(translate), sys.stderr)


def _check(outputs: Sequence[str], options: QuizOptions, settings: Settings) -> None:
    if settings.comma:
        raise click.UsageError(gettext("a quiz has decimal points only; leave --decimal-comma out"))
    for output in outputs:
        if os.path.isdir(output) or output.endswith(("/", os.sep)):
            raise OutputError(Message("a quiz is one file; give its name", f"{output}: "))
    targets = [os.path.realpath(target) for target in (*outputs, options.report) if target]
    if len({*targets}) < len(targets):
        raise OutputError(Message("two of the files to write are the same"))


def _written(
    made: tuple[Question, ...], quizzes: Mapping[str, tuple[QuizFormat, str]], options: QuizOptions, translate: Translate
) -> tuple[dict[str, str | bytes], list[str]]:
    """The content of every file; and what is said of what could not be asked, or told."""
    from handcalc.exercises.quiz import Quiz, report, warnings
    from handcalc.exercises.quizzes import prepared, written

    contents: dict[str, str | bytes] = {}
    said: dict[str, None] = {}
    reported = None
    for output, (format, per) in quizzes.items():
        quiz, left_out = prepared(Quiz(made, per, options.category or ""), format.name)
        if options.hints and not format.hints:
            left_out.append(Message("{format} has no hints; they are left out", format=format.name))
        contents[output] = written(quiz, format.name)
        said |= dict.fromkeys(message.text(translate) for message in (*left_out, *warnings(quiz.questions)))
        reported = reported or quiz
    if options.report and reported:
        contents[options.report] = json_text(report(reported, said), indent=1) + "\n"
    return contents, [*said]


def _wish(options: QuizOptions, settings: Settings) -> QuizWish:
    from handcalc.exercises.asked import AskedDigits
    from handcalc.exercises.quiz import USUAL_FEEDBACK, QuizWish

    digits = settings.digits()
    asked = None if digits is None else AskedDigits(digits.decimals, digits.significant if digits.decimals is None else None)
    feedback = USUAL_FEEDBACK if options.feedback is None else options.feedback
    return QuizWish(feedback, options.hints, settings.lang or "", settings.notation, asked, settings.carry)
