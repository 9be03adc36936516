"""A derivation as plain Python: one assignment for each step, from the same expressions as its formulas.

- `Program(derivation, wanted, asked)`: `steps` in an order that can be computed, `line(step)` the assignment of one,
  `name(step)` its variable, `value(step)` what Python gets for it, `setup()` the imports and functions they need.
- `PYTHON` is the dialect; `identifier(text, kind, taken)` makes the name of a variable from an id.

Numbers are floats; fractions where the derivation is exact or carries rounded results, so that a tie is a tie. A function
is written as its definition in core/functions.py; `IN_MATH` lists those of Python, `BY_CASES` those without a formula.
What floats cannot do as the derivation does (e^800) is put in as a number, so that a run always gives its values.
"""

from __future__ import annotations

import keyword
import re
import textwrap
from collections.abc import Container, Iterable, Iterator
from fractions import Fraction

from handcalc.core import formula
from handcalc.core.definitions import definition
from handcalc.core.derivation import Derivation
from handcalc.core.expr import Call, Expr, Number, Ref, Sum, neg, rewrite, walk
from handcalc.core.functions import FUNCTIONS, Function
from handcalc.core.graph import Graph
from handcalc.core.instance import Arithmetic, Value, compute
from handcalc.core.quantity import Cell, cell
from handcalc.core.rounding import Rounding
from handcalc.render.dialects import PLAIN, letters
from handcalc.render.printer import Printer

LINE_WIDTH = 100  # letters of a line of code that is not broken
CLOSE = 1e-12  # how much Python's result may differ from the derivation's, of itself or of what it is the sum of

# function → its name in Python's math module
IN_MATH = {name: name for name in ("exp", "log", "log10", "log2", "sqrt", "sin", "cos", "tan", "tanh", "erf", "floor", "pi")} | {
    "ln": "log"
}
BUILT_IN = ("abs", "max", "min")
# functions that no formula defines, in the names of their arguments
BY_CASES = {"sign": "(z > 0) - (z < 0)"}
# ties → the whole number that a scaled one is rounded to
_TIES = {
    "half_up": "int(abs(scaled) + Fraction(1, 2))*(1 if scaled > 0 else -1)",
    "half_even": "round(scaled)",
    "truncate": "int(scaled)",
}

PYTHON = PLAIN.replace(
    key="python",
    wide_times="*",
    power="{a}**{b}",
    functions={name: IN_MATH.get(name, name.replace("'", "_slope")) for name in FUNCTIONS},
)

# names that mean something in the code, or to Jupyter
_MEANINGS = {
    *keyword.kwlist, *PYTHON.functions.values(), "Fraction", "rounded", "show", "print", "globals", "round", "int", "len", "str", "sum",
    "In", "Out", "display", "exit", "get_ipython", "quit",
}  # fmt: skip

At = tuple[Cell, int]  # a cell in an iteration


class TooLongError(Exception):
    """More lines than were allowed."""


def identifier(text: str, kind: str, taken: Container[str]) -> str:
    """net.h1 → net_h1, W1[2,1] → W1_2_1, θ3 → theta3; after its kind where it does not begin with a letter."""
    word = re.sub("[^A-Za-z0-9]+", "_", letters(text, PLAIN)).strip("_")
    if not word[:1].isalpha():
        word = f"{kind}_{word}".strip("_")
    if word in _MEANINGS:
        word += "_"
    number, found = 1, word
    while found in taken:
        number += 1
        found = f"{word}_{number}".replace("__", "_")
    return found


