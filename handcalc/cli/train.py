"""handcalc train."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import click

from handcalc.cli.endings import PROBLEM, check_ending
from handcalc.cli.help import Translated
from handcalc.cli.options import FileName, Settings, format_option, gathered, output_options, reading_options, rounding_options
from handcalc.cli.output import Wish
from handcalc.cli.pictures import HERE, check_pictures, draw
from handcalc.cli.progress import training_bar
from handcalc.cli.troubles import troubles
from handcalc.core.record import Record
from handcalc.deriving import derive
from handcalc.errors import Message, OutputError
from handcalc.loading.loader import STDIN, load
from handcalc.render import read
from handcalc.stages import TRAIN, stage

if TYPE_CHECKING:
    from handcalc.core.derivation import Derivation
    from handcalc.core.rounding import Rounding
    from handcalc.problem.schema import Problem
    from handcalc.render.plot.model import Plot
    from handcalc.render.reading import Reading
    from handcalc.training.train import Trained
    from handcalc.training.trainer import Trainer

    Draw = Callable[[Trained, Reading], Plot]

FORMATS = ("terminal", "plain", "json", "csv")


class Length(Record):
    """How long to train, if the problem does not say it, and how often the loss is shown."""

    iterations: int | None = None
    epochs: int | None = None
    every: int | None = None


class Pictures(Record):
    """Pictures that are wanted, each by its file, and the two parameters of the level lines."""

    plot: str | None = None
    boundary: str | None = None
    contour: str | None = None
    across: str | None = None
    up: str | None = None

    @property
    def targets(self) -> list[str]:
        """The files, or - for letters."""
        return [target for target in (self.plot, self.boundary, self.contour) if target]


COUNT = click.IntRange(1, 100_000_000)


@click.command(cls=Translated)
@click.argument("file")
@gathered(
    "length",
    Length,
    click.option("--iterations", type=COUNT, metavar="N", help="So many updates."),
    click.option("--epochs", type=COUNT, metavar="N", help="So often through all samples."),
    click.option("--every", type=COUNT, metavar="N", help="Show the loss after every N updates."),
)
@click.option("--show-step", type=COUNT, metavar="K", help="The complete hand calculation of update K.")
@click.option("--save", type=FileName(), help="Write the problem file with the trained parameters.")
@gathered(
    "pictures",
    Pictures,
    click.option("--plot", type=FileName(), help="Draw the loss, and the accuracy, as a picture (.svg, .png)."),
    click.option("--boundary", type=FileName(), help="Draw the classes in the plane of two inputs (.svg, .png, or - for letters)."),
    click.option("--contour", type=FileName(), help="Draw the way of two parameters between level lines of the loss (.svg, .png, or -)."),
    click.option("--across", metavar="ID", help="The parameter of --contour that goes to the right."),
    click.option("--up", metavar="ID", help="The parameter of --contour that goes upwards."),
)
@click.option("--predict", "asked", multiple=True, metavar="A,B,…", help="New inputs to answer in the end; may be repeated.")
@format_option(FORMATS)
@reading_options
@rounding_options
@output_options
def command(
    file: str, length: Length, show_step: int | None, save: str | None, pictures: Pictures, asked: tuple[str, ...], settings: Settings
) -> None:
    """Train a network: many updates, the loss on the way, and what it answers in the end.

    How samples are used (online, in batches) and when to stop is said by training: in the problem.

    Example: handcalc train mazur-2-2-2 --iterations 10000
    """
    from handcalc.training.report import as_json, history_csv, report
    from handcalc.training.train import train_on
    from handcalc.training.trainer import Trainer

    problem = load(file)
    with troubles(problem, settings.notation):
        wish = Wish.of(settings, problem, file).in_format_of_output(FORMATS)
        settings = wish.settings
        _check(length, show_step, save, pictures, wish)
        trainer = Trainer(problem)
        archive = _archive(save, problem)
        if archive:
            wish.check(archive)
        inputs = [_numbers(text, len(problem.inputs) * bool(problem.layers)) for text in asked]
        rounding = settings.rounding(problem)
        if show_step is not None:
            _show_step(trainer, show_step, rounding, wish)
            return
        derivation = derive(problem, rounding)
        planned = _planned(trainer, derivation, pictures, wish)
        with stage(TRAIN), training_bar(wish.translate("Training")) as progress:
            found = train_on(trainer, length.iterations, length.epochs, length.every, progress)
        if save:
            _save(trainer, file if os.path.exists(file) else problem.path, save, archive, wish)
        for target, plot in planned:
            if target != HERE:
                draw(partial(plot, found), target, derivation, wish)
        if settings.format == "json":
            wish.write_json(as_json(found))
        elif settings.format == "csv":
            wish.write(history_csv(found))
        else:
            here = [plot for target, plot in planned if target == HERE]
            every = length.every is not None
            wish.show(lambda reading: report(trainer, found, reading, every, inputs, [plot(found, reading) for plot in here]), derivation)


def _check(length: Length, show_step: int | None, save: str | None, pictures: Pictures, wish: Wish) -> None:
    """Whether the options go together and the files may be written. Raises UsageError, OutputError."""
    if length.iterations is not None and length.epochs is not None:
        raise click.UsageError(wish.translate("give --iterations or --epochs, not both"))
    across, up = pictures.across, pictures.up
    if (across is None) != (up is None) or across is not None and pictures.contour is None:
        raise click.UsageError(wish.translate("--across and --up go together, with --contour"))
    if pictures.targets and show_step is not None:
        raise click.UsageError(wish.translate("--show-step is about one update; it goes without pictures"))
    check_pictures(pictures.targets, wish)
    if save and STDIN in wish.inputs:
        raise click.UsageError(wish.translate("--save writes the file again with other numbers; it needs a file, not standard input"))
    if save:
        check_ending(save, *PROBLEM)
        wish.check(save)


def _show_step(trainer: Trainer, number: int, rounding: Rounding, wish: Wish) -> None:
    """One update as a hand calculation."""
    from handcalc.render.options import Options
    from handcalc.render.solution import solution

    trainer.advance(number - 1)
    step = trainer.next_step(rounding)
    wish.show(lambda reading: solution(step, reading, Options()), step)


def _planned(trainer: Trainer, derivation: Derivation, pictures: Pictures, wish: Wish) -> list[tuple[str, Draw]]:
    """What to draw once all is trained, and where. Raises ProblemError for what cannot be drawn."""
    from handcalc.training import plots
    from handcalc.training.landscape import check_inputs, two_parameters

    planned: list[tuple[str, Draw]] = []
    if pictures.plot and pictures.plot != HERE:  # the report has the loss anyway
        planned.append((pictures.plot, lambda found, reading: plots.history(found)))
    if pictures.boundary:
        check_inputs(trainer)
        planned.append((pictures.boundary, lambda found, reading: plots.boundary(trainer, reading)))
    if pictures.contour:
        cells = two_parameters(trainer, read(derivation, wish.settings.notation), pictures.across, pictures.up)
        planned.append((pictures.contour, lambda found, reading: plots.contour(trainer, cells, found, reading)))
    return planned


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
        wish.write(stream.getvalue(), archive)
    wish.write(text, target)


def _numbers(text: str, count: int) -> tuple[float, ...]:
    """Inputs as typed."""
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        found = ()
    if len(found) != count or not all(map(math.isfinite, found)):
        raise OutputError(
            Message(
                "expected {count} {count:number|numbers with commas between them}, found {found}",
                "--predict: ",
                count=count,
                found=f'"{text}"',
            )
        )
    return found
