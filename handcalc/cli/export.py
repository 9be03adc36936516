"""handcalc export."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from gettext import gettext

import click

from handcalc.cli.confirming import framework_option, write_scripts
from handcalc.cli.endings import ending_of, format_of, formats_of
from handcalc.cli.help import Translated
from handcalc.cli.options import FileName, Settings, document_options, force_option, reading_options, rounding_options
from handcalc.cli.output import save, say
from handcalc.cli.progress import progress_bar
from handcalc.cli.quiz import QuizOptions, is_quiz, quiz_endings, quiz_options, write_quizzes
from handcalc.cli.troubles import troubles
from handcalc.core.derivation import Derivation
from handcalc.core.record import Record
from handcalc.deriving import derive
from handcalc.disk.writing import make_folder
from handcalc.errors import EvaluationError, HandcalcError, Message, ProblemError
from handcalc.loading.loader import load
from handcalc.problem.schema import Problem
from handcalc.render.answerfields import AnswerFields
from handcalc.render.reading import read
from handcalc.render.report import FORMATS, check_view, endings, export
from handcalc.render.views import VIEWS

FILES = tuple(format.name for format in FORMATS.values() if format.suffix)
ALL = "all"
NO_FIELDS = "none"
FIELDS = ("hashed", "plain", NO_FIELDS)


@click.command(cls=Translated, values={"endings": endings(), "quizzes": quiz_endings()})
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=FileName())
@click.option("-o", "--output", "outputs", multiple=True, type=FileName(), help="The file to write, or a folder; may be repeated.")
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice([*FILES, ALL]),
    metavar="FORMAT",
    help="Format, where the name of the file does not say it, and for a folder; may be repeated.",
)
@click.option(
    "--fields",
    type=click.Choice(FIELDS),
    help="Worksheets as pages: what checks the answers is shipped hashed (usual), plain, or not at all.",
)
@framework_option
@quiz_options
@document_options
@reading_options
@rounding_options
@force_option
def command(
    files: tuple[str, ...],
    outputs: tuple[str, ...],
    formats: tuple[str, ...],
    fields: str | None,
    framework: str | None,
    wanted: QuizOptions,
    settings: Settings,
) -> int:
    """Write worked solutions or worksheets to files, or quizzes for learning platforms.

    FILE is a problem file, a folder of them, the manifest of a set of variants, or the name of a shipped problem. The ending of the
    output says the format: {endings}; several problems make one report. With a folder as output, every problem becomes a file of
    its own in every --format.

    A quiz ({quizzes}) asks what the tasks ask, takes what legitimate rounding gives, and says of wrong answers which mistake was
    made.

    Example: handcalc export mazur-2-2-2 -o solution.pdf
    """
    translate = settings.translator()
    if not outputs:
        raise click.UsageError(translate("say with -o where it goes, for example -o report.html"))
    if framework:
        return write_scripts(files, outputs, framework, settings)
    quizzes = [output for output in outputs if is_quiz(output, wanted, formats, files)]
    if wanted.given and not quizzes:
        raise click.UsageError(translate("{option} is for quizzes; say which with --quiz").format(option=wanted.given[0]))
    if quizzes:
        write_quizzes(files, quizzes, wanted, settings)
    documents = tuple(output for output in outputs if output not in quizzes)
    return _write_documents(files, documents, formats, fields, settings) if documents else 0


def _write_documents(
    files: tuple[str, ...], outputs: tuple[str, ...], formats: tuple[str, ...], fields: str | None, settings: Settings
) -> int:
    """Worked solutions and worksheets."""
    translate = settings.translator()
    sources = [source for file in files for source in _problems(file)]
    targets = [target for output in outputs for target in _targets(output, _wanted(formats, settings.view), sources)]
    for target in targets:
        check_view(target.format, settings.view)
    jobs = _Jobs(settings, fields)
    with progress_bar(sum(len(target.sources) for target in targets), translate("Exporting")) as progress:
        done = 0
        for target in targets:
            jobs.write(target)
            done += len(target.sources)
            if progress:
                progress(done)
    for message in jobs.failed.values():
        say(message.text(translate), sys.stderr)
    return 2 if jobs.failed else 0


class Target(Record):
    """A file to write: its format, and the problems in it; alone: what is wrong with it does not stop the others."""

    path: str
    format: str
    sources: tuple[str, ...]
    alone: bool = False


def _problems(file: str) -> list[str]:
    """A problem, those in a folder, those of a manifest."""
    if not os.path.isdir(file) and not file.endswith(".json"):
        return [file]
    from handcalc.exercises.quizsources import problems_of

    return problems_of(file)


def _wanted(formats: tuple[str, ...], view: str) -> tuple[str, ...]:
    """The formats that were named; all of them: all that have the view."""
    if ALL in formats:
        return tuple(name for name in FILES if view == "key" or FORMATS[name].document)
    return tuple(dict.fromkeys(formats))


def _targets(output: str, chosen: tuple[str, ...], sources: list[str]) -> Iterator[Target]:
    """One file with all problems; in a folder, a file for each problem and format."""
    if not _is_folder(output, chosen):
        yield Target(output, _format(output, chosen), tuple(sources))
        return
    if not chosen:
        raise click.UsageError(Message("say with --format what to write to the folder {folder}", folder=output).text(gettext))
    stems = [os.path.splitext(os.path.basename(source))[0] for source in sources]
    taken: set[str] = set()
    for source, stem in zip(sources, stems):
        count, name = 1, stem
        while name in taken or (count > 1 and name in stems):
            count += 1
            name = f"{stem}-{count}"
        taken.add(name)
        for format in chosen:
            yield Target(os.path.join(output, name + FORMATS[format].suffix), format, (source,), True)


def _is_folder(output: str, chosen: tuple[str, ...]) -> bool:
    """Whether an output is a folder, or can only be meant as one."""
    if os.path.isdir(output) or output.endswith(("/", os.sep)):
        return True
    return len(chosen) > 1 and not os.path.splitext(output)[1]


def _format(output: str, chosen: tuple[str, ...]) -> str:
    """The format of a file: that of its ending, else the one that was named."""
    return format_of(output, FILES, next((format for format in chosen if format in formats_of(ending_of(output))), (*chosen, None)[0]))


class _Jobs:
    """Loads and derives every problem once, and writes the files."""

    def __init__(self, settings: Settings, fields: str | None = None) -> None:
        self.settings = settings
        self.kind = fields
        self.failed: dict[str, Message] = {}
        self._derived: dict[str, Derivation | HandcalcError] = {}
        self._problems: dict[str, Problem] = {}

    def derivation(self, source: str) -> Derivation:
        """The worked solution of a problem; its error again, if it has one."""
        if source not in self._derived:
            try:
                problem = load(source)
                self._problems[source] = problem
                self._derived[source] = derive(problem, self.settings.rounding(problem), self.settings.iterations)
            except HandcalcError as error:
                self._derived[source] = error
        found = self._derived[source]
        if isinstance(found, HandcalcError):
            raise found
        return found

    def derivations(self, sources: tuple[str, ...]) -> list[Derivation]:
        """Those of several problems. Raises all their errors together."""
        found: list[Derivation] = []
        messages: list[Message] = []
        for source in sources:
            try:
                found.append(self.derivation(source))
            except HandcalcError as error:
                messages += error.messages
        if messages:
            raise HandcalcError(*messages)
        return found

    def write(self, target: Target) -> None:
        """One file."""
        try:
            self._write(target)
        except HandcalcError as error:
            if not target.alone:
                raise
            for message in error.messages:
                named = message if message.where else Message(message.template, f"{target.sources[0]}: ", **message.values)
                self.failed.setdefault(str(named), named)

    def _write(self, target: Target) -> None:
        derivations = self.derivations(target.sources)
        language = self.settings.language(*(derivation.header.language for derivation in derivations))
        name = os.path.splitext(os.path.basename(target.path))[0]
        with self._troubles(target.sources):
            exported = export(derivations, target.format, self.settings.style(), language, name, self._fields(target))
        make_folder(os.path.dirname(target.path))
        save(exported, target.path, self.settings.force, (*target.sources, *(problem.path for problem in self._problems.values())))

    def _fields(self, target: Target) -> tuple[AnswerFields, ...]:
        """What checks the answers of a worksheet in a page; nothing where none is wanted, or more is asked than can be checked."""
        if target.format != "html" or not VIEWS[self.settings.view].asks or self.kind == NO_FIELDS:
            return ()
        from handcalc.exercises.asked import AskedDigits
        from handcalc.exercises.fields import Fields

        wanted = self.settings.digits()
        digits = AskedDigits(wanted.decimals, wanted.significant if wanted.decimals is None else None) if wanted else None
        hashed = self.kind != "plain"
        try:
            return tuple(
                Fields(self._problems[source], read(self.derivation(source), self.settings.notation), digits, self.settings.carry, hashed)
                for source in target.sources
            )
        except ProblemError:
            if self.kind is None:
                return ()
            raise

    @contextmanager
    def _troubles(self, sources: tuple[str, ...]) -> Iterator[None]:
        """What is said of steps without a value, of the problem that they belong to."""
        try:
            yield
        except EvaluationError as error:
            own = [source for source in sources if error.evaluation and error.evaluation.graph is self.derivation(source).graph]
            with troubles(self._problems[(own or list(sources))[0]], self.settings.notation):
                raise
