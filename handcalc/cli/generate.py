"""handcalc generate."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from handcalc.cli.endings import check_folder_name
from handcalc.cli.help import Translated
from handcalc.cli.options import FileName, Settings, gathered, output_options, settings_from
from handcalc.cli.output import say
from handcalc.core.record import Record
from handcalc.disk.writing import check_folder, write_folder
from handcalc.errors import Listing, Message
from handcalc.language import LANGUAGES, Translate
from handcalc.problem.fields import NOTATION_NAMES
from handcalc.stages import DERIVE, PRINT, stage

if TYPE_CHECKING:
    from handcalc.exercises.numbers import ExerciseTemplate
    from handcalc.exercises.sheets import Files, Paper

MOST = 10_000  # variants
SEED_LETTERS = 8
FORMATS = ("html", "pdf", "docx", "txt", "tex", "md", "typ", "ipynb")


class HowMany(Record):
    """How many variants, or for whom."""

    count: int | None = None
    students: str | None = None
    only: str | None = None
    seed: str | None = None


class Papers(Record):
    """Formats of sheets and keys, and whether all are in one file."""

    sheets: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    together: bool = False


@click.command(cls=Translated)
@click.argument("template", required=False, type=FileName())
@gathered(
    "wanted",
    HowMany,
    click.option("-n", "count", type=click.IntRange(1, MOST), metavar="N", help="So many variants."),
    click.option("--students", type=FileName(), metavar="LIST.csv", help="A variant for each student of a list: column id, and name."),
    click.option("--for", "only", metavar="ID", help="The variant of one student; the same as with a list."),
    click.option("--seed", metavar="TEXT", help="Any text; the same gives the same numbers. A new one, if not given, is printed."),
)
@gathered(
    "papers",
    Papers,
    click.option("--sheet", "sheets", multiple=True, type=click.Choice(FORMATS), help="Format of the sheets (html); may be repeated."),
    click.option("--key", "keys", multiple=True, type=click.Choice(FORMATS), help="Format of the keys (html); may be repeated."),
    click.option("--together", is_flag=True, help="All sheets in one file, each on a page of its own; the keys too."),
)
@settings_from(
    click.option("--notation", type=click.Choice(NOTATION_NAMES), metavar="NAME", help="Notation of a textbook."),
    click.option("--lang", type=click.Choice(LANGUAGES), help="Language of the sheets; the problem's, else English."),
)
@click.option("--verify", "manifest", type=FileName(), metavar="MANIFEST", help="Make everything again and name what differs.")
@click.option("--template", "other", type=FileName(), metavar="FILE", help="With --verify: where the template is now.")
@output_options
def command(template: str | None, wanted: HowMany, papers: Papers, manifest: str | None, other: str | None, settings: Settings) -> int:
    """Set an exercise with other numbers: sheets, keys, empty tables for answers, and a manifest.

    TEMPLATE is any problem file; generate: in it says from what numbers are drawn, and what must hold of them. Every variant has a
    code, and a folder with that name. The same seed gives the same numbers, everywhere. TEMPLATE may be a folder of templates, or course,
    which comes with handcalc: nine exercises from one neuron to attention; then each has a folder of its own.

    Example: handcalc generate mazur-2-2-2 -n 30 --seed autumn -o variants
    """
    if manifest is not None:
        return _verify(manifest, other, settings.translator())
    _check(template, wanted, settings.translator())
    check_folder_name(settings.output)
    from handcalc.exercises.manifest import MANIFEST, codes_in, files_of_set, make_set, templates_of
    from handcalc.exercises.numbers import ExerciseTemplate
    from handcalc.exercises.students import read_students

    assert template is not None
    sources = [ExerciseTemplate(path, settings.notation) for path in templates_of(template)]
    course = len(sources) > 1
    stem = os.path.basename(os.path.normpath(template)) if course else sources[0].stem
    folder = settings.output or f"{stem}-variants"
    check_folder(folder, settings.force)
    students = read_students(wanted.students) if wanted.students else None
    seed = wanted.seed if wanted.seed is not None else new_seed()
    files: Files = {}
    manifests, earlier = [], list[str]()
    for source in sources:
        with stage(DERIVE):
            made = make_set(source, seed, _paper(papers, settings, source), wanted.count or 0, students, wanted.only or "")
        own = os.path.join(folder, source.stem) if course else folder
        with stage(PRINT):
            files |= {os.path.join(source.stem, name) if course else name: content for name, content in files_of_set(made, own).items()}
        manifests.append((len(made.variants), os.path.join(own, MANIFEST)))
        codes = {variant.code for variant in made.variants}
        earlier += (os.path.join(own, code) for code in codes_in(own) if code not in codes)
    inputs = (*(source.path for source in sources), *filter(None, (wanted.students,)))
    write_folder(files, folder, settings.force, inputs)
    _say(manifests, seed, settings.translator(), wanted.seed is None)
    _say_left(earlier, settings.translator())
    return 0


def _check(template: str | None, wanted: HowMany, translate: Translate) -> None:
    if template is None:
        raise click.UsageError(translate("give a template, or --verify MANIFEST"))
    given = [wanted.count is not None, wanted.students is not None or wanted.only is not None]
    if not any(given):
        raise click.UsageError(translate("say how many with -n N, or for whom with --students LIST.csv or --for ID"))
    if all(given):
        raise click.UsageError(translate("give -n or students, not both"))
    if wanted.only == "":
        raise click.UsageError(translate("--for needs the id of a student"))


def new_seed() -> str:
    """A seed that nobody has had; the only thing here that differs from run to run."""
    from secrets import choice

    from handcalc.exercises.draw import LETTERS

    return "".join(choice(LETTERS) for _ in range(SEED_LETTERS)).lower()


def _paper(papers: Papers, settings: Settings, template: ExerciseTemplate) -> Paper:
    """How sheets are wanted; the language is never that of the machine, so that everybody gets the same."""
    from handcalc.exercises.sheets import Paper, format_named

    language = settings.lang or template.problem.language or "en"
    sheets = tuple(dict.fromkeys(map(format_named, papers.sheets or ("html",))))
    keys = tuple(dict.fromkeys(map(format_named, papers.keys or ("html",))))
    return Paper(sheets, keys, language, settings.notation or template.problem.notation, papers.together)


def _say(manifests: Sequence[tuple[int, str]], seed: str, translate: Translate, new_seed: bool) -> None:
    for count, file in manifests:
        click.echo(translate("variants written: {count}; the manifest is {file}").format(count=count, file=file), err=True)
    if new_seed:
        click.echo(translate("seed: {seed}").format(seed=seed), err=True)


def _say_left(folders: Sequence[str], translate: Translate) -> None:
    """Which variants of an earlier set are still there, and would be printed with the others."""
    if folders:
        text = "still there from an earlier set: {folders}"
        say(Message(text, folders=Listing(folders)).text(translate), sys.stderr)


def _verify(manifest: str, other: str | None, translate: Translate) -> int:
    """The codes that differ, one a line."""
    from handcalc.exercises.manifest import verify

    codes = verify(manifest, other)
    for code in codes:
        click.echo(code)
    if not codes:
        click.echo(translate("everything is as it was made"), err=True)
    return 1 if codes else 0
