"""What rich draws: a terminal with its colours, and what has to be folded into lines of a width.

- `console_of(file, width, colours)` is a console that adds nothing of its own; `text_of(line)` what it prints.
- `folded(console, line)`, `table(console, columns, rows, ascii)` are lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from handcalc.render.formats.styled import Line, Rows, TableColumn


def console_of(file: IO[str], width: int | None, colours: bool | None) -> Console:
    """A console; as wide as the terminal, where no width is given. colours: None where NO_COLOR and the kind of the terminal decide."""
    console = Console(
        file=file,
        highlight=False,
        markup=False,
        emoji=False,
        width=width,
        force_terminal=colours is not False,
        color_system="standard" if colours else "auto" if colours is None else None,
        no_color={True: False, False: True}.get(colours) if colours is not None else None,
    )
    return console


def text_of(line: Line) -> Text:
    """A line as a console prints it."""
    return Text.assemble(*line.parts)


def folded(console: Console, line: Line) -> list[Line]:
    """A line in as many as it takes."""
    with console.capture() as capture:
        console.print(text_of(line))
    return [Line(text) for text in capture.get().removesuffix("\n").split("\n")]


def table(console: Console, columns: Sequence[TableColumn], rows: Rows, ascii: bool) -> list[Line]:
    """The lines of a table, without blanks at their ends."""
    drawn = Table(box=box.ASCII2 if ascii else box.SIMPLE_HEAD, header_style="bold", pad_edge=False, show_edge=ascii, safe_box=False)
    for column in columns:
        drawn.add_column(Text(column.heading), no_wrap=not column.folds)
    for row in rows:
        drawn.add_row(*(Text(text, style=style) for text, style in row))
    with console.capture() as capture:
        console.print(drawn)
    return [_line(Text.from_ansi(text.rstrip())) for text in capture.get().rstrip("\n").split("\n")]


def _line(text: Text) -> Line:
    """The parts of a text whose spans follow each other."""
    line, place = Line(), 0
    for span in text.spans:
        line.append(text.plain[place : span.start]).append(text.plain[span.start : span.end], span.style)
        place = span.end
    return line.append(text.plain[place:])
