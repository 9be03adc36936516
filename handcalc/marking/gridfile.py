"""Tables of answers, of whatever program: `add_rows(draft, rows)` adds those of one, `add_blocks(draft, rows)` those of a page,
`add_pages(draft, pages)` of all pages.

- a list, with the columns id and answer, in any of the words of `COLUMNS`; other columns say how or why, and are not read;
- rows by columns: `neuron, net, out`, then `h1, 0.3775, 0.5933`; also of iterations, samples and times (`COUNTED`);
- one name a column, and its number below it;
- pairs of a name and a number, without a heading.

A cell of a table by rows and columns may be called in several ways; which of them is a step is known to the interpreter only. To read
another word for a column: a line in `COLUMNS` or `COUNTED`; for what stands in it, in saidnames.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from handcalc.marking.draft import ALONG, Draft, is_heading
from handcalc.marking.lines import add_line, read_iteration
from handcalc.marking.saidnames import composed, is_role
from handcalc.marking.typed import typed
from handcalc.marking.working import first_sign, result
from handcalc.problem.reader import near, quoted

VALUES = ("answer", "value", "printed")  # beside `id`, in a list
COLUMNS = {  # of a list
    "id": (
        "id", "step", "symbol", "quantity", "variable", "item", "name", "编号", "步骤", "量", "变量", "变量名", "符号", "名称", "物理量",
        "größe", "grösse", "grandeur", "magnitud",
    ),
    "answer": (
        *VALUES, "result", "your answer", "答案", "数值", "值", "结果", "计算结果", "计算值",
        "wert", "ergebnis", "valeur", "résultat", "valor", "resultado",
    ),
}  # fmt: skip
COUNTED = {  # what the rows of a table are, by the word above the first column
    "iteration": ("iteration", "iter", "epoch", "round", "step", "update", "迭代", "次数", "迭代次数", "轮次", "步"),
    "time": ("t", "time", "time step", "timestep", "时刻", "时间", "时间步"),
    "sample": ("sample", "example", "pattern", "row", "s", "n", "i", "no", "no.", "#", "样本", "序号", "样例"),
}
HEAD = 20  # lines among which the heading of a table is looked for
Row = tuple[int, list[str]]  # a line of the file, and its cells


def is_comment(line: str) -> bool:
    """Whether a line begins with #, but not as in #2:net.h1."""
    plain = line.lstrip('" ')
    return plain.startswith(("#", "＃", "//", "%")) and not re.match("#[0-9]+[:：]|#[,;\t|]", plain)


def heading_line(rows: Iterable[Row]) -> int | None:
    """The line with the columns of a list."""
    return next((line for line, cells in rows if len(_columns(cells)) == len(COLUMNS)), None)


def is_table(rows: Sequence[Row]) -> bool:
    """Whether rows are a table of one of the forms."""
    return heading_line(rows[:HEAD]) is not None or _is_crossed(rows) or _is_paired(rows)


def add_rows(draft: Draft, rows: Sequence[Row]) -> None:
    """A table: the answers in it. Rows of which none is known are an error of the sheet, which names the columns that are missing."""
    start = heading_line(rows[:HEAD])
    if start is not None:
        _add_list(draft, [row for row in rows if row[0] >= start])
    elif _is_crossed(rows):
        _add_crossed(draft, rows)
    elif _is_paired(rows):
        for line, cells in rows:
            draft.add(cells[0], [cell for cell in cells[1:] if typed(cell)][-1], line)
    elif rows:
        line, heading = rows[0]
        columns, known = _columns(heading), ", ".join(cell.strip()[:40] for cell in heading[:8] if cell.strip())
        for name in (name for name in COLUMNS if name not in columns):
            hint = near(name, heading)
            draft.fail("the column {wanted} is missing{near}; there are {known}", line, wanted=quoted(name), near=hint, known=known)


def add_blocks(draft: Draft, rows: Sequence[Row]) -> None:
    """The tables of a page, below each other with empty rows between, and what stands before them."""
    start = heading_line([row for row in rows if any(row[1])][:HEAD])
    if start is not None:
        for row in rows:
            if row[0] < start and any(row[1]):
                _add_before(draft, row)
        add_rows(draft, [row for row in rows if row[0] >= start])
        return
    blocks = [[*group] for filled, group in groupby(rows, lambda row: any(cell.strip() for cell in row[1])) if filled]
    for block in blocks:
        left = min(next(place for place, cell in enumerate(cells) if cell.strip()) for _, cells in block)
        block = [(line, _without_end(cells[left:])) for line, cells in block]
        while block and not is_table(block) and _add_before(draft, block[0]):
            block = block[1:]
        if block and is_table(block):
            add_rows(draft, block)