class Program:
    """Steps of a derivation, and all they are computed from, as lines of Python."""

    def __init__(self, derivation: Derivation, wanted: Iterable[At], asked: bool = False, most: int = 0) -> None:
        """asked: results are left open; most: how many steps there may be (0: any number). Raises TooLongError."""
        self.derivation = derivation
        self.graph = derivation.graph
        self.rounding: Rounding = derivation.rounding
        self.asked = asked
        self.exact = (self.rounding.exact or self.rounding.carry) and not asked
        self.steps = tuple(self._ordered(wanted, most))
        self._bases: dict[Cell, str] = {}
        taken: set[str] = set()
        for found in dict.fromkeys(found for found, _ in self.steps):
            self._bases[found] = identifier(self.graph.cell_id(found), self.graph[found[0]].kind, taken)
            taken.add(self._bases[found])
        self._arithmetic = Arithmetic(self._number, lambda base, exponent: base**exponent, self._call)
        self._values: dict[At, Value] = {}
        self._put_in: set[At] = set()
        if not asked:
            for step in self.steps:
                self._values[step] = self._result(step)

    # --- steps ---

    def _ordered(self, wanted: Iterable[At], most: int) -> Iterator[At]:
        """Every step after those it uses."""
        done: set[At] = set()
        for step in wanted:
            pending = [self.at(step)]
            while pending:
                if most and len(done) + len(pending) > most:
                    raise TooLongError
                current = pending[-1]
                missing = [] if current in done else [used for used in self._uses(current) if used not in done]
                if missing:
                    pending.extend(reversed(missing))
                    continue
                pending.pop()
                if current not in done:
                    done.add(current)
                    yield current

    def at(self, step: At) -> At:
        """The step itself; of a given number that stays the same, that of the first iteration that has it."""
        wanted, iteration = step
        graph = self._graph(iteration)
        if iteration == 1 or graph.given_value(wanted) is None or wanted in self.derivation.iteration(iteration).evaluation.replaced:
            return step
        of_samples = graph[wanted[0]].role == "column" or wanted[0] in (graph.inputs, graph.targets)
        return wanted, next(number for number in range(1, iteration + 1) if not of_samples or self._graph(number) is graph)

    def _graph(self, iteration: int) -> Graph:
        """The graph of an iteration, which has samples of its own."""
        return self.derivation.at(iteration).graph

    def given(self, step: At) -> Value | None:
        """The number that a step is given as, a literal or a value; None where it is computed."""
        wanted, iteration = step
        if self._before(step) is not None:
            return None
        return self.derivation.iteration(iteration).evaluation.replaced.get(wanted, self._graph(iteration).given_value(wanted))

    def computed(self, step: At) -> bool:
        """Whether a step has a formula: it is not given, nor what a parameter begins an iteration with."""
        return self.given(step) is None and self._before(step) is None

    def _before(self, step: At) -> At | None:
        """The result of the iteration before that a quantity begins an iteration with, as an updated weight does."""
        (quantity, places), iteration = step
        new = self.derivation.carried.get(quantity)
        return self.at(((new, places), iteration - 1)) if new and iteration > 1 else None

    def _uses(self, step: At) -> list[At]:
        if self.given(step) is not None:
            return []
        before = self._before(step)
        return [before] if before else [self.at((used, step[1])) for used in self._graph(step[1]).uses(step[0])]

    # --- lines ---

    def name(self, step: At) -> str:
        """The variable of a step."""
        wanted, iteration = self.at(step)
        return self._bases[wanted] + (f"__{iteration}" if iteration > 1 else "")

    def line(self, step: At, remark: str = "") -> str:
        """The assignment of a step; remark: what stands behind it."""
        remarks = [remark] * bool(remark) + ["put in: floats cannot compute it"] * (step in self._put_in)
        return f"{self.name(step)} = {self._right(step)}" + ("  # " + "; ".join(remarks) if remarks else "")

    def _right(self, step: At) -> str:
        given, before = self.given(step), self._before(step)
        if given is not None:
            return self._given(given)
        if before is not None:
            return self.name(before)
        if self.asked:
            return "..."
        if step in self._put_in:
            return self._given(self._values[step])
        text = self._printed(self._graph(step[1]).instance(step[0]), step[1])
        if not self.rounding.carry:
            return _broken("(", text, ")") if len(text) > LINE_WIDTH else text
        decimals, significant = asked = self.rounding.digits(self.graph.cell_id(step[0]))
        usual = asked == (self.rounding.decimals, self.rounding.significant)
        end = ")" if usual else f", significant={significant})" if decimals is None else f", decimals={decimals})"
        return _broken("rounded(", text, end) if len(text) > LINE_WIDTH else f"rounded({text}{end}"

    def _given(self, value: Value) -> str:
        """A number as it is assigned."""
        if isinstance(value, Number):
            return f'Fraction("{_digits(value)}")' if self.exact else Printer(PYTHON, str).text(self._literal(value) or value)
        return f'Fraction("{value}")' if isinstance(value, Fraction) and self.exact else repr(float(value))

    def _printed(self, expr: Expr, iteration: int) -> str:
        def name(reference: Ref) -> str:
            return self.name((cell(reference), iteration)) if reference.quantity in self.graph else reference.quantity

        return Printer(PYTHON, name).text(rewrite(expr, self._literal))

    def _literal(self, expr: Expr) -> Expr | None:
        """A number as Python reads it: with its digits, or as a fraction where that counts."""
        if not isinstance(expr, Number):
            return None
        if self.exact and expr.denominator > 1:
            return neg(_fraction_of(neg(expr))) if expr.numerator < 0 else _fraction_of(expr)
        return expr if _is_decimal(expr) and not self.exact else Number(expr.numerator, expr.denominator)

    # --- values ---

    def value(self, step: At) -> Value:
        """What Python gets for a step."""
        return self._values[self.at(step)]

    def output(self, steps: Iterable[At]) -> str:
        """What `show` prints."""
        return "".join(f"{self.name(step)} = {0.0 + self.value(step):.12g}\n" for step in steps)

    def _result(self, step: At) -> Value:
        """The result of a step's formula; where Python gets another one, the derivation's, which is put in."""
        given, before = self.given(step), self._before(step)
        if isinstance(given, Number):
            return Fraction(given.numerator, given.denominator) if self.exact else self._number(given)
        if given is not None:
            return given if self.exact else float(given)
        if before is not None:
            return self._values[before]
        expected = self.derivation.iteration(step[1]).evaluation[step[0]]
        try:
            formula = self._graph(step[1]).instance(step[0])
            found = compute(formula, lambda used: self._values[self.at((cell(used), step[1]))], self._arithmetic)
            if self.rounding.carry:
                found = self.rounding.carried(found, self.graph.cell_id(step[0]))
            if abs(found - expected) <= (0 if self.rounding.carry else CLOSE * self._size(step)):
                return found
        except (ArithmeticError, ValueError):
            pass
        self._put_in.add(step)
        return expected

    def _size(self, step: At) -> float:
        """How large the numbers are that a step's formula adds, or its result."""
        evaluation, formula = self.derivation.iteration(step[1]).evaluation, self._graph(step[1]).instance(step[0])
        terms = formula.terms if isinstance(formula, Sum) else (formula,)
        return max(abs(float(evaluation.of(term, step[0]))) for term in terms)

    def _number(self, number: Number) -> Value:
        if _is_decimal(number) and not self.exact:
            return float(number.text)
        if number.denominator == 1:
            return number.numerator
        return Fraction(number.numerator, number.denominator) if self.exact else number.numerator / number.denominator

    def _call(self, record: Function, values: list[Value], at: int) -> Value:
        """A function as `setup` defines it."""
        meant = definition(record.name, [Ref(str(place)) for place in range(len(values))], at) if record.name not in IN_MATH else None
        if meant is None:
            return record.value(*values)
        return compute(meant, lambda used: values[int(used.quantity)], self._arithmetic)

    # --- what stands around the lines ---

    def setup(self) -> str:
        """Imports, the functions that are used, rounding, and `show`; of what is to be filled in, only the imports."""
        functions = self._functions()
        names = sorted({IN_MATH[name] for name in functions if name in IN_MATH})
        imports = ["from fractions import Fraction"] * self.exact + [f"from math import {', '.join(names)}"] * bool(names)
        texts = [] if self.asked else [*functions.values(), _rounded(self.rounding) if self.rounding.carry else "", _SHOW]
        return "\n\n\n".join(filter(None, ("\n".join(imports), *texts)))

    def shows(self, steps: Iterable[At]) -> str:
        """The line that prints steps."""
        names = textwrap.wrap(" ".join(map(self.name, steps)), LINE_WIDTH - 8)
        if len(names) == 1:
            return f'show("{names[0]}")'
        lines = [*(name + " " for name in names[:-1]), names[-1]]
        return "show(\n" + "".join(f'    "{line}"\n' for line in lines) + ")"

    def _functions(self) -> dict[str, str]:
        """The functions that are used, simpler ones first → how each is defined ("": it need not be)."""
        found: dict[str, str] = {}

        def add(name: str) -> None:
            if name not in found:
                text, inner = _definition(FUNCTIONS[name])
                for simpler in inner:
                    add(simpler)
                found[name] = text

        for step in self.steps:
            if self.computed(step):
                for name in _called(self._graph(step[1]).instance(step[0])):
                    add(name)
        return found


