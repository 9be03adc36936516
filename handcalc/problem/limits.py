"""Limits that keep a hostile or mistaken file from filling the memory or the afternoon.

`limit(name)` is the number in force, `raised_by(name)` what an error message tells the user to set: an environment
variable such as HANDCALC_MAX_SAMPLES; `check_limits()` says what is wrong with those that are set. To add a limit, add a line to the table.
"""

from __future__ import annotations

import os

from handcalc.errors import HandcalcError, Message, near

PREFIX = "HANDCALC_MAX_"
LIMITS: dict[str, int] = {
    "bytes": 400_000,  # of a problem file; larger data belong into a CSV or NPZ file beside it
    "values": 50_000,  # of a problem file, aliases counted as often as they are used
    "layers": 100,
    "neurons": 5_000,  # of one layer, or inputs
    "edges": 250_000,  # neurons × inputs of a layer whose edges are named; larger layers come from a file
    "drawn": 4_000_000,  # numbers of an array that are drawn at random
    "worked": 2_000_000,  # numbers of one matrix in a worked solution; training takes more
    "samples": 10_000,  # whose numbers keep their digits
    "rows": 1_000_000,  # samples of an array
    "equations": 300,
    "terms": 200,  # names and numbers in one formula: the derivative of a long product is as long as its square
    "answers": 20_000,  # of one answer sheet
    "document_bytes": 20_000_000,  # of an answer sheet in Excel or Word
    "data_bytes": 200_000_000,  # of a CSV file
    "model_bytes": 64_000_000,  # of a network in the file of a framework
    "array_bytes": 500_000_000,  # of an array, unpacked
}

DEPTH_LIMIT = 40  # values inside values; nothing in the format is deeper than 6
ERROR_LIMIT = 100  # messages shown at once


def limit(name: str) -> int:
    """The limit in force: the environment's, else the table's. Raises HandcalcError where the environment's is no number."""
    text = os.environ.get(raised_by(name), "")
    if not text:
        return LIMITS[name]
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise HandcalcError(
            Message(
                "expected a whole number, such as {usual}, found {found}", f"{raised_by(name)}: ", usual=LIMITS[name], found=f'"{text}"'
            )
        )
    return int(text)


def raised_by(name: str) -> str:
    """The environment variable that sets a limit."""
    return f"{PREFIX}{name.upper()}"


def check_limits() -> None:
    """Whether the environment sets limits that there are, to numbers. Raises HandcalcError."""
    known = {raised_by(name): name for name in LIMITS}
    for variable in sorted(variable for variable in os.environ if variable.startswith(PREFIX) and os.environ[variable]):
        if variable not in known:
            raise HandcalcError(Message("there is no such limit{near}", f"{variable}: ", near=near(variable, known)))
        limit(known[variable])
