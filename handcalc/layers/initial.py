"""Initial values drawn at random with a seed: `{random: xavier, seed: 1}`; the same numbers on every machine.

- `names_random(item)` says whether a value is such a mapping; `drawn(item, count, stream, inputs, neurons)` draws.

Every array has a stream of its own, that of Python's generator seeded with a text such as "1 W2": seed 1, weights of layer 2. Its
`random()` is the same in all versions of Python. A normal number is √(−2 ln u)·cos(2πv) of two of them (Box and Muller, 1958).
Numbers are rounded to `DIGITS` significant digits, which hides the last bits in which logarithms differ between machines, and
makes a number on paper the whole number.

To add a rule, add its line to `RULES`.
"""

from __future__ import annotations

import math

from handcalc.core import formula
from handcalc.core.expr import Number
from handcalc.core.instance import evaluate
from handcalc.errors import Message
from handcalc.problem.reader import Item, literal, quoted, suggestion

DIGITS = 6

# rule → how numbers are spread, and how widely: the standard deviation of normal ones, the ends of even ones (− and +)
RULES: dict[str, tuple[str, str]] = {
    "normal": ("normal", "1"),
    "uniform": ("even", "1"),
    "xavier": ("even", "sqrt(6/(inputs + neurons))"),  # Glorot and Bengio, 2010
    "he": ("normal", "sqrt(2/inputs)"),  # He et al., 2015
}


def names_random(item: Item) -> bool:
    """Whether a mapping is `{random: he, seed: 1}`, and not one with a name `random` for a number or an edge."""
    if item.kind != "mapping":
        return False
    named = [value for key, value in item.node.value if key.value == "random"]
    return bool(named) and isinstance(named[0].value, str) and isinstance(literal(named[0].value), Message)


def drawn(item: Item, count: int, stream: str, inputs: int, neurons: int) -> list[float] | None:
    """So many numbers; stream: the name of the array; None after an error."""
    part = item.section(("random", "scale", "seed"))
    rule = part["random"].text() if "random" in part else None
    scale = part["scale"].number(positive=True) if "scale" in part else Number(1)
    seed = part["seed"].whole(0, 10**9) if "seed" in part else None
    if rule is not None and rule not in RULES:
        part["random"].fail("unknown rule {found}{near}", found=quoted(rule), near=suggestion(rule, RULES))
    if "seed" not in part:
        item.fail("the seed is missing: a whole number, with which everybody draws the same")
    if rule not in RULES or scale is None or seed is None or not count:
        return None
    spread, width = RULES[rule]
    sizes = {"inputs": inputs, "neurons": neurons}
    wide = evaluate(formula.parse(width, formula.any_name), lambda name: float(sizes[name.quantity])) * scale.numerator / scale.denominator
    return [float(f"{wide * one:.{DIGITS}g}") for one in _numbers(spread, count, f"{seed} {stream}")]


def _numbers(spread: str, count: int, seed: str) -> list[float]:
    """Normal numbers with a standard deviation of 1, or even ones from −1 to 1."""
    from random import Random

    draw = Random(seed).random
    if spread == "even":
        return [2 * draw() - 1 for _ in range(count)]
    return [math.sqrt(-2 * math.log(1 - draw())) * math.cos(2 * math.pi * draw()) for _ in range(count)]
