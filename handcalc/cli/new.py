"""handcalc new."""

from __future__ import annotations

import re
import sys
from gettext import gettext
from typing import Any
from unicodedata import normalize

import click

from handcalc.cli.endings import PROBLEM, check_ending
from handcalc.cli.help import Translated
from handcalc.cli.options import Settings, SpelledChoice, language_option, output_options
from handcalc.cli.output import write
from handcalc.cli.templates import TEMPLATES, dense, written
from handcalc.cli.troubles import troubles
from handcalc.core.functions import ACTIVATIONS, FUNCTIONS
from handcalc.deriving import derive
from handcalc.errors import Message, OutputError, printable
from handcalc.language import Translate
from handcalc.layers.activations import SPELLINGS
from handcalc.loading.loader import loads
from handcalc.problem.spellings import meanings, of
from handcalc.problem.words import DEFAULT_LOSS, LOSSES

LOSS_OF = {"softmax": "cross_entropy", "log_softmax": "negative_log_likelihood"}  # activation → the loss that goes with it
SIZE_LIMIT = 20  # neurons of a layer in a new problem: more is no hand calculation
SOFTMAX_SIZES = "2-3-3"
SCHEMA = "handcalc.schema.json"
EDITORS = f"# yaml-language-server: $schema={SCHEMA}"  # the line by which editors know what to check a file with
_APART = r"\s*[-–—,，、xX×*:：\s]\s*"


class Activations(click.ParamType):  # type: ignore[type-arg]  # generic in new versions of click only
    """One activation, or several with commas between them, in any spelling."""

    name = "activation"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        found = []
        for part in re.split(r"[,，、\s]+", str(value).strip()):
            meant = meanings(part, ACTIVATIONS, SPELLINGS)
            if len(meant) != 1:
                message = Message("{found} is no activation; known are {known}", found=f'"{part}"', known=", ".join(ACTIVATIONS))
                raise click.BadParameter(message.text(gettext), ctx, param)
            found.append(meant[0])
        return tuple(found)


@click.command(cls=Translated)
@click.argument("file")
@click.option("--layers", metavar="2-3-2", help="Inputs, hidden neurons …, outputs. Without it, questions are asked.")
@click.option(
    "--activation",
    type=Activations(),
    metavar="NAME[,NAME…]",
    default="sigmoid",
    help="Activation of every layer, or of each, first to last.",
    show_default=True,
)
@click.option("--loss", type=SpelledChoice(LOSSES, of(LOSSES)), metavar="NAME", help="Loss function (see: handcalc list losses).")
@click.option(
    "--template", type=SpelledChoice(("softmax", *TEMPLATES)), help="Another kind of problem than dense layers; softmax: for classes."
)
@click.option("--learning-rate", type=float, default=0.5, help="η of the update.", show_default=True)
@click.option("--seed", type=int, default=1, help="Seed of the random numbers.", show_default=True)
@language_option("Language of the questions and comments.")
@output_options
def command(
    file: str,
    layers: str | None,
    activation: tuple[str, ...],
    loss: str | None,
    template: str | None,
    learning_rate: float,
    seed: int,
    settings: Settings,
) -> None:
    """Write a new problem file with comments, to be changed with an editor.

    FILE is the file to write. The numbers are random with two decimals; the same seed gives the same file.

    Example: handcalc new my.yaml --layers 2-3-2 --activation relu,sigmoid
    """
    translate = settings.translator()
    check_ending(settings.output or file, *PROBLEM)
    title = ""
    if template in TEMPLATES and (layers or loss):
        raise click.UsageError(gettext("--layers and --loss go with dense layers, not with --template {name}").format(name=template))
    if template == "softmax":
        layers = layers or SOFTMAX_SIZES
        hidden = [name for name in activation[:1] if name != "softmax"] if len(sizes_of(layers)) > 2 else []
        activation = (*hidden, "softmax")
    if layers is None and template is None:
        if not sys.stdin.isatty() and not sys.stdin.readable():
            raise click.UsageError(gettext("give --layers, such as --layers 2-3-2"))
        title = printable(click.prompt(translate("Title"), default=translate("My exercise"), err=True))
        layers = click.prompt(translate("Neurons of each layer, inputs first"), default="2-2-2", err=True)
        activation = click.prompt(translate("Activation function"), default=",".join(activation), type=Activations(), err=True)
        learning_rate = click.prompt(translate("Learning rate"), default=learning_rate, type=float, err=True)
    if not 0 < learning_rate < float("inf"):
        raise OutputError(Message("expected a number above 0, found {found}", "--learning-rate: ", found=f'"{learning_rate:g}"'))
    if template in TEMPLATES:
        text = written(TEMPLATES[template], learning_rate, seed, translate, title)
    else:
        sizes = sizes_of(layers or "")
        own = _of_each(activation, len(sizes) - 1)
        chosen = loss or LOSS_OF.get(own[-1], DEFAULT_LOSS)
        text = dense(sizes, own, chosen, learning_rate, seed, translate, title)
    target = settings.output or file
    remark = translate("made by: {command}; editors complete and check this file with it").format(command=f"handcalc schema > {SCHEMA}")
    text = f"{EDITORS}\n# {remark}\n{text}"
    _check(text, target)
    write(text, target, settings.force)
    click.echo(translate("{file} is written. Next: handcalc solve {file}").format(file=target), err=True)
    _say_findings(text, target, translate)


def _say_findings(text: str, target: str, translate: Translate) -> None:
    """A note where numbers that happen to be there spoil the exercise."""
    from handcalc.exercises.lint import findings_of_numbers
    from handcalc.loading.loader import loads

    found = findings_of_numbers(loads(text))
    if found:
        more = translate("could be better (1 of {count}): {finding}. See: handcalc lint {file}")
        click.echo(more.format(count=len(found), finding=found[0].message.text(translate), file=target), err=True)


def sizes_of(layers: str) -> list[int]:
    """The sizes of layers, inputs first: 2-3-2, 2,3,2 or 2x3x2. Raises OutputError."""
    parts = re.split(_APART, normalize("NFKC", layers).strip())
    sizes = [int(part) for part in parts if part.isascii() and part.isdigit() and len(part) < 4]
    if len(sizes) != len(parts) or len(sizes) < 2 or not all(0 < size <= SIZE_LIMIT for size in sizes):
        message = "layers are numbers from 1 to {limit} with - between them, inputs first, such as 2-3-2; found {found}"
        raise OutputError(Message(message, limit=SIZE_LIMIT, found=f'"{layers}"'))
    return sizes


def _of_each(activations: tuple[str, ...], layers: int) -> tuple[str, ...]:
    """The activation of each layer: of one, softmax is for the last only; of two, the first is for all hidden layers."""
    if len(activations) == 1:
        hidden = "sigmoid" if FUNCTIONS[activations[0]].family else activations[0]
        return (*[hidden] * (layers - 1), activations[0])
    if len(activations) == 2 and layers > 1:
        return (*[activations[0]] * (layers - 1), activations[1])
    if len(activations) != layers:
        message = "one activation, one for hidden layers and one for the last, or one for each layer: {wanted}, found {found}"
        raise OutputError(Message(message, "--activation: ", wanted=layers, found=len(activations)))
    return activations


def _check(text: str, target: str) -> None:
    """A new problem can be solved, or is not written. Raises ProblemError, EvaluationError."""
    problem = loads(text, target)
    with troubles(problem):
        for step in derive(problem).steps():
            float(step.value)
