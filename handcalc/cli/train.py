"""handcalc train."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from handcalc.cli.help import Translated
from handcalc.cli.options import FileName, Wish, check_target, chosen_rounding, output_options, reading_options, rounding_options, write
from handcalc.cli.pictures import HERE, check_pictures, draw
from handcalc.cli.progress import training_bar
from handcalc.deriving import derive
from handcalc.errors import Message, OutputError
from handcalc.language import choose, translator
from handcalc.loading.loader import load
from handcalc.render import read

if TYPE_CHECKING:
    from handcalc.problem.schema import Problem
    from handcalc.render.plot.model import Plot
    from handcalc.render.reading import Reading
    from handcalc.training.trainer import Trainer

FORMATS = ("terminal", "plain", "json", "csv")


@click.command(cls=Translated)
@click.argument("file")
@click.option("--iterations", type=click.IntRange(1, 100_000_000), metavar="N", help="So many updates.")
@click.option("--epochs", type=click.IntRange(1, 100_000_000), metavar="N", help="So often through all samples.")
@click.option("--every", type=click.IntRange(1, 100_000_000), metavar="N", help="Show the loss after every N updates.")
@click.option("--show-step", type=click.IntRange(1, 100_000_000), metavar="K", help="The complete hand calculation of update K.")
@click.option("--save", type=FileName(), help="Write the problem file with the trained parameters.")
@click.option("--plot", type=FileName(), help="Draw the loss, and the accuracy, as a picture (.svg, .png).")
@click.option("--boundary", type=FileName(), help="Draw the classes in the plane of two inputs (.svg, .png, or - for letters).")
@click.option("--contour", type=FileName(), help="Draw the way of two parameters between level lines of the loss (.svg, .png, or -).")
@click.option("--across", metavar="ID", help="The parameter of --contour that goes to the right.")
@click.option("--up", metavar="ID", help="The parameter of --contour that goes upwards.")
@click.option("--predict", "asked", multiple=True, metavar="A,B,…", help="New inputs to answer in the end; may be repeated.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="terminal", help="Output format.", show_default=True)
@reading_options
@rounding_options
@output_options
def command(
    file: str,
    iterations: int | None,
    epochs: int | None,
    every: int | None,
    show_step: int | None,
    save: str | None,
    plot: str | None,
    boundary: str | None,
    contour: str | None,
    across: str | None,
    up: str | None,
    asked: tuple[str, ...],
    form: str,
    notation: str | None,
    lang: str | None,
    comma: bool,
    decimals: int | None,
    significant: int | None,
    carry: bool,
    output: str | None,
    force: bool,
) -> None:
    """Train a network: many updates, the loss on the way, and what it answers in the end.

    How samples are used (online, in batches) and when to stop is said by training: in the problem.

    Example: handcalc train mazur-2-2-2 --iterations 10000
    """
    from handcalc.training import plots as trainplots
    from handcalc.training.landscape import check_inputs, two_parameters
    from handcalc.training.report import as_json, history_csv, report
    from handcalc.training.train import train_on
    from handcalc.training.trainer import Trainer

    problem = load(file)
    translate = translator(choose(lang, problem.language))
    if iterations is not None and epochs is not None:
        raise click.UsageError(translate("give --iterations or --epochs, not both"))
    if (across is None) != (up is None) or across is not None and contour is None:
        raise click.UsageError(translate("--across and --up go together, with --contour"))
    wish = Wish(form, notation or "", comma, translate, output, force, (file, problem.path))
    targets = [target for target in (plot, boundary, contour) if target]
    if targets and show_step is not None:
        raise click.UsageError(translate("--show-step is about one update; it goes without pictures"))
    check_pictures(targets, wish)
    if save:
        check_target(save, force, wish.inputs)
    trainer = Trainer(problem)
    archive = _archive(save, problem)
    if archive:
        check_target(archive, force, wish.inputs)
    inputs = [_numbers(text, len(problem.inputs)) for text in asked]
    rounding = chosen_rounding(problem, decimals, significant, carry)
    if show_step is not None:
        from handcalc.render.options import Options
        from handcalc.render.solution import solution

        trainer.advance(show_step - 1)
        step = trainer.next_step(rounding)
        wish.show(lambda reading: solution(step, reading, Options()), step)
        return
    derivation = derive(problem, rounding)
    if boundary:
        check_inputs(trainer)
    cells = two_parameters(trainer, read(derivation, wish.notation), across, up) if contour else None
    with training_bar(translate("Training")) as progress:
        found = train_on(trainer, iterations, epochs, every, progress)
    if save:
        _save(trainer, file if os.path.exists(file) else problem.path, save, archive, wish)
    pictures: list[tuple[str | None, Callable[[Reading], Plot]]] = [
        (plot, lambda reading: trainplots.history(found)),
        (boundary, lambda reading: trainplots.boundary(trainer, reading)),
        (contour, lambda reading: trainplots.contour(trainer, cells or (), found, reading)),
    ]
    for target, picture in pictures:
        if target and target != HERE:
            draw(picture, target, derivation, wish)
    if form == "json":
        from handcalc.render.formats.jsonform import dumps

        wish.write(dumps(as_json(found)))
    elif form == "csv":
        wish.write(history_csv(found))
    else:
        here = [picture for target, picture in pictures[1:] if target == HERE]  # the loss is there anyway
        wish.show(
            lambda reading: report(trainer, found, reading, every is not None, inputs, [picture(reading) for picture in here]), derivation
        )


def _archive(save: str | None, problem: Problem) -> str:
    """The file for weights that are too many for the problem file; "" where all have room in it."""
    from handcalc.loading.saving import is_large

    return os.path.splitext(save)[0] + ".npz" if save and is_large(problem) else ""


def _save(trainer: Trainer, source: str, target: str, archive: str, wish: Wish) -> None:
    """The problem file with the trained parameters; many of them in a file of their own."""
    from handcalc.loading.saving import saved
    from handcalc.problem.files import read_bytes

    moved = os.path.relpath(os.path.dirname(source) or os.curdir, os.path.dirname(target) or os.curdir)
    text, arrays = saved(read_bytes(source), trainer.problem, trainer.whole.graph, trainer.values(), os.path.basename(archive), moved)
    if arrays:
        import numpy

        stream = io.BytesIO()
        numpy.savez(stream, **arrays)
        write(stream.getvalue(), archive, wish.force, wish.inputs)
    write(text, target, wish.force, wish.inputs)


def _numbers(text: str, count: int) -> tuple[float, ...]:
    """Inputs as typed."""
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        found = ()
    if len(found) != count or not all(map(math.isfinite, found)):
        raise OutputError(
            Message("expected {count} numbers with commas between them, found {found}", "--predict: ", count=count, found=f'"{text}"')
        )
    return found
