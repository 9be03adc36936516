"""handcalc solve."""

from __future__ import annotations

import io
import sys

import click

from handcalc.cli.help import Translated
from handcalc.cli.options import chosen_rounding, console_for, dialect_for, fits, output_options, reading_options, rounding_options, write
from handcalc.core.derivation import PHASES, Derivation, Step
from handcalc.derive import derive
from handcalc.language import choose, translator
from handcalc.problem.loader import load
from handcalc.render import EXPORTED, FORMATS, LONGEST_SUM, export, read, table
from handcalc.render.dialects import LATEX, PLAIN, UNICODE
from handcalc.render.reading import Reading

ITERATIONS = click.IntRange(1, 1000)


@click.command(cls=Translated)
@click.argument("file")
@click.option(
    "--only",
    multiple=True,
    metavar="PHASE|ID",
    help="Only these phases (given, forward, error, backward, update) or steps, such as grad.w5; may be repeated.",
)
@click.option(
    "--detail",
    type=click.Choice(["brief", "normal", "full"]),
    default="normal",
    help="How much is worked out line by line.",
    show_default=True,
)
@click.option(
    "--form",
    type=click.Choice(["scalar", "matrix", "both"]),
    default="scalar",
    help="Scalar formulas, matrices, or both.",
    show_default=True,
)
@click.option("--iterations", type=ITERATIONS, default=1, metavar="N", help="So many updates, one after the other.")
@click.option("--format", "form_of_output", type=click.Choice(FORMATS), default="terminal", help="Output format.", show_default=True)
@reading_options
@rounding_options
@output_options
def command(
    file: str,
    only: tuple[str, ...],
    detail: str,
    form: str,
    iterations: int,
    form_of_output: str,
    notation: str | None,
    lang: str | None,
    comma: bool,
    decimals: int | None,
    significant: int | None,
    carry: bool,
    output: str | None,
    force: bool,
) -> None:
    """Print the complete worked solution of a problem.

    FILE is a problem file, or the name of a shipped problem (handcalc list problems).

    Example: handcalc solve mazur-2-2-2 --decimals 4 --only backward
    """
    problem = load(file)
    derivation = derive(problem, chosen_rounding(problem, decimals, significant, carry), iterations)
    if form_of_output == "json":
        reading = read(derivation, notation or "", PLAIN, comma)
        text = _json(derivation, reading, only)
        if not output and not fits(text, sys.stdout):
            text = _json(derivation, reading, only, ascii=True)
        write(text, output, force, (file, problem.path))
        return
    if form_of_output == "csv":
        reading = read(derivation, notation or "", PLAIN, comma)
        write(table(derivation, reading, _steps(derivation, reading, only)), output, force, (file, problem.path))
        return
    from handcalc.render.document import Options, solution

    exported = form_of_output in EXPORTED
    stream = io.StringIO() if output else sys.stdout
    dialect = LATEX if exported else PLAIN if form_of_output == "plain" else dialect_for(stream) if not output else UNICODE
    reading = read(derivation, notation or "", dialect, comma, 0 if detail == "full" else LONGEST_SUM)
    phases, cells = _selected(reading, only)
    translate = translator(choose(lang, problem.language))
    blocks = solution(derivation, reading, Options(detail, form, phases, cells))
    if exported:
        write(export(blocks, reading, translate, form_of_output), output, force, (file, problem.path))
        return
    from handcalc.render.terminal import show

    show(blocks, reading, translate, console_for(stream, form_of_output == "plain"))
    if isinstance(stream, io.StringIO):
        write(stream.getvalue(), output, force, (file, problem.path))


def _selected(reading: Reading, only: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[tuple[tuple[str, tuple[int, ...]], int], ...]]:
    """Phases, and cells by id or symbol."""
    words = [word for text in only for word in _split(text)]
    phases = tuple(word for word in words if word in PHASES)
    return phases, tuple(reading.find(word) for word in words if word not in PHASES)


def _split(text: str) -> list[str]:
    """Words between commas; a comma inside brackets belongs to an id such as W1[2,1]."""
    words, depth = [""], 0
    for letter in text:
        depth += (letter == "[") - (letter == "]")
        if letter == "," and depth == 0:
            words.append("")
        else:
            words[-1] += letter
    return [word.strip() for word in words if word.strip()]


def _json(derivation: Derivation, reading: Reading, only: tuple[str, ...], ascii: bool = False) -> str:
    from handcalc.render.jsonform import document, dumps

    return dumps(document(derivation, reading, _steps(derivation, reading, only)), ascii)


def _steps(derivation: Derivation, reading: Reading, only: tuple[str, ...]) -> list[Step] | None:
    """The steps of these phases and ids; None where there is no choice."""
    if not only:
        return None
    phases, cells = _selected(reading, only)
    steps = [step for k in range(1, derivation.iterations + 1) for step in derivation.steps(k) if step.phase in phases] if phases else []
    return steps + [derivation.step(*cell) for cell in cells]
