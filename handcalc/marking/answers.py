"""A student's answer sheet: which answer was given to which id, as typed.

- `read_sheet(path)` reads a YAML, CSV or text file, or standard input; `from_arguments(pairs)` reads ID=VALUE from a
  command line; `sheet_of(answers)` takes a mapping of a Python program. All give a `Sheet` of `Answer`s.
- `typed(text)` (typed.py) is the number an answer is.

Whether an id exists is not known here. To add a form of sheet: a function like `_read_text`, which adds answers to a
`_Draft`, and its line in `_form`.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from handcalc.core.record import Record
from handcalc.core.rounding import Rounding
from handcalc.errors import Message, ProblemError, Template
from handcalc.loading.rounding import rounding
from handcalc.marking.typed import Typed, typed
from handcalc.problem.fields import DECIMALS, SIGNIFICANT
from handcalc.problem.files import decoded, read_bytes, read_text, shown_path
from handcalc.problem.limits import limit, raised_by
from handcalc.problem.reader import FileNode, Source, near, quoted

__all__ = ["Answer", "Sheet", "Typed", "from_arguments", "read_sheet", "sheet_of", "typed"]

LISTS = ("answers", "published")  # what the answers of a sheet in YAML stand under
KEYS = (*LISTS, "rounding", "name", "student", "problem", "title", "source")
VALUES = ("answer", "value", "printed")  # beside `id`, in a list
COLUMNS = {"id": ("id", "编号", "步骤"), "answer": (*VALUES, "答案")}  # of a sheet in CSV
NAMES = ("name", "student", "姓名")  # what a comment calls the student


class Answer(Record):
    """One answer: the id as the student wrote it, the answer as typed ("" where it was left blank), and its place."""

    id: str
    text: str
    where: str = ""


class Sheet(Record):
    """What one student handed in: the name, the answers in order, and the rounding that was declared."""

    name: str
    answers: tuple[Answer, ...]
    rounding: Rounding | None = None


def read_sheet(path: str | os.PathLike[str], repeats: bool = False) -> Sheet:
    """The answer sheet in a file; "-" is standard input. repeats: an id may be there more than once.

    Raises ProblemError with every error found.
    """
    path = os.fspath(path)
    name = "stdin" if path == "-" else shown_path(path)
    text = _standard_input(name) if path == "-" else read_bytes(path)
    draft = _Draft(Source(name, os.path.dirname(path)), repeats=repeats)
    _form(path, text)(draft, text)
    sheet = draft.sheet(os.path.splitext(os.path.basename(path))[0])
    if not sheet.answers:
        raise ProblemError(Message("there is no answer in it; expected lines such as {example}", f"{name}: ", example="net.h1 = 0.35"))
    return sheet


def from_arguments(pairs: Sequence[str]) -> Sheet:
    """Answers from a command line: ID=VALUE, split at the last =. Raises ProblemError."""
    draft = _Draft(Source("--answer", ""), has_lines=False)
    for pair in pairs:
        found = re.fullmatch("(.*)[=＝](.*)", pair, re.DOTALL)
        if found is None:
            draft.fail("expected ID=VALUE, found {found}", found=quoted(pair))
        else:
            draft.add(found[1], found[2])
    return draft.sheet()


def sheet_of(answers: Mapping[str, object] | Sheet, rounding: Rounding | None = None) -> Sheet:
    """Answers from Python: {id: text, number or None}, or {"answers": {…}, "rounding": {"decimals": 4}, "name": …}.

    rounding: instead of what the answers declare. Raises ProblemError for a wrong rounding or the same id twice.
    """
    if isinstance(answers, Sheet):
        return answers.replace(rounding=rounding or answers.rounding)
    draft = _Draft(Source("answers", ""), has_lines=False)
    given = answers.get("answers")
    if isinstance(given, Mapping):
        if unknown := [key for key in answers if key not in KEYS]:
            raise TypeError(f"unknown keys {unknown} beside answers; known are {', '.join(KEYS)}")
        draft.name = str(answers.get("name") or answers.get("student") or "")
        draft.rounding = _rounding(answers.get("rounding"))
    for name, value in (given if isinstance(given, Mapping) else answers).items():
        draft.add(name, _spelled(name, value))
    draft.rounding = rounding or draft.rounding
    return draft.sheet()


# --- collecting -------------------------------------------------------------------------------------------------------


class _Draft:
    """A sheet being read: answers by id with their lines, what it declares, and its errors."""

    def __init__(self, source: Source, has_lines: bool = True, repeats: bool = False) -> None:
        self.source = source
        self.repeats = repeats
        self.has_lines = has_lines
        self.answers: dict[str, tuple[Answer, int]] = {}
        self.name = ""
        self.rounding: Rounding | None = None

    def _where(self, line: int) -> str:
        return f"{self.source.name}:{line}: " if self.has_lines else f"{self.source.name}: "

    def fail(self, template: Template, line: int = 0, **values: Any) -> None:
        """Add an error in a line."""
        self.source.add((line, 0), Message(template, self._where(line), **values))

    def add(self, name: str, text: str, line: int = 0) -> None:
        """Add an answer, or one that was left blank."""
        name, text = name.strip(), text.strip()
        if not name:
            self.fail("an id is missing before the answer {found}", line, found=quoted(text))
        elif name in self.answers and not self.repeats:
            first = Message("; first in line {line}", line=self.answers[name][1]) if self.has_lines else ""
            self.fail("the id {found} is there twice{first}", line, found=quoted(name), first=first)
        elif len(self.answers) >= limit("answers"):
            most, variable = limit("answers"), raised_by("answers")
            self.fail("more than {limit} answers; set {variable} to raise the limit", line, limit=most, variable=variable)
            self.source.finish()
        else:
            key = name if name not in self.answers else f"{name} {len(self.answers)}"
            self.answers[key] = Answer(name, _filled_in(text), self._where(line)), line

    def comment(self, text: str, line: int) -> None:
        """What a comment declares: `# name: Alice` or `# rounding: 4 decimals`; spreadsheets put commas after it."""
        key, _, value = (_filled_in(part) for part in text.strip('#＃",; \t\r\n').replace("：", ":", 1).partition(":"))
        if key.lower() in NAMES:
            self.name = value
        elif key.lower() == "rounding" and value:
            found = re.fullmatch("([0-9]{1,2}) *(?:(decimal)s?(?: places)?|significant(?: digits)?)( *, *carry)?", value.lower())
            digits = DECIMALS if found and found[2] else SIGNIFICANT
            if found and digits["minimum"] <= int(found[1]) <= digits["maximum"]:
                decimals, significant = (int(found[1]), None) if found[2] else (None, int(found[1]))
                self.rounding = Rounding(decimals, significant, carry=bool(found[3]))
            else:
                self.fail('expected "4 decimals" or "3 significant", perhaps with ", carry", found {found}', line, found=quoted(value))

    def sheet(self, name: str = "") -> Sheet:
        """The sheet. Raises ProblemError with every error found."""
        self.source.finish()
        return Sheet(self.name or name, tuple(answer for answer, _ in self.answers.values()), self.rounding)


def _filled_in(text: str) -> str:
    """What was typed into a gap of underscores or dots: nothing if they are still there alone."""
    return "" if re.fullmatch(r"[_＿.…⋯\s]*", text) else text.strip()


def _standard_input(name: str) -> str:
    try:
        data = sys.stdin.buffer.read(limit("bytes") + 1)
    except (OSError, ValueError, AttributeError) as error:
        raise ProblemError(Message("cannot be read: {reason}", f"{name}: ", reason=str(error))) from None
    return decoded(data, name)


def _rounding(value: object) -> Rounding | None:
    """A rounding as such, or as the mapping that stands in a file."""
    if value is None or isinstance(value, Rounding):
        return value
    import json

    item = read_text(json.dumps(value), "rounding", "")
    found = rounding(item)
    item.source.finish()
    return found


def _spelled(name: object, value: object) -> str:
    """An answer given in Python, as it would be typed. Raises TypeError for what is no text and no number."""
    if not isinstance(name, str):
        raise TypeError(f"an id must be a text, not {name!r}")
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float.__repr__(value) if isinstance(value, float) else int.__repr__(value)
    raise TypeError(f"the answer to {name!r} must be a text, a number or None, not {value!r}")


# --- the forms of sheets ----------------------------------------------------------------------------------------------


def _form(path: str, text: str) -> Callable[[_Draft, str], None]:
    """What reads a sheet: by its suffix, else by what is in it."""
    suffix = os.path.splitext(path)[1].lower()
    first = next((content for _, content in _lines(text) if not _is_comment(content)), "")
    if not first:
        return _read_text
    if suffix in (".yaml", ".yml"):
        return _read_yaml
    if suffix == ".csv" or len(_columns(first.split(_delimiter(first)))) == len(COLUMNS):
        return _read_csv
    return _read_yaml if first.startswith(("{", "---")) or re.search("^[\"']?answers[\"']? *:", text, re.MULTILINE) else _read_text


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines that are not empty, with their numbers."""
    for line, content in enumerate(re.split("\r\n|\r|\n", text), 1):
        if content.strip():
            yield line, content.strip()


