"""Reading reports back: what the tests of exporters share.

- `lines(format, text)`: the numbered worked lines of a report, number → left side and last number.
- `tables(format, text)`: the texts of its tables, cell by cell; `filled(shape, found)` puts split ones together.
- `number(formula)`: the number a formula ends with, as the JSON spells it.
- `HOSTILE` are texts that try to be more than text, `hostile_problem(text)` a problem full of one; `blocks_of(text)` are
  blocks full of one, and `handmade(blocks, format)` is a document of blocks.

A format is read by its lines in `NUMBERED` and `TABULAR`; one with displayed formulas of LaTeX has a pattern for them in `DISPLAYS`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from itertools import takewhile
from typing import Any, NamedTuple

from rich.cells import cell_len

from handcalc.core.derivation import Derivation
from handcalc.core.rounding import Rounding
from handcalc.deriving import derive
from handcalc.errors import Message
from handcalc.language import translator
from handcalc.loading.loader import loads, shipped
from handcalc.render.blocks import MISSING, Block, Digits, Equation, Grid, Heading, Paragraph, Plain, Table, Value
from handcalc.render.formats.common import number_columns
from handcalc.render.report import FORMATS, Chapter, Report, Style, dialect_of, export

HOSTILE = [
    "<script>alert(1)</script>", r"\input{/etc/passwd}", '#read("x")', "=cmd|'/c calc'!A1", "[bold]red[/bold]", "\x1b[31mred",
    "\u202eright", "$x$", r"a_b%&#{}~^\\", "```", "\\end{document}", "*b* _c_ `d`", "-- ![x](y)", "+1", "@SUM(A1)", "1. one",
    "| a | b |", "\\\\[3cm]", "^^41", r"\(x\) \[y\]", "]]></x>", "${a}", "\x00\ufffe", "a\u2028b\r\nc", '"; import os #',
]  # fmt: skip


@cache
def derivation(problem: str, iterations: int = 1, rounding: Rounding | None = None) -> Derivation:
    """The solution of a shipped problem."""
    return derive(loads(shipped()[problem].read_text(encoding="utf-8"), problem), rounding, iterations)


def written(found: Derivation | tuple[Derivation, ...], format: str, language: str = "en", **style: Any) -> str:
    """A report in a format that is text."""
    content = export(found if isinstance(found, tuple) else (found,), format, Style(**style), language).content
    assert isinstance(content, str)
    return content


@cache
def hostile_problem(text: str, sample: str = "样本_b") -> Derivation:
    """A problem with a hostile text as title and source, and a sample with such a name: in PDFs, Chinese letters need a font."""
    quoted = json.dumps(text, ensure_ascii=all(ord(letter) <= 0xFFFF for letter in text))
    return derive(
        loads(
            f"""
title: {quoted}
source: {quoted}
samples:
  - {{name: _a, inputs: [1, 0], targets: [1]}}
  - {{name: {sample}, inputs: [0, 1], targets: [0]}}
layers:
  - {{neurons: 1, activation: sigmoid, weights: [[0.1, 0.2]], bias: 0.1}}
