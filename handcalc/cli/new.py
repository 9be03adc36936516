"""handcalc new."""

from __future__ import annotations

import random
import sys
from gettext import gettext

import click

from handcalc.cli.help import Translated
from handcalc.cli.options import Settings, language_option, output_options
from handcalc.cli.output import write
from handcalc.core.functions import ACTIVATIONS
from handcalc.errors import Message, OutputError, printable
from handcalc.language import Translate

SIZE_LIMIT = 20  # neurons of a layer in a new problem: more is no hand calculation


@click.command(cls=Translated)
@click.argument("file")
@click.option("--layers", metavar="2-3-2", help="Inputs, hidden neurons …, outputs. Without it, questions are asked.")
@click.option("--activation", type=click.Choice(ACTIVATIONS), default="sigmoid", help="Activation of every layer.", show_default=True)
@click.option("--learning-rate", type=float, default=0.5, help="η of the update.", show_default=True)
@click.option("--seed", type=int, default=1, help="Seed of the random numbers.", show_default=True)
@language_option("Language of the questions and comments.")
@output_options
def command(file: str, layers: str | None, activation: str, learning_rate: float, seed: int, settings: Settings) -> None:
    """Write a new problem file with comments, to be changed with an editor.

    FILE is the file to write. The numbers are random with two decimals; the same seed gives the same file.

    Example: handcalc new my.yaml --layers 2-3-2
    """
    translate = settings.translator()
    title = ""
    if layers is None:
        if not sys.stdin.isatty() and not sys.stdin.readable():
            raise click.UsageError(gettext("give --layers, such as --layers 2-3-2"))
        title = click.prompt(translate("Title"), default=translate("My exercise"), err=True)
        layers = click.prompt(translate("Neurons of each layer, inputs first"), default="2-2-2", err=True)
        activation = click.prompt(translate("Activation function"), default=activation, type=click.Choice(ACTIVATIONS), err=True)
        learning_rate = click.prompt(translate("Learning rate"), default=learning_rate, type=float, err=True)
    if not 0 < learning_rate < float("inf"):
        raise OutputError(Message("expected a number above 0, found {found}", "--learning-rate: ", found=f'"{learning_rate:g}"'))
    text = problem_text(_sizes(layers or ""), activation, learning_rate, seed, translate, printable(title))
    target = settings.output or file
    write(text, target, settings.force)
    click.echo(translate("{file} is written. Next: handcalc solve {file}").format(file=target), err=True)
    _say_findings(text, target, translate)


def _say_findings(text: str, target: str, translate: Translate) -> None:
    """A note where numbers that happen to be there spoil the exercise."""
    from handcalc.exercises.lint import findings_of_numbers
    from handcalc.loading.loader import loads

    found = findings_of_numbers(loads(text))
    if found:
        more = translate("{count} things could be better, such as: {finding}. See: handcalc lint {file}")
        click.echo(more.format(count=len(found), finding=found[0].message.text(translate), file=target), err=True)


def _sizes(layers: str) -> list[int]:
    parts = layers.strip().split("-")
    sizes = [int(part) for part in parts if part.isascii() and part.isdigit() and len(part) < 4]
    if len(sizes) != len(parts) or len(sizes) < 2 or not all(0 < size <= SIZE_LIMIT for size in sizes):
        message = "layers are numbers from 1 to {limit} with - between them, inputs first, such as 2-3-2; found {found}"
        raise OutputError(Message(message, limit=SIZE_LIMIT, found=f'"{layers}"'))
    return sizes


def problem_text(sizes: list[int], activation: str, learning_rate: float, seed: int, translate: Translate, title: str = "") -> str:
    """A commented problem file of given layer sizes; same seed, same text."""
    generator = random.Random(seed)

    def draw(low: float, high: float) -> str:
        return f"{generator.randint(round(low * 100), round(high * 100)) / 100:.2f}"

    named = [[f"x{place + 1}" for place in range(sizes[0])]]
    for layer, size in enumerate(sizes[1:], 1):
        last = layer == len(sizes) - 1
        stem = "o" if last else "h" if len(sizes) == 3 else f"h{layer}_"
        named.append([f"{stem}{place + 1}" for place in range(size)])
    title = (title or f"{'-'.join(map(str, sizes))} {activation}").replace("'", "''")
    low, high = {"sigmoid": (0.01, 0.99), "softmax": (0.0, 1.0)}.get(activation, (-0.9, 0.9))
    targets = (
        ["1" if place == 0 else "0" for place in range(sizes[-1])] if activation == "softmax" else [draw(low, high) for _ in named[-1]]
    )
    lines = [
        f"title: '{title}'",
        "# " + translate("inputs and targets: name: value"),
        "inputs:  {" + ", ".join(f"{name}: {draw(0.05, 0.95)}" for name in named[0]) + "}",
        "targets: {" + ", ".join(f"{name}: {value}" for name, value in zip(named[-1], targets)) + "}",
        "layers:",
    ]
    count = 0
    for layer in range(1, len(sizes)):
        own = "sigmoid" if activation == "softmax" and layer < len(sizes) - 1 else activation
        lines += [f"  - neurons: [{', '.join(named[layer])}]", f"    activation: {own}"]
        lines += ["    # " + translate("name: [from, to, value]"), "    weights:"]
        for target in named[layer]:
            for source in named[layer - 1]:
                count += 1
                lines.append(f"      w{count}: [{source}, {target}, {draw(-0.9, 0.9)}]")
        lines += ["    # " + translate("one bias for the layer; or a list, one per neuron"), f"    bias: {{b{layer}: {draw(0.1, 0.6)}}}"]
    lines += [
        "# " + translate("other losses: handcalc list losses"),
        f"loss: {'cross_entropy' if activation == 'softmax' else 'half_squared_error'}",
        f"learning_rate: {learning_rate:g}",
        "# " + translate("also: update: {biases: false}, rounding: {decimals: 4, carry: true}, notation: zhou"),
    ]
    return "\n".join(lines) + "\n"