# --- texts of code ----------------------------------------------------------------------------------------------------

_SHOW = """def show(names):
    for name in names.split():
        print(f"{name} = {0.0 + globals()[name]:.12g}")"""

_ROUNDED = """def rounded(value, decimals={decimals}):
    scaled = Fraction(str(value))*Fraction(10)**decimals
    return {whole}/Fraction(10)**decimals"""

_ROUNDED_SIGNIFICANT = """def rounded(value, significant={significant}, decimals=None):
    exact = Fraction(str(value))
    if decimals is None:
        size = len(str(abs(exact.numerator))) - len(str(exact.denominator))
        decimals = significant - 1 - size + (abs(exact) < Fraction(10)**size)
    scaled = exact*Fraction(10)**decimals
    return {whole}/Fraction(10)**decimals"""


def _rounded(rounding: Rounding) -> str:
    """`rounded` as a rounding does it; a float counts as it is written."""
    if rounding.decimals is not None and all(decimals is not None for _, decimals, _ in rounding.overrides):
        return _ROUNDED.format(decimals=rounding.decimals, whole=_TIES[rounding.ties])
    usual = {"significant": rounding.significant, "decimals": rounding.decimals}
    template = _ROUNDED_SIGNIFICANT.replace("decimals=None", "decimals={decimals}")
    return template.format(**usual, whole=_TIES[rounding.ties])