def _is_comment(line: str) -> bool:
    """Whether a line begins with #, but not as in #2:net.h1."""
    plain = line.lstrip('" ')
    return plain.startswith(("#", "＃")) and not re.match("#[0-9]+[:：]", plain)


def _read_text(draft: _Draft, text: str) -> None:
    """Lines id = answer, or id: answer where there is no =."""
    for line, content in _lines(text):
        found = re.fullmatch("([^=＝]*)[=＝](.*)", content) or re.fullmatch("((?:#[0-9]+[:：])?+[^:：]*)[:：](.*)", content)
        if _is_comment(content):
            draft.comment(content, line)
        elif found:
            draft.add(found[1], found[2], line)
        else:
            draft.fail("expected ID = ANSWER, found {found}", line, found=quoted(content))


def _read_yaml(draft: _Draft, text: str) -> None:
    """A mapping with `answers`, or one of ids to answers only."""
    root = read_text(text, draft.source.name, draft.source.folder)
    draft.source = root.source
    bare = root.kind != "mapping" or not any(key.value in KEYS for key, _ in root.node.value)
    part = {"answers": root} if bare else root.section(KEYS)
    draft.name = next((_filled_in(part[key].text() or "") for key in ("name", "student") if key in part), "")
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


def _read_csv(draft: _Draft, text: str) -> None:
    """A heading with the columns id and answer, then rows; comments may come first."""
    import csv
    from io import StringIO

    start = next(line for line, content in _lines(text) if not _is_comment(content))
    lines = list(StringIO(text, newline=""))
    for line, content in enumerate(lines[: start - 1], 1):
        draft.comment(content, line)
    reader = csv.reader(lines[start - 1 :], delimiter=_delimiter(lines[start - 1]), strict=True)
    line = start
    try:
        heading = next(reader)
        columns, known = _columns(heading), ", ".join(cell.strip()[:40] for cell in heading[:8])
        for name in (name for name in COLUMNS if name not in columns):
            hint = near(name, heading)
            draft.fail("the column {wanted} is missing{near}; there are {known}", line, wanted=quoted(name), near=hint, known=known)
        while len(columns) == len(COLUMNS):
            line = start + reader.line_num
            _add_row(draft, columns, len(heading), [cell.strip() for cell in next(reader)], line)
    except StopIteration:
        pass
    except csv.Error as error:
        draft.fail("not valid CSV: {reason}", line, reason=str(error))


def _add_row(draft: _Draft, columns: dict[str, int], width: int, cells: list[str], line: int) -> None:
    """One row: spreadsheets put ' before a text that could be a formula."""
    name, answer = (re.sub("^'(?=[-=+@])", "", cells[columns[key]]) if columns[key] < len(cells) else "" for key in COLUMNS)
    if any(cells[width:]):
        message = "{found} cells, expected {wanted}; a number with a decimal comma needs quotation marks"
        draft.fail(message, line, found=len(cells), wanted=width)
    elif name or answer:
        draft.add(name, answer, line)


def _columns(heading: Sequence[str]) -> dict[str, int]:
    """The places of the columns that are there."""
    cells = [cell.strip('" \t\r\n').lower() for cell in heading]
    return {name: cells.index(word) for name, words in COLUMNS.items() for word in words[::-1] if word in cells}


def _delimiter(heading: str) -> str:
    """What separates the columns: what is most often in the heading."""
    return max(",;\t", key=heading.count)
