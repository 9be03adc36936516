"""The program of a page: the functions and cells of the solution, in JavaScript, and nothing else; what it gives is what solve gives.

What it computes is looked at with node; without it those tests are skipped.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import pytest
from exports import derivation, written
from liveprograms import edited, some_edits
from shipping import some

from handcalc.core.derivation import Derivation
from handcalc.core.functions import FUNCTIONS
from handcalc.core.quantity import Cell
from handcalc.core.rounding import Rounding
from handcalc.deriving import derive
from handcalc.disk.reading import our_text
from handcalc.errors import HandcalcError
from handcalc.loading.loader import load, shipped
from handcalc.render.formats.page import asset
from handcalc.render.formats.page.functions import javascript
from handcalc.render.formats.page.plane import Plane
from handcalc.render.formats.page.program import CELLS_LIMIT, LiveProgram, cells_of
from handcalc.site import building

NODE = shutil.which("node")
needs_node = pytest.mark.skipif(not NODE, reason="there is no node to run JavaScript with")
SMALL = ("mazur-2-2-2", "adam-logistic", "mini-batches", "gomez-lstm", "xigua-thresholds", "printed-forward-pass")
MADE_OF = r"\[\d+,n=>(?:[a-zA-Z0-9_.(),\[\] -]|\(\)=>)+\]"  # a step: names made here, numbers, calls


def program_of(found: Derivation) -> LiveProgram:
    program = LiveProgram.of(found)
    assert program is not None
    return program


# --- what it is made of -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("problem", some(shipped(), SMALL))
def test_a_step_for_every_cell_after_what_it_uses(problem: str) -> None:
    program = program_of(derivation(problem))
    data = program.data()
    text = program.text
    for graph, given, uses, steps in zip(program.graphs, data["given"], data["uses"], text.split("return ")[-1].split("\n],[\n")):
        lines = re.findall(r"^\[(\d+),n=>(.*?)\],?$", steps, re.MULTILINE)
        known = set(given)
        for number, worth in lines:
            used = set(map(int, re.findall(r"n\[(\d+)\]", worth)))
            assert used == set(uses[int(number)]) and used <= known
            known.add(int(number))
        assert len(known) == len(given) + len(lines) == len(cells_of(graph))
    assert all(re.fullmatch(MADE_OF, line.rstrip(",")) for line in text.splitlines() if re.match(r"\[\d", line))


def test_every_function_can_be_had() -> None:
    """Also one that is new: it is read from where the program has it."""
    text = javascript(FUNCTIONS)
    assert len(re.findall(r"^const f\d+ = made\(", text, re.MULTILINE)) == len(FUNCTIONS)
    assert set(re.findall(r"math\.(\w+)", text)) <= {*re.findall(r'"(\w+)"', asset("numbers.js")), "pi", "erf", "fsum", "floor"}


def test_a_name_never_gets_into_it() -> None:
    assert "mazur" not in program_of(derivation("mazur-2-2-2")).text and "net" not in program_of(derivation("mazur-2-2-2")).text


def test_large_networks_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """And their pages say so."""
    assert (
        sum(quantity.size for quantity in derivation("small-gpt").graph) > CELLS_LIMIT and LiveProgram.of(derivation("small-gpt")) is None
    )
    text = "its numbers cannot be changed here"
    assert text not in written(derivation("zhou-neuron"), "html")
    monkeypatch.setattr("handcalc.render.formats.page.program.CELLS_LIMIT", 5)
    assert text in written(derivation("zhou-neuron"), "html")


def test_two_inputs_have_a_plane() -> None:
    """Of the last outputs; not where there are other inputs, or answers of one sample depend on another."""
    wanted = {"zhou-four-people": (2, 1, 4), "mazur-2-2-2": (2, 2, 1), "goodfellow-xor": (2, 1, 4), "softmax-cross-entropy": (2, 3, 1)}
    for problem, sizes in wanted.items():
        plane = Plane.of(program_of(derivation(problem)))
        assert plane is not None and (len(plane.inputs), len(plane.outputs), len(plane.samples)) == sizes
    for problem in ("prachub-bptt", "transformer-block", "d2l-batch-norm", "mini-batches", "linear-y-ax-b"):
        assert Plane.of(program_of(derivation(problem))) is None


def test_what_nobody_typed_is_known_to_the_last_digit() -> None:
    start = {("W1", (0, 0)): Fraction(1, 3), ("W1", (0, 1)): 0.1 + 0.2}
    data = program_of(derive(load("mazur-2-2-2"), start=start)).data()
    assert sorted(text for _, text in data["start"]) == ["0.30000000000000004", "~1/3"]


# --- what it gives ----------------------------------------------------------------------------------------------------

ROUNDINGS = (
    None,
    Rounding(decimals=4, significant=None, carry=True),
    Rounding(significant=3, carry=True, ties="half_even"),
    Rounding(decimals=3, significant=None, ties="truncate", overrides=(("grad.*", None, 2), ("net.*", 1, None))),
    Rounding(significant=8, exact=True),
)
Case = tuple[LiveProgram, dict[Cell, str]]
SAY = """
function say(graphs, facts, edits) {
  const rounds = new Rounds(graphs, facts);
  const given = new Map(edits.map(([cell, text]) => [cell, typed(text)]));
  try {
    return rounds.all(given).map((round) => facts.cells.map((_, cell) =>
      round.values[cell] === undefined ? null : [float(round.unrounded[cell]), rounds.shown(round, cell)]));
  } catch (trouble) {
    if (trouble instanceof Trouble) return trouble.kind;
    throw trouble;
  }
}
"""


def run(script: str, folder: Path) -> Any:
    """What a script answers, with everything that a page has for numbers before it."""
    path = folder / "script.js"
    path.write_text(asset("numbers.js") + asset("rounds.js") + script, "utf-8")
    assert NODE
    return json.loads(subprocess.run([NODE, path], capture_output=True, text=True, check=True).stdout)


def answers(cases: Iterable[Case], folder: Path) -> list[Any]:
    """For each case: rounds, each with the value and the printed number of every cell; or the kind of trouble."""
    texts: dict[str, str] = {}
    calls = []
    for program, edits in cases:
        name = texts.setdefault(program.text, f"p{len(texts)}")
        typed = [[program.numbers[wanted], text] for wanted, text in edits.items()]
        calls.append(f"say({name}(), {json.dumps(program.data())}, {json.dumps(typed)})")
    made = "\n".join(f"const {name} = {text};" for text, name in texts.items())
    found: list[Any] = run(f"{SAY}\n{made}\nconsole.log(JSON.stringify([{','.join(calls)}]));", folder)
    return found


@needs_node
@pytest.mark.parametrize("problems", some([SMALL, tuple(sorted(set(shipped()) - set(SMALL)))], [SMALL]), ids=len)
def test_a_program_that_is_read_gives_what_it_gives_when_it_is_run(problems: tuple[str, ...], tmp_path: Path) -> None:
    """A site may run no scripts but its own files (site/static/steps.js)."""
    programs = [program for program in (LiveProgram.of(derivation(name, 1)) for name in problems) if program]
    files = [building.functions(), our_text(building.STATIC, "steps.js")]
    calls = []
    for program in programs:
        calls += [f"say({made}, {json.dumps(program.data())}, [])" for made in (
            f"({program.text})()", f"stepsOf({json.dumps(f'programs = {program.text};')})()",
        )]  # fmt: skip
    found = run("\n".join([*files, SAY, f"console.log(JSON.stringify([{','.join(calls)}]));"]), tmp_path)
    assert found[::2] == found[1::2] and len(found) >= 2 * len(SMALL)


@needs_node
@pytest.mark.parametrize("step", ["[0,n=>alert(1n)]", "[0,n=>constructor(1n)]", "[0,n=>n[0]", "[0,n=>(1n)]", "[0,n=>add(1n);]", ""])
def test_what_is_no_program_is_not_read(step: str, tmp_path: Path) -> None:
    files = [building.functions(), our_text(building.STATIC, "steps.js")]
    program = json.dumps(f"programs = () => {{\nreturn [[{step}]];\n}};")
    tried = f"let said = 'read'; try {{ stepsOf({program}); }} catch (trouble) {{ said = trouble.name; }}"
    found = run("\n".join([*files, tried, "console.log(JSON.stringify(said));"]), tmp_path)
    assert found == ("SyntaxError" if step else "read")


def wanted_of(program: LiveProgram, found: Derivation) -> list[dict[int, tuple[float, str]]] | None:
    """The same of the solution; None where a cell has no value."""
    try:
        return [
            {
                program.numbers[wanted]: (
                    float(found.iteration(number).evaluation.before_rounding(wanted)),
                    _printed(found, wanted, number),
                )
                for wanted in cells_of(found.at(number).graph)
            }
            for number in program.rounds
        ]
    except HandcalcError:
        return None


def _value(found: Derivation, wanted: Cell, number: int) -> float:
    return float(found.iteration(number).evaluation.before_rounding(wanted))


def _printed(found: Derivation, wanted: Cell, number: int) -> str:
    shown = found.shown(wanted, number)
    return "=" * shown.exact + shown.plain


def check(cases: list[tuple[Case, Derivation]], folder: Path) -> int:
    """Values agree to 1e-12, printed numbers to the letter. Answers in how many cases every cell had a value."""
    count = 0
    for ((program, edits), solution), rounds in zip(cases, answers([case for case, _ in cases], folder)):
        wanted = wanted_of(program, solution)
        if wanted is None or isinstance(rounds, str):
            assert wanted is None and isinstance(rounds, str), edits
            continue
        count += 1
        for cells, found in zip(wanted, rounds):
            for number, (value, text) in cells.items():
                assert found[number][0] == pytest.approx(value, rel=1e-12, abs=1e-12) and found[number][1] == text, (edits, number)
    return count


@needs_node
@pytest.mark.slow
def test_it_gives_what_the_solution_says(tmp_path: Path) -> None:
    """Every shipped problem as it is, two rounds of it where there are, in one of several roundings."""
    cases = []
    for place, problem in enumerate(sorted(shipped())):
        rounding = ROUNDINGS[place % len(ROUNDINGS)]
        try:
            found = derivation(problem, 2, rounding)
        except HandcalcError:  # there is only one update
            found = derivation(problem, 1, rounding)
        program = LiveProgram.of(found)
        if program:
            cases.append(((program, {}), found))
    assert check(cases, tmp_path) > 85


@needs_node
@pytest.mark.slow
def test_numbers_that_are_changed(tmp_path: Path) -> None:
    """200 edits over the problems, in several roundings, by the program of the problem as it was."""
    random = Random(4)
    cases = []
    names = [name for name in sorted(shipped()) if sum(quantity.size for quantity in derivation(name).graph) <= CELLS_LIMIT]
    for place in range(200):
        problem, rounding = names[place % len(names)], random.choice(ROUNDINGS)
        program = program_of(derivation(problem, 1, rounding))
        edits = some_edits(program, random)
        cases.append(((program, edits), edited(problem, edits, rounding)))
    assert check(cases, tmp_path) > 150


@needs_node
@pytest.mark.slow
def test_every_function_has_the_same_values(tmp_path: Path) -> None:
    """Over its safe range, at its kinks, and far out; of a family, of three values."""
    calls, wanted = [], []
    for number, record in enumerate(FUNCTIONS.values()):
        low, high = record.safe
        points = (
            [low + (high - low) * step / 16 for step in range(17)] + [*map(float, record.kinks[:2])] + ([30.5, 720.0] if low < 0 else [])
        )
        for point in points:
            values = [point] * (1 if not record.variadic else 2) + [0.5] * (len(record.arguments) - 1 - record.variadic)
            try:
                expected = record.value([point, 0.3, -1.2], 1) if record.family else record.value(*values[: len(record.arguments)])
            except (ArithmeticError, ValueError):
                expected = None
            before = [] if record.rational else ["true"]
            inside = f"[{point!r}, 0.3, -1.2], 1" if record.family else ", ".join(map(repr, values[: len(record.arguments)]))
            calls.append(f"tried(() => f{number}({', '.join([*before, *filter(None, [inside])])}))")
            wanted.append((record.name, point, None if expected is None else float(expected)))
    tried = "const tried = (own) => { try { return float(own()); } catch (trouble) { return null; } };"
    found = run(f"{javascript(FUNCTIONS)}\n{tried}\nconsole.log(JSON.stringify([{','.join(calls)}]));", tmp_path)
    for (name, point, value), own in zip(wanted, found):
        assert own == (None if value is None else pytest.approx(value, rel=1e-12, abs=1e-12)), (name, point)


@needs_node
@pytest.mark.slow
@pytest.mark.parametrize(
    "text, wanted",
    [
        ("0.40", ["0.40", 0.4]),
        (" -1 ", ["-1", -1]),
        ("−2,5", ["-2.5", -2.5]),
        (".5", ["0.5", 0.5]),
        ("1e-3", ["1e-3", 0.001]),
        ("-1/4", ["-1/4", -0.25]),
        ("－１．５", ["-1.5", -1.5]),
        ("0e-400", ["0e-400", 0]),
        *((text, [text.lower(), float(text)]) for text in ("1e308", "1e-308")),
        *(
            (text, None)
            for text in (
                "",
                "-",
                "1/0",
                "1/0.0",
                "0x10",
                "1e9999",
                "1 2",
                "alert(1)",
                "1/2/3",
                "Infinity",
                "NaN",
                "1e5/2",
                "1e400",
                "9e308",
                "1e-400",
                "一",
            )
        ),
    ],
)
def test_what_is_a_number(text: str, wanted: list[Any] | None, tmp_path: Path) -> None:
    script = f"const found = typed({json.dumps(text)}); console.log(JSON.stringify(found && [found.text, float(found.value)]));"
    assert run(script, tmp_path) == wanted