def _definition(record: Function) -> tuple[str, Iterable[str]]:
    """The text that defines a function, and the functions in it."""
    if record.name in IN_MATH or record.name in BUILT_IN:
        return "", ()
    if record.family:  # written out where it is used
        return "", _called(definition(record.name, (Ref("z"),), 0))
    named = [f"{name}={default}" for name, default in zip(reversed(record.arguments), reversed(record.defaults))][::-1]
    arguments = ", ".join([*record.arguments[: len(record.arguments) - len(named)], *named])
    if record.name in BY_CASES:
        return f"def {PYTHON.functions[record.name]}({arguments}):\n    return {BY_CASES[record.name]}", ()
    meant = formula.parse(record.definition, formula.any_name)
    body = Printer(PYTHON, lambda used: used.quantity).text(meant)
    return f"def {PYTHON.functions[record.name]}({arguments}):\n    return {body}", list(_called(meant))


def _called(expr: Expr | None) -> Iterator[str]:
    return (node.function for node in walk(expr) if isinstance(node, Call)) if expr is not None else iter(())


def _broken(start: str, text: str, end: str) -> str:
    """A long expression in brackets, on several lines."""
    lines = textwrap.wrap(text, LINE_WIDTH - 4, break_long_words=False, break_on_hyphens=False)
    return "\n    ".join([start, *lines]) + end[:-1] + "\n" + end[-1]


def _is_decimal(number: Number) -> bool:
    """Whether a number is written with a point or a power of ten."""
    return bool(re.search("[.eE]", number.text))


def _digits(number: Number) -> str:
    """A number as `Fraction` reads it, with its digits where they are decimal."""
    return number.text if _is_decimal(number) else str(Fraction(number.numerator, number.denominator))


def _fraction_of(number: Expr) -> Expr:
    """A number as a name that the printer writes as it is."""
    assert isinstance(number, Number)
    return Ref(f'Fraction("{_digits(number)}")')
