"""Sheets made with Excel and Word: a table with the columns id and answer, a worksheet that was filled in, or lines in a document.

- `read_office(draft, data)` adds the answers of the file with these bytes to a `Draft`.

The lines of a worksheet that handcalc exports carry a hidden bookmark with the id of their step (render/formats/wordparts.py);
without it a line is known by its symbol. openpyxl and python-docx are the extras `excel` and `word`.
"""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Iterator
from typing import Any

from handcalc.errors import Message, ProblemError
from handcalc.marking.draft import Draft, is_heading
from handcalc.marking.gridfile import HEAD, Row, add_blocks, add_pages, is_comment, is_table
from handcalc.marking.lines import add_line, joined
from handcalc.marking.working import first_sign
from handcalc.problem.limits import limit
from handcalc.render.formats.wordparts import step_of

UNPACKED = 10  # times as large as the file may be, it may be when it is unpacked
PAGES = 20  # of a workbook that are read
DIGITS = 12  # of a number in a cell; the others are noise of floats
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_NUMBER = re.compile(r"\s*\(\d{1,5}\)\s*(?:\[[^\[\]]*\]\s*)?")  # of a line, and its marks


def read_office(draft: Draft, data: bytes) -> None:
    """The answers of an Excel or Word file. Raises ProblemError where it is neither, or its library is not installed."""
    name = draft.source.name
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names, size = archive.namelist(), sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError, OSError) as error:
        raise ProblemError(Message("this archive cannot be read: {reason}", f"{name}: ", reason=str(error)[:100])) from None
    if size > UNPACKED * limit("document_bytes"):
        raise ProblemError(Message("larger than {limit} bytes when it is unpacked", f"{name}: ", limit=UNPACKED * limit("document_bytes")))
    if "word/document.xml" in names:
        _read_document(draft, _opened(data, "docx", "Word", "word", name))
    elif "xl/workbook.xml" in names:
        add_pages(draft, _opened(data, "openpyxl", "Excel", "excel", name))
    else:
        raise ProblemError(Message("this is neither an Excel (.xlsx) nor a Word (.docx) file", f"{name}: "))


def _opened(data: bytes, library: str, program: str, extra: str, name: str) -> Any:
    """What the library makes of a file: the rows of its pages, or the body of the document."""
    from importlib import import_module

    try:
        module = import_module(library)
    except ImportError:
        template = "{format} needs a library that is not installed: pip install 'handcalc[{extra}]'"
        raise ProblemError(Message(template, f"{name}: ", format=program, extra=extra)) from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions
            return _pages(module, data) if library == "openpyxl" else module.Document(io.BytesIO(data)).element.body
    except Exception as error:  # noqa: BLE001 - whatever the library makes of a damaged file
        reason = f"{type(error).__name__}: {error}"[:100]
        raise ProblemError(Message("this {program} file cannot be read: {reason}", f"{name}: ", program=program, reason=reason)) from None


# --- tables -----------------------------------------------------------------------------------------------------------


def _pages(library: Any, data: bytes) -> list[list[Row]]:
    """The rows of the sheets of a workbook, with their numbers; cells as texts."""
    book = library.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    most = limit("answers") + HEAD
    pages = []
    for page in book.worksheets[:PAGES]:
        rows = [(line, [_text(cell) for cell in row]) for line, row in enumerate(page.iter_rows(max_row=most, max_col=100), 1)]
        pages.append(rows)
    book.close()
    return pages


