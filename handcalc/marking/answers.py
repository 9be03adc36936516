"""A student's answer sheet: which answer was given to which id, as typed.

- `read_sheet(path)` reads a YAML, CSV, text, Excel or Word file, or standard input: `sheet_bytes(path)`, then `sheet_in(data, path)`;
  `from_arguments(pairs)` reads ID=VALUE from a command line; `sheet_of(answers)` takes a mapping of a Python program. All give a
  `Sheet` of `Answer`s (draft.py).
- `typed(text)` (typed.py) is the number an answer is.

Whether an id exists is not known here. The forms of sheets are in forms.py, those of Excel and Word in office.py.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from handcalc.core.rounding import Rounding
from handcalc.errors import Message, ProblemError
from handcalc.loading.rounding import rounding
from handcalc.marking.draft import Answer, Draft, Sheet
from handcalc.marking.encodings import text_of
from handcalc.marking.forms import KEYS, form
from handcalc.marking.typed import Typed, typed
from handcalc.marking.working import first_sign
from handcalc.problem.files import check_size, contents, read_text, shown_path, standard_input
from handcalc.problem.reader import Source, quoted

__all__ = ["Answer", "Sheet", "Typed", "from_arguments", "read_sheet", "sheet_bytes", "sheet_in", "sheet_of", "typed"]

ARCHIVE = b"PK\x03\x04"  # what an Excel or Word file begins with


def read_sheet(path: str | os.PathLike[str], repeats: bool = False) -> Sheet:
    """The answer sheet in a file; "-" is standard input. repeats: an id may be there more than once.

    Raises ProblemError where nothing in it can be read, and for what is no line: its encoding, its YAML, its columns.
    """
    path = os.fspath(path)
    return sheet_in(sheet_bytes(path), path, repeats)


def sheet_bytes(path: str) -> bytes:
    """What is in the file of a sheet, or comes from standard input. Raises ProblemError."""
    data = standard_input("document_bytes") if path == "-" else contents(path, "document_bytes")
    if not data.startswith(ARCHIVE):
        check_size(data, _shown(path))
    return data


def _shown(path: str) -> str:
    return "stdin" if path == "-" else shown_path(path)


def sheet_in(data: bytes, path: str, repeats: bool = False) -> Sheet:
    """The same from what is in the file; path: where it stands, which is read no more."""
    name = _shown(path)
    draft = Draft(Source(name, os.path.dirname(path)), repeats=repeats)
    if data.startswith(ARCHIVE):
        from handcalc.marking.office import read_office

        read_office(draft, data)
    else:
        text = text_of(data, name)
        form(path, text)(draft, text)
    sheet = draft.sheet(os.path.splitext(os.path.basename(path))[0])
    if not sheet.answers:
        raise ProblemError(Message("there is no answer in it; expected lines such as {example}", f"{name}: ", example="net.h1 = 0.35"))
    return sheet


def from_arguments(pairs: Sequence[str]) -> Sheet:
    """Answers from a command line: ID=VALUE. Raises ProblemError."""
    draft = Draft(Source("--answer", ""), has_lines=False, strict=True)
    for pair in pairs:
        found = first_sign(pair)
        if found is None:
            draft.fail("expected ID=VALUE, found {found}", found=quoted(pair))
        else:
            draft.add(pair[: found.start()], pair[found.end() :])
    return draft.sheet()


def sheet_of(answers: Mapping[str, object] | Sheet, rounding: Rounding | None = None) -> Sheet:
    """Answers from Python: {id: text, number or None}, or {"answers": {…}, "rounding": {"decimals": 4}, "name": …}.

    rounding: instead of what the answers declare. Raises ProblemError for a wrong rounding or the same id twice.
    """
    if isinstance(answers, Sheet):
        return answers.replace(rounding=rounding or answers.rounding)
    draft = Draft(Source("answers", ""), has_lines=False, strict=True)
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