loss: squared_error
learning_rate: 0.5
""",
            "hostile.yaml",
        )
    )


def handmade(blocks: list[Block], format: str, notation: str = "mazur", detail: str = "normal") -> str | bytes:
    """A document of blocks that no problem has."""

    class Handmade(Chapter):
        def blocks(self) -> Iterator[Block]:
            yield from blocks

    chapter = Handmade(derivation("mazur-2-2-2"), dialect_of(format), Style(notation, detail=detail, only=("given",)))
    module = import_module(f"handcalc.render.formats.{FORMATS[format].module}")
    found = module.document(Report((chapter,), translator("en")))
    assert isinstance(found, str | bytes)
    return found


def blocks_of(text: str) -> list[Block]:
    """A block of every kind that holds words, with a text in it."""
    return [
        Heading(1, Plain(text)),
        Paragraph(Message("Source: {source}", source=text)),
        Equation(Plain(text), (("=", Plain(text)),), label=Message("Source: {source}", source=text)),
        Table((Plain(text), Plain("b")), ((Plain(text), Plain(text)),), omitted=2, hidden=3),
        Grid((Plain(text), "=", ((Plain(text), Plain("0")), (Plain(text), Plain("1"))))),
    ]


# --- numbers ----------------------------------------------------------------------------------------------------------

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
# spelling of LaTeX, Unicode or Typst → that of the JSON
_SPELLINGS = (
    (r"\\frac\{(\d+)\}\{(\d+)\}", r"\1/\2"),
    (r"frac\((\d+), (\d+)\)", r"\1/\2"),
    (r"\\approx|~=|approx", "≈"),
    (r"\\times 10\^\{(-?\d+)\}| ?times 10\^\((-?\d+)\)", r"e\1\2"),
    (r"×10([⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)", lambda found: "e" + found[1].translate(_SUPERSCRIPTS)),
    (r"(?<=\d)(?:\{,\}|\",\"|,)(?=\d)", "."),
    (r"(?<=\d)\s+(?=e-?\d)", ""),
    ("−", "-"),
)
_NUMBER = r"-?\d+(?:\.\d+)?(?:/\d+)?(?:e-?\d+)?"


def plain(formula: str) -> str:
    """A formula with its numbers as the JSON spells them."""
    for spelling, meaning in _SPELLINGS:
        formula = re.sub(spelling, meaning, formula)
    return formula


def number(formula: str) -> str:
    """The number after the last relation of a formula; "" where something else is there."""
    found = re.search(rf"(?:^|[=≈])[\s&]*({_NUMBER})\s*$", plain(formula))
    return found[1] if found else ""


_STRING = r"\"(?:[^\"\\]|\\.)*\""

# --- worked lines -----------------------------------------------------------------------------------------------------


class Line(NamedTuple):
    """A worked line: what stands before its first relation, and the number it ends with."""

    left: str
    number: str


def line(formula: str) -> Line:
    """The line a formula is, however it is broken."""
    left = re.split(r"[=≈]", plain(formula), maxsplit=1)[0]
    return Line(re.sub(r"[\s&]|\\\\", "", left), number(formula))


def lines(format: str, text: str) -> dict[int, Line]:
    """The numbered lines of a report."""
    found: dict[int, Line] = {}
    for count, formula in NUMBERED[format](text):
        assert count not in found, f"two lines are called {count}"
        found[count] = line(formula)
    return found


def formulas(format: str, text: str) -> list[str]:
    """The displayed formulas of LaTeX in a report."""
    return [part for found in re.findall(DISPLAYS[format], sources(format, text), re.DOTALL | re.MULTILINE) for part in found if part]


def sources(format: str, text: str) -> str:
    """The text of a report; of a notebook, that of its cells of text."""
    if format != "notebook":
        return text
    cells = json.loads(text)["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


DISPLAYS = {
    "latex": r"^\\\[\n(.*?)\n\\\]$|^\\begin\{align\*\}\n(.*?)\n\\end\{align\*\}$",
    "markdown": r"^\$\$\n(.*?)\n\$\$$|^```math\n(.*?)\n```$",
    "notebook": r"^\$\$\n(.*?)\n\$\$$|(?!)()",
}


def _tagged(format: str, text: str) -> Iterator[tuple[int, str]]:
    for formula in formulas(format, text):
        tag = re.search(r" \\tag\{(\d+)\}", formula)
        if tag:
            inside = re.sub(r"\\(?:begin|end)\{aligned\}", "", formula.replace(tag[0], ""))
            yield int(tag[1]), re.sub(r"\\\\$|&", "", inside, flags=re.MULTILINE)


def _labelled(text: str) -> Iterator[tuple[int, str]]:
    """Lines of a terminal that begin with their number; what is indented further goes on."""
    for found in re.finditer(r"^( *)\((\d+)\)( .*(?:\n\1 {5,}.*)*)", text, re.MULTILINE):
        yield int(found[2]), found[3]


def _calls(text: str) -> Iterator[tuple[int, str]]:
    """Calls #worked(number, …, $left$, ($= part$,), …)."""
    for found in re.finditer(r"^#worked\((\d+), (.*)\)$", text, re.MULTILINE):
        yield int(found[1]), " ".join(_typst_formulas(found[2]))


def _typst_formulas(text: str) -> Iterator[str]:
    """The formulas between $ that are not in a string."""
    return (found[1] for found in re.finditer(rf"{_STRING}|\$((?:{_STRING}|[^\"$])*)\$", text) if found[1] is not None)


