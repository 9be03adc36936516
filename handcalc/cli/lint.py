"""handcalc lint."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from handcalc import __version__
from handcalc.cli.help import Translated
from handcalc.cli.options import SCREEN, FileName, Settings, format_option, output_options, reading_options, rounding_options
from handcalc.cli.output import Wish, say
from handcalc.cli.progress import progress_bar
from handcalc.errors import HandcalcError, Message
from handcalc.exercises.manifest import problem_files
from handcalc.loading.loader import load
from handcalc.stages import MARK, stage

if TYPE_CHECKING:
    from handcalc.exercises.lint import LintReport

FORMATS = ("terminal", "plain", "json", "sarif", "github")
FOR_PLATFORMS = ("sarif", "github")  # they have what cannot be read among the findings


@click.command(cls=Translated)
@click.argument("file", type=FileName())
@click.option("--pairs", is_flag=True, help="Look at two mistakes together as well.")
@rounding_options
@format_option(FORMATS)
@reading_options
@output_options
def command(file: str, pairs: bool, settings: Settings) -> int:
    """Say whether an exercise is sound: numbers that degenerate, mistakes that the answers asked would not show.

    FILE is a problem file, a folder of them, or the manifest of a set of variants. What is asked are the tasks of the problem, else
    outputs, loss, δ and new parameters, with the digits of the tasks, else 4 decimals. Exit code 1 says that something was found.

    Example: handcalc lint shared-bias-2-3-2
    """
    settings = Wish(settings, settings.language()).in_format_of_output(FORMATS).settings
    files = problem_files(file)
    several = len(files) > 1 or os.path.isdir(file) or file.endswith(".json")
    found, failed = [], []
    with progress_bar(len(files), settings.translator()("Checking exercises")) as progress:
        for number, one in enumerate(files, 1):
            try:
                found.append((one, _linted(one, pairs, settings)))
            except HandcalcError as error:
                failed.append((one, error))
            if progress:
                progress(number)
    language = settings.language(*(report.exercise.problem.language for _, report in found))
    wish = Wish(settings, language, tuple(files))
    platform = wish.settings.format in FOR_PLATFORMS
    if failed and not several and not platform:
        raise failed[0][1]
    errors = [(one, message) for one, wrong in failed for message in wrong.messages]
    _write(found, errors, several, file, wish)
    for _, message in errors:
        say(message.text(wish.translate), sys.stderr)
    return 2 if failed else 0 if all(report.ok for _, report in found) else 1


def _linted(file: str, pairs: bool, settings: Settings) -> LintReport:
    from handcalc.exercises.asked import AskedDigits
    from handcalc.exercises.lint import lint

    digits = settings.digits()
    asked = None if digits is None else AskedDigits(digits.decimals, digits.significant if digits.decimals is None else None)
    report = lint(load(file), asked, settings.carry, pairs, settings.notation)
    with stage(MARK):
        report.findings  # noqa: B018  what is wrong with the file is said before anything is written
    return report


def _write(found: list[tuple[str, LintReport]], errors: list[tuple[str, Message]], several: bool, file: str, wish: Wish) -> None:
    from handcalc.exercises.lint import as_annotations, as_json, as_sarif
    from handcalc.exercises.lintreport import report

    if wish.settings.format == "json":
        parts = [{"file": _beside(one, file), **as_json(own, wish.translate)} for one, own in found]
        wish.write_json({"handcalc": 1, "files": parts} if several else as_json(found[0][1], wish.translate))
    elif wish.settings.format == "sarif":
        wish.write_json(as_sarif(found, __version__, wish.translate, errors))
    elif wish.settings.format == "github":
        wish.write(as_annotations(found, wish.translate, errors))
    elif found:
        assert wish.settings.format in SCREEN
        blocks = [block for one, own in found for block in report(own, _beside(one, file) if several else "")]
        wish.show(lambda reading: iter(blocks), found[0][1].exercise.book.derivation)


def _beside(one: str, file: str) -> str:
    """A file as seen from the folder or the manifest it was found in; of a course its name."""
    folder = file if os.path.isdir(file) else os.path.dirname(file)
    if not os.path.lexists(file):
        return os.path.basename(one)
    return os.path.relpath(one, folder or os.curdir).replace(os.sep, "/") if os.path.lexists(one) else one
