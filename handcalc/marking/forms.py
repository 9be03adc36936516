"""The forms of sheets that are text: lines ID = VALUE, CSV, YAML, the log of practice.

- `form(path, text)` is what reads a sheet: a function that adds its answers to a `Draft`.
- `add_rows(draft, rows)` adds a table with the columns id and answer, of whatever program. Single lines are read in lines.py.

To add a form, write a function like `_read_lines`, and its line in `form`.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from handcalc.loading.rounding import rounding
from handcalc.marking.draft import Draft, filled_in, is_heading
from handcalc.marking.lines import add_line, read_iteration
from handcalc.problem.files import read_text
from handcalc.problem.reader import FileNode, near, quoted

LISTS = ("answers", "published")  # what the answers of a sheet in YAML stand under
KEYS = (*LISTS, "rounding", "name", "student", "problem", "title", "source")
VALUES = ("answer", "value", "printed")  # beside `id`, in a list
COLUMNS = {"id": ("id", "step", "symbol", "编号", "步骤"), "answer": (*VALUES, "答案")}  # of a table
COMMENTS = ("#", "＃", "//", "%")

DELIMITERS = ",;\t|"  # of a table; the last one in Markdown
Row = tuple[int, list[str]]  # a line of the file, and its cells


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
    if suffix == ".csv" or heading_line([(0, cells) for cells in map(_cells, lines[:HEAD])]) is not None:
        return _read_csv
    return _read_yaml if lines[0].startswith(("{", "---")) or re.search("^[\"']?answers[\"']? *:", text, re.MULTILINE) else _read_lines


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines that are not empty, with their numbers."""
    for line, content in enumerate(re.split("\r\n|\r|\n", text), 1):
        if content.strip():
            yield line, content.strip()


def is_comment(line: str) -> bool:
    """Whether a line begins with #, but not as in #2:net.h1."""
    plain = line.lstrip('" ')
    return plain.startswith(COMMENTS) and not re.match("#[0-9]+[:：]", plain)


# --- lines ------------------------------------------------------------------------------------------------------------


def _read_lines(draft: Draft, text: str) -> None:
    """Lines id = answer, or id: answer where that comes first."""
    for line, content in _lines(text):
        if is_comment(content) and read_iteration(content) is None:
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


# --- tables -----------------------------------------------------------------------------------------------------------

HEAD = 20  # lines among which the heading of a table is looked for


def _read_csv(draft: Draft, text: str) -> None:
    """Rows with a heading; their delimiter is what is most often in the heading."""
    import csv
    from io import StringIO

    lines = [_of_markdown(line) for line in StringIO(text, newline="")]
    head = [(line, content) for line, content in enumerate(lines, 1) if content.strip() and not is_comment(content)]
    if not head:
        return
    cells = [(line, _cells(content)) for line, content in head[:HEAD]]
    start = heading_line(cells) or head[0][0]
    for line, content in enumerate(lines[: start - 1], 1):
        _add_before(draft, content, line)
    delimiter = _delimiter(lines[start - 1])
    reader = csv.reader(lines[start - 1 :], delimiter=delimiter, strict=True)
    rows: list[Row] = []
    line = start
    try:
        for row in reader:
            rows.append((line, row))
            line = start + reader.line_num
    except csv.Error as error:
        add_rows(draft, rows)
        draft.bad(lines[line - 1], "not valid CSV: {reason}", line, reason=str(error))
        return
    add_rows(draft, rows)


def _of_markdown(line: str) -> str:
    """A row of a Markdown table without its outer bars, nothing for the rule below its heading; other rows as they are."""
    plain = line.strip()
    if not plain.startswith("|"):
        return line
    return "\n" if re.fullmatch(r"[|:\s-]+", plain) else plain.strip("|") + "\n"


def _add_before(draft: Draft, text: str, line: int) -> None:
    """A line before the heading of a table: a comment, or a heading such as Name;Nina."""
    if is_comment(text):
        draft.comment(text, line)
        return
    name, *rest = [cell for cell in re.split("[,;\t:：=]", text.strip('"\r\n')) if cell.strip()] or [""]
    if is_heading(name) and rest:
        draft.add(name, " ".join(rest), line)


def add_rows(draft: Draft, rows: Sequence[Row]) -> None:
    """A table: a heading with the columns id and answer, then rows."""
    if not rows:
        return
    line, heading = rows[0]
    columns, known = _columns(heading), ", ".join(cell.strip()[:40] for cell in heading[:8])
    for name in (name for name in COLUMNS if name not in columns):
        hint = near(name, heading)
        draft.fail("the column {wanted} is missing{near}; there are {known}", line, wanted=quoted(name), near=hint, known=known)
    if len(columns) == len(COLUMNS):
        for line, cells in rows[1:]:
            _add_row(draft, columns, len(heading), [cell.strip() for cell in cells], line)


def _add_row(draft: Draft, columns: dict[str, int], width: int, cells: list[str], line: int) -> None:
    """One row: spreadsheets put ' before a text that could be a formula."""
    name, answer = (re.sub("^'(?=[-=+@])", "", cells[columns[key]]) if columns[key] < len(cells) else "" for key in COLUMNS)
    if any(cells[width:]):
        message = "{found} {found:cell|cells}, expected {wanted}; a number with a decimal comma needs quotation marks"
        draft.bad(name, message, line, found=len(cells), wanted=width)
    elif is_comment(name):
        draft.comment(name, line)
    elif name or answer:
        draft.add(name, answer, line)


def heading_line(rows: Iterable[Row]) -> int | None:
    """The line with the columns of a table."""
    return next((line for line, cells in rows if len(_columns(cells)) == len(COLUMNS)), None)


def _columns(heading: Sequence[str]) -> dict[str, int]:
    """The places of the columns that are there."""
    cells = [cell.strip('" \t\r\n').lower() for cell in heading]
    return {name: cells.index(word) for name, words in COLUMNS.items() for word in words[::-1] if word in cells}


def _cells(line: str) -> list[str]:
    line = _of_markdown(line)
    return line.split(_delimiter(line))


def _delimiter(heading: str) -> str:
    """What separates the columns: what is most often in the heading."""
    return max(DELIMITERS, key=heading.count)