NUMBERED = {
    "latex": lambda text: _tagged("latex", text),
    "markdown": lambda text: _tagged("markdown", text),
    "notebook": lambda text: _tagged("notebook", text),
    "plain": _labelled,
    "terminal": _labelled,
    "typst": _calls,
}

# --- tables -----------------------------------------------------------------------------------------------------------

Texts = list[list[str]]


def tables(format: str, text: str) -> list[Texts]:
    """The rows of each table, the heading first; numbers as the JSON spells them."""
    return [[[plain(_bare(cell)) for cell in row] for row in table] for table in TABULAR[format](sources(format, text))]


def _bare(text: str) -> str:
    """A cell without the marks of a formula around it."""
    text = text.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == "$" else text


def _tabulars(text: str) -> Iterator[Texts]:
    for found in re.finditer(r"\\begin\{tabular\}\{[ld{}\d.]+\}\n(.*?)\n\\end\{tabular\}", text, re.DOTALL):
        rows = [row for row in found[1].split("\n") if not re.fullmatch(r"\\(top|mid|bottom)rule", row)]
        yield [re.split(r"(?<!\\)&", row.removesuffix(r" \\").removesuffix(r"\tall")) for row in rows]


def _piped(text: str) -> Iterator[Texts]:
    """Tables with | between their cells, of Markdown."""
    for found in re.finditer(r"(?:^\|.*\|$\n?)+", text, re.MULTILINE):
        rows = [row for row in found[0].strip().split("\n") if not re.fullmatch(r"[|: -]+", row)]
        yield [re.split(r"(?<!\\)\|", row)[1:-1] for row in rows]


def _boxed(text: str) -> Iterator[Texts]:
    """Tables in boxes of plain text, also those beside each other."""
    lines = ["".join(letter + "\0" * (cell_len(letter) - 1) for letter in line) for line in text.split("\n")]
    for place, line in enumerate(lines):
        for rule in re.finditer(r"\+[-+]+\+", line):
            start, end = rule.span()
            above = lines[place - 1][start:end] if place else ""
            below = lines[place + 1][start:end] if place + 1 < len(lines) else ""
            if above[:1] == "|" or below[:1] != "|":
                continue  # not the top of a box
            below_it = (further[start:end] for further in lines[place + 1 :])
            box = list(takewhile(lambda row: row[:1] in ("|", "+"), below_it))
            last = [number for number, row in enumerate(box) if row[0] == "+"][1]  # the first stands under the heading
            yield [row.replace("\0", "").split("|")[1:-1] for row in box[:last] if row[0] == "|"]


def _listings(text: str) -> Iterator[Texts]:
    """Calls #listing((kinds), (heading), ( rows ))."""
    for found in re.finditer(r"^#listing\(\((?:true|false|, ?)*\), \(([^\n]*)\), \(\n(.*?)\n?\)\)$", text, re.DOTALL | re.MULTILINE):
        rows = found[1], *filter(None, found[2].split("\n"))
        yield [[cell[1] or cell[2] for cell in _CELL.finditer(row) if cell[1] or cell[2]] for row in rows]


_CELL = re.compile(rf"m\({_STRING}, (\$(?:{_STRING}|[^\"$])*\$)\)|({_STRING}|\bgap\b)|\$(?:{_STRING}|[^\"$])*\$")
TABULAR = {"latex": _tabulars, "markdown": _piped, "notebook": _piped, "plain": _boxed, "typst": _listings}


def filled(rows: int, columns: int, found: Iterator[Texts]) -> Texts:
    """The next table of so many rows, put together from the parts it was split into; each part repeats the first column."""
    result: Texts = [[] for _ in range(rows)]
    done = 0
    while done < max(rows, 1):
        _, *part = next(found)
        for inside, row in zip(result[done : done + len(part)], part):
            inside.extend(row[1:] if inside else row)
        if not rows or len(result[done]) >= columns:
            done += max(len(part), 1)
    return result


def in_columns(block: Table, found: Derivation) -> Iterator[str]:
    """The steps whose numbers stand in the columns of numbers of a table, row by row."""
    for row in block.rows:
        for item, number in zip(row, number_columns(block)):
            if number and item != MISSING and not isinstance(item, Digits):  # such as how an error fades through time: no step
                assert isinstance(item, Value)
                yield found.step_id(item.cell, item.iteration)
