"""The forms of sheets that are text: lines ID = VALUE, CSV, YAML, Jupyter notebooks, the log of practice.

- `form(path, text)` is what reads a sheet: a function that adds its answers to a `Draft`.

Single lines are read in lines.py, tables in gridfile.py.

To add a form, write a function like `_read_lines`, and its line in `form`.
"""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from io import StringIO
from itertools import groupby

from handcalc.loading.rounding import rounding
from handcalc.marking.draft import Draft, filled_in, is_heading
from handcalc.marking.gridfile import HEAD, VALUES, Row, add_pages, add_rows, heading_line, is_comment, is_table
from handcalc.marking.lines import add_line, joined, read_iteration
from handcalc.problem.files import read_text
from handcalc.problem.reader import FileNode, near

LISTS = ("answers", "published")  # what the answers of a sheet in YAML stand under
KEYS = (*LISTS, "rounding", "name", "student", "problem", "title", "source")
DELIMITERS = ",;\t|"  # of a table; the last one in Markdown


def form(path: str, text: str) -> Callable[[Draft, str], None]:
    """What reads a sheet: by its suffix, else by what is in it."""
    suffix = os.path.splitext(path)[1].lower()
    lines = [content for _, content in _lines(text) if not is_comment(content)]
    if not lines:
        return _read_lines
    if _tried(lines[0]) is not None:
        return _read_log
    if suffix in (".yaml", ".yml"):
        return _read_yaml
    if suffix == ".ipynb" or lines[0].startswith("{") and '"nbformat"' in text:
        return _read_notebook
    heading = heading_line([*enumerate(map(_cells, lines[:HEAD]))])
    if suffix in (".csv", ".tsv") or heading is not None and _delimiter(lines[heading]) != "|":
        return _read_csv
    return (
        _read_yaml if re.match("\\{|---\\s*(?:#|$)", lines[0]) or re.search("^[\"']?answers[\"']? *:", text, re.MULTILINE) else _read_lines
    )


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines that are not empty, with their numbers."""
    for line, content in enumerate(re.split("\r\n|\r|\n", text), 1):
        if content.strip():
            yield line, content.strip()


# --- lines ------------------------------------------------------------------------------------------------------------


def _read_lines(draft: Draft, text: str) -> None:
    """Lines id = answer, or id: answer where that comes first."""
    for (line, content), *further in _tables(joined(_lines(text))):
        if further:
            sign = "\t" if "\t" in content else "|"
            add_rows(draft, _rows([(line, content), *further], sign))
        elif is_comment(content) and read_iteration(content) is None:
            draft.comment(content, line)
        else:
            add_line(draft, content, line)


# --- the log of practice ----------------------------------------------------------------------------------------------


def _read_log(draft: Draft, text: str) -> None:
    """A line for each try: of every step what was typed last, as far as the first round goes; the next has other numbers."""
    typed: dict[str, tuple[str, int]] = {}
    for line, content in _lines(text):
        found = _tried(content)
        if found is None:
            draft.bad(content, "this is no line of the log of practice", line)
            continue
        name, given, number = found
        if number == 1 and name in typed:
            break
        typed[name] = given, line
    for name, (given, line) in typed.items():
        draft.add(name, given, line)


def _tried(content: str) -> tuple[str, str, int] | None:
    """The id, what was typed, and which try it was."""
    if not content.startswith('{"id"'):
        return None
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return None
    entry = tuple(found.get(key) for key in ("id", "given", "try"))
    return entry if tuple(map(type, entry)) == (str, str, int) else None


# --- YAML -------------------------------------------------------------------------------------------------------------


def _read_yaml(draft: Draft, text: str) -> None:
    """A mapping with `answers`, or one of ids to answers only."""
    root = read_text(text, draft.source.name, draft.source.folder)
    draft.source = root.source
    bare = root.kind != "mapping" or not any(key.value in KEYS for key, _ in root.node.value)
    part = {"answers": root} if bare else root.section(KEYS)
    draft.name = next((filled_in(part[key].text() or "") for key in ("name", "student") if key in part), "")
    draft.rounding = rounding(part["rounding"]) if "rounding" in part else None
    listed = next((part[key] for key in LISTS if key in part), None)
    if listed is None:
        root.fail("answers are missing: give {example}", example="answers: {net.h1: 0.35}")
    elif listed.kind == "sequence" and not bare:
        for entry in listed.sequence() or ():
            pair = entry.section(("id", *VALUES))
            if entry.kind == "mapping":
                name = _scalar(pair["id"]) if "id" in pair else ""
                draft.add(name, next((_scalar(pair[key]) for key in VALUES if key in pair), ""), entry.place[0])
    else:
        for name, entry in (listed.mapping() or {}).items():
            draft.add(name, _scalar(entry, name if bare else ""), entry.place[0])


def _scalar(item: FileNode, key: str = "") -> str:
    """A value as typed; nothing for null, or after an error. key: what may have been meant as another one."""
    if item.kind in ("mapping", "sequence"):
        item.fail("expected an answer, found {found}{near}", found=item.shown, near=near(key, KEYS))
    return item.node.value if item.kind == "text" else ""


# --- notebooks --------------------------------------------------------------------------------------------------------


def _read_notebook(draft: Draft, text: str) -> None:
    """What was written and printed in a Jupyter notebook; not its programs, which nobody runs."""
    parts: list[str] = []
    with suppress(ValueError, TypeError, AttributeError, RecursionError):
        for cell in json.loads(text)["cells"]:
            if cell.get("cell_type") == "markdown":
                parts.append("".join(cell.get("source", "")))
            for output in cell.get("outputs", ()):
                shown = output.get("text") or (output.get("data") or {}).get("text/plain", "")
                parts.append("".join(shown))
    _read_lines(draft, "\n".join(parts))


# --- tables -----------------------------------------------------------------------------------------------------------


def _read_csv(draft: Draft, text: str) -> None:
    """A table in CSV, and comments and headings before it; lines where nothing is parted."""
    lines = [_of_markdown(line) for line in StringIO(text, newline="")]
    head = [(line, content) for line, content in enumerate(lines, 1) if content.strip() and not is_comment(content)]
    if not any(letter in content for _, content in head for letter in DELIMITERS):
        _read_lines(draft, text)
        return
    start = heading_line([(line, _cells(content)) for line, content in head[:HEAD]]) or next(
        (line for line, content in head if not _said_before(content)), head[0][0]
    )
    for line, content in enumerate(lines[: start - 1], 1):
        _add_before(draft, content, line)
    reader = csv.reader(lines[start - 1 :], delimiter=_delimiter(lines[start - 1]), strict=True)
    rows: list[Row] = []
    line = start
    try:
        for row in reader:
            rows.append((line, row))
            line = start + reader.line_num
    except csv.Error as error:
        add_pages(draft, [rows])
        draft.bad(lines[line - 1], "not valid CSV: {reason}", line, reason=str(error))
        return
    add_pages(draft, [rows])


def _said_before(text: str) -> bool:
    """Whether a line before a table is a heading such as Name;Nina."""
    return is_heading(re.split("[,;\t:：=]", text.strip('"\r\n'))[0])


def _add_before(draft: Draft, text: str, line: int) -> None:
    """A line before the heading of a table: a comment, or a heading such as Name;Nina."""
    if is_comment(text):
        draft.comment(text, line)
        return
    name, *rest = [cell for cell in re.split("[,;\t:：=]", text.strip('"\r\n')) if cell.strip()] or [""]
    if is_heading(name) and rest:
        draft.add(name, " ".join(rest), line)


def _of_markdown(line: str) -> str:
    """A row of a Markdown table without its outer bars, nothing for the rule below its heading; other rows as they are."""
    plain = line.strip()
    if not plain.startswith("|"):
        return line
    return "\n" if re.fullmatch(r"[|:\s-]+", plain) else plain.strip("|") + "\n"


def _cells(line: str) -> list[str]:
    line = _of_markdown(line)
    return line.split(_delimiter(line))


def _delimiter(heading: str) -> str:
    """What separates the columns: what is most often in the heading."""
    return max(DELIMITERS, key=lambda sign: (heading.count(sign), sign != ","))  # a comma may be that of a number


def _tables(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[tuple[int, str], ...]]:
    """The lines of a text, those of a table together."""
    for parted, group in groupby(lines, key=lambda line: next((sign for sign in "\t|" if sign in line[1]), "")):
        together = tuple(group)
        rows = _rows(together, parted) if parted and len(together) > 1 else []
        if len(rows) > 1 and is_table(rows):
            yield together
        else:
            yield from ((line,) for line in together)


def _rows(lines: Sequence[tuple[int, str]], parted: str) -> list[Row]:
    """The rows of a table in a text; the rule below the heading of one in Markdown is none."""
    plain = [(line, content.strip().strip("|") if parted == "|" else content) for line, content in lines]
    cells = [(line, [cell.strip(" *`$") for cell in content.split(parted)]) for line, content in plain]
    return [row for row in cells if not all(re.fullmatch("[:=+ -]*", cell) for cell in row[1])]
