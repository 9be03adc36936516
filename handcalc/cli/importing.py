"""handcalc import."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from typing import Any

import click

from handcalc.cli.endings import PROBLEM, check_ending
from handcalc.cli.help import Translated
from handcalc.cli.new import Activations
from handcalc.cli.options import FileName, Settings, gathered, language_option, output_options
from handcalc.cli.output import save
from handcalc.core.record import Record
from handcalc.errors import HandcalcError, Message, OutputError, Template
from handcalc.language import Translate
from handcalc.problem.fields import ROWS_OF
from handcalc.render.report import Exported
from handcalc.stages import LOAD, PRINT, stage


class Given(Record):
    """What is said of the network beside its file, as it was typed."""

    inputs: str = ""
    targets: str = ""
    loss: str = ""
    learning_rate: str = ""
    optimizer: str = ""
    activations: tuple[str, ...] = ()
    weight_rows: str = ""
    order: str = ""


@click.command(cls=Translated)
@click.argument("model", type=FileName())
@gathered(
    "given",
    Given,
    click.option("--inputs", metavar="A,B,…", help="Inputs: 0.5,0.3; several samples with ; between them; or lists in brackets."),
    click.option("--targets", metavar="A,B,…", help="Targets, in the same way; without them only the forward pass is worked out."),
    click.option("--loss", metavar="LOSS", help="The loss, as in a problem file."),
    click.option("--learning-rate", metavar="RATE", help="The learning rate; without it there is no update."),
    click.option("--optimizer", metavar="NAME", help="The optimiser, as in a problem file: adam, or {adam: {beta1: 0.8}}."),
    click.option(
        "--activations",
        type=Activations(),
        metavar="NAME,…",
        help="One for each layer whose activation the file does not say: relu,sigmoid.",
    ),
    click.option("--weight-rows", type=click.Choice(ROWS_OF), help="Whose a row of every matrix is, where the file does not say it."),
    click.option("--order", metavar="NAME,…", help="The order of the layers, where their names do not say it."),
)
@language_option("Language of the comments in the file.")
@output_options
def command(model: str, given: Given, settings: Settings) -> None:
    """Make a problem of a trained network.

    MODEL is a file of safetensors, ONNX, Keras (.keras, .h5), NPZ or JSON; a pickle (.pt, .pkl, .joblib) is never opened. What the file
    does not say, such as activations, is asked for.

    Example: handcalc import model.npz --activations relu --inputs 0.5,0.3
    """
    from handcalc.bridges.network import Wishes
    from handcalc.bridges.sources import read_model
    from handcalc.bridges.writing import loaded, typed_numbers, written

    check_ending(settings.output, *PROBLEM)
    translate = settings.translator()
    wishes = Wishes(
        typed_numbers(given.inputs, "--inputs") if given.inputs else None,
        typed_numbers(given.targets, "--targets") if given.targets else None,
        given.loss,
        given.learning_rate,
        given.optimizer,
        given.activations,
        given.weight_rows,
        tuple(part.strip() for part in given.order.split(",") if part.strip()),
    )
    with stage(LOAD):
        network = read_model(model, wishes)
    if _is_asked():
        wishes = _asked(network, wishes, translate)
    archive = os.path.splitext(os.path.basename(settings.output or "model"))[0] + ".npz"
    with stage(PRINT):
        text, arrays = written(network, wishes, translate, archive)
        loaded(text, arrays, settings.output or "problem", archive)
    if arrays and not settings.output:
        raise OutputError(Message("large layers go into a file beside the problem; give its name with -o"))
    beside = {archive: _packed(arrays)} if arrays else {}
    save(Exported(text, beside), settings.output, settings.force, (model,))
    if settings.output:
        click.echo(translate("{file} is written. Next: handcalc solve {file}").format(file=settings.output), err=True)


def _packed(arrays: dict[str, Any]) -> bytes:
    """Weights that are too many for the problem file, as an NPZ."""
    import numpy

    stream = io.BytesIO()
    numpy.savez(stream, **arrays)
    return stream.getvalue()


def _is_asked() -> bool:
    """Whether somebody is there to answer."""
    return sys.stdin.isatty()


def _asked(network: Any, wishes: Any, translate: Translate) -> Any:
    """What is missing, from somebody at a terminal."""
    from handcalc.bridges.network import OPEN
    from handcalc.bridges.writing import typed_numbers

    names = [layer.origin for layer in network.layers if layer.keys.get("activation") == OPEN]
    if names and not wishes.activations:
        ask = translate("Activation of {name}")
        found = [click.prompt(ask.format(name=name), type=Activations(), err=True)[0] for name in names]
        wishes = wishes.replace(activations=tuple(found))
    if wishes.inputs is None:
        wishes = wishes.replace(inputs=_prompt("Inputs, with commas between them", translate, lambda text: typed_numbers(text, "--inputs")))
        targets = _prompt("Targets, or nothing", translate, lambda text: typed_numbers(text, "--targets") if text else None, "")
        wishes = wishes if targets is None else wishes.replace(targets=targets)
    if wishes.targets is not None and not wishes.loss and "loss" not in network.keys:
        wishes = wishes.replace(loss=click.prompt(translate("Loss"), err=True))
        rate = click.prompt(translate("Learning rate, or nothing"), default="", show_default=False, err=True)
        wishes = wishes.replace(learning_rate=wishes.learning_rate or rate)
    return wishes


def _prompt(text: Template, translate: Translate, read: Callable[[str], Any], default: str | None = None) -> Any:
    """What somebody types, asked again until it can be read."""
    while True:
        typed = click.prompt(translate(text), default=default, show_default=False, err=True)
        try:
            return read(typed.strip())
        except HandcalcError as error:
            click.echo(error.messages[0].text(translate), err=True)