def add_pages(draft: Draft, pages: Sequence[Sequence[Row]]) -> None:
    """The tables of all pages; an error, where there is none."""
    for rows in pages:
        add_blocks(draft, rows)
    first = next(([row for row in rows if any(row[1])] for rows in pages if any(any(row[1]) for row in rows)), [])
    if first and not draft.answers:
        add_rows(draft, first)


def _without_end(cells: list[str]) -> list[str]:
    """A row without the empty cells at its end."""
    return cells[: max((place + 1 for place, cell in enumerate(cells) if cell.strip()), default=0)]


def _add_before(draft: Draft, row: Row) -> bool:
    """A row before a table: a comment, a heading, the title of the table, or a line such as net_h1 = 0.3775."""
    line, cells = row
    filled = [cell.strip() for cell in cells if cell.strip()]
    if is_comment(filled[0]):
        draft.comment(filled[0], line)
    elif is_heading(filled[0].rstrip(":：")) and len(filled) > 1:
        draft.add(filled[0].rstrip(":："), " ".join(filled[1:]), line)
    elif (iteration := read_iteration(filled[0])) is not None:
        draft.begin(iteration)
    elif len(filled) == 1 and first_sign(filled[0], colon=True):
        add_line(draft, filled[0], line)
    else:
        return len(filled) == 1
    return True


# --- a list -----------------------------------------------------------------------------------------------------------------


def _add_list(draft: Draft, rows: Sequence[Row]) -> None:
    _, heading = rows[0]
    columns = _columns(heading)
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


def _word(cell: str) -> str:
    return " ".join(cell.strip("\"'*_$` \t\r\n\ufeff").lower().replace("_", " ").split())


def _columns(heading: Sequence[str]) -> dict[str, int]:
    """The places of the columns that are there."""
    cells = [_word(cell) for cell in heading]
    return {name: cells.index(word) for name, words in COLUMNS.items() for word in words[::-1] if word in cells}


# --- rows by columns --------------------------------------------------------------------------------------------------------


def _is_number(cell: str) -> bool:
    return typed(result(cell)[0]) is not None


def _is_crossed(rows: Sequence[Row]) -> bool:
    """Whether there is a heading of names, and below it numbers, perhaps behind a name or a count."""
    if len(rows) < 2:
        return False
    heading, *body = (cells for _, cells in rows)
    names = [cell for cell in heading if cell.strip()]
    if any(_is_number(cell) or first_sign(cell) or is_heading(cell) for cell in names) or len(names) < 2:
        return False
    if not all(any(map(_is_number, cells)) and len(cells) <= len(heading) for cells in body):
        return False
    known = {word for words in COUNTED.values() for word in words}
    return len(names) > 2 or any(
        _word(cell) in known or is_role(cell) for cell in (*names, *(cells[0] for cells in body if not heading[0].strip()))
    )


def _add_crossed(draft: Draft, rows: Sequence[Row]) -> None:
    (_, heading), *body = rows
    places = range(len(heading))
    count = next((kind for kind, words in COUNTED.items() if _word(heading[0]) in words), "")
    texts = [place for place in places if not any(_is_number(cells[place]) for _, cells in body if place < len(cells))]
    numbers = [place for place in places if place not in texts]
    label = max((place for place in texts if place < numbers[0]), default=None)
    if label is None and count:
        label, numbers = 0, numbers[1:]
    for order, (line, cells) in enumerate(body, 1):
        for place in numbers:
            cell = cells[place] if place < len(cells) else ""
            if _is_number(cell) and heading[place].strip():
                column = heading[place].strip()
                row = str(order) if label is None else cells[label].strip()
                kind = count if label == 0 and count and typed(row) else "sample" if label is None and len(body) > 1 else ""
                names = [*_names(kind, column, row)] if kind or label is not None else [column]
                draft.add(f"{column} ({row})" if len(names) > 1 else names[0], cell, line, names)


def _names(kind: str, column: str, row: str) -> Iterator[str]:
    """What the number in a column and a row may be called."""
    if kind:
        for other in (kind, *(other for other in ALONG if other != kind)):
            yield from (template.replace("{n}", row).replace("{name}", column) for template in ALONG[other] if "{n}" in template)
        return
    yield from composed(column, row)


# --- pairs ------------------------------------------------------------------------------------------------------------------


def _is_paired(rows: Sequence[Row]) -> bool:
    """Whether every row begins with a name and has a number behind it."""
    return bool(rows) and all(
        len(cells) > 1 and cells[0].strip() and not _is_number(cells[0]) and not is_heading(cells[0]) and any(map(typed, cells[1:]))
        for _, cells in rows
    )