def _text(cell: Any) -> str:
    """A cell as it would be typed; a number with the decimals that its format asks for."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    shown = str(cell.number_format)
    zeros = re.match(r"#?,?#*0\.(0+)(%?)", shown)
    decimals = len(zeros[1]) + 2 * bool(zeros[2]) if zeros else 2 * shown.startswith("0%")
    text = f"{value:.{DIGITS}g}"
    whole, _, digits = text.partition(".")
    return text if "e" in text or len(digits) >= decimals else f"{whole}.{digits:0<{decimals}}"


def add_heading(draft: Draft, text: str, line: int) -> bool:
    """A line such as Name: Nina; whether it is one."""
    found = first_sign(text, colon=True)
    if found is None or not is_heading(text[: found.start()]):
        return False
    draft.add(text[: found.start()], text[found.end() :], line)
    return True


# --- documents --------------------------------------------------------------------------------------------------------


def _read_document(draft: Draft, body: Any) -> None:
    """The numbered lines of a worksheet; where there are none, every line of the document and its tables."""
    paragraphs = [(line, element) for line, element in enumerate(body.iter(f"{_W}p"), 1)]
    if not _read_worksheet(draft, paragraphs):
        _read_text(draft, body)


def _read_worksheet(draft: Draft, paragraphs: list[tuple[int, Any]]) -> bool:
    """The lines with a number and a sign, and what was written behind it; whether there is one."""
    found: list[tuple[str, str, int]] = []
    for line, element in paragraphs:
        text = _line(element)
        number = _NUMBER.match(text)
        sign = first_sign(text)
        if number and sign and sign.start() > number.end():
            step = _marked(element) or text[number.end() : sign.start()]
            found.append((step, text[sign.end() :], line))
        elif found and _style(element) == "StepToWrite" and text.strip() and not number:  # a further line of the same answer
            found[-1] = (found[-1][0], f"{found[-1][1]} {text}", found[-1][2])
        elif text.strip():
            add_heading(draft, text, line)
    for step, text, line in found:
        ended = text.rstrip("\u200b \t_")
        unfinished = re.search(r"[=≈]$", ended)  # the formula is printed, and nothing stands behind it
        draft.add(step, "" if unfinished else _typed_in(ended), line)
    return bool(found)


def _read_text(draft: Draft, body: Any) -> None:
    """Paragraphs as lines, tables as tables; titles and headings are none."""
    line = 0
    written: list[tuple[int, str]] = []
    for element in body:
        if element.tag == f"{_W}tbl":
            rows = [(line + place, [_cell(cell) for cell in row.iter(f"{_W}tc")]) for place, row in enumerate(element.iter(f"{_W}tr"), 1)]
            line += len(rows)
            _add_lines(draft, written)
            written = []
            if is_table(rows := [row for row in rows if any(row[1])]):
                add_blocks(draft, rows)
        elif element.tag == f"{_W}p":
            for text in _line(element).split("\n"):
                line += 1
                if text.strip() and not _style(element).startswith(("Heading", "Title")) and not is_comment(text.strip()):
                    written.append((line, _typed_in(text).strip()))
    _add_lines(draft, written)


def _add_lines(draft: Draft, written: list[tuple[int, str]]) -> None:
    for line, text in joined(written):
        add_line(draft, text, line)


def _cell(cell: Any) -> str:
    return _typed_in(" ".join(_line(paragraph) for paragraph in cell.iter(f"{_W}p"))).strip()


def _style(paragraph: Any) -> str:
    found = next(paragraph.iter(f"{_W}pStyle"), None)
    return "" if found is None else str(found.get(f"{_W}val", ""))


def _marked(paragraph: Any) -> str:
    """The step that a bookmark of the paragraph names."""
    names = (mark.get(f"{_W}name", "") for mark in paragraph.iter(f"{_W}bookmarkStart"))
    return next(filter(None, map(step_of, names)), "")


def _line(paragraph: Any) -> str:
    """The words and formulas of a paragraph, on one line."""
    return "".join(_words(paragraph)).replace("\u200b", "")


def _words(element: Any) -> Iterator[str]:
    for inner in element:
        if inner.tag in (f"{_W}t", f"{_M}t"):
            yield inner.text or ""
        elif inner.tag == f"{_W}tab":
            yield " "
        elif inner.tag in (f"{_W}br", f"{_W}cr"):
            yield "\n" if element.getparent().getparent().tag == f"{_W}body" else " "
        elif inner.tag == f"{_M}oMath" or inner.tag in _SPELLED:
            yield _formula(inner)
        elif inner.tag not in (f"{_W}del", f"{_W}pPr", f"{_W}rPr", f"{_W}instrText", f"{_M}rPr"):
            yield from _words(inner)


_SPELLED = {
    f"{_M}sSub": "{e}_{{{sub}}}",
    f"{_M}sSup": "{e}^{{{sup}}}",
    f"{_M}sSubSup": "{e}_{{{sub}}}^{{{sup}}}",
    f"{_M}f": "{num}/{den}",
    f"{_M}rad": "sqrt({e})",
    f"{_M}acc": "{e}\u0302",
    f"{_M}d": "",  # brackets, which say themselves what they are
}


def _formula(element: Any) -> str:
    """A formula of Word on one line: w_{5}^{+}, ∂E/∂w_{5}."""
    template = _SPELLED.get(element.tag, "")
    if template:
        parts = {child.tag.removeprefix(_M): "".join(_words(child)) for child in element}
        if element.tag == f"{_M}f":
            parts = {key: f"({part})" if re.search(r"[-+·*/ −]", part) else part for key, part in parts.items()}
        filled: str = template.format_map({"e": "", "sub": "", "sup": "", "num": "", "den": "", **parts})
        return filled
    if element.tag == f"{_M}d":
        signs = {child.tag: child.get(f"{_M}val", "") for child in element.iter(f"{_M}begChr", f"{_M}endChr")}
        inside = ", ".join("".join(_words(child)) for child in element if child.tag == f"{_M}e")
        return f"{signs.get(f'{_M}begChr', '(')}{inside}{signs.get(f'{_M}endChr', ')')}"
    return "".join(_words(element))


def _typed_in(text: str) -> str:
    """What was written, as it would be typed: indices without braces, powers in brackets."""
    return re.sub(r"\^\{([^{}]*)\}", r"^(\1)", re.sub(r"_\{([^{}]*)\}", r"_\1", text))
