"""What the ending of a file that is written says of its format: the same in every command.

- `format_of(output, formats, chosen)` is the format of these that a file gets; without a name of a file, the one that was chosen.
- `check_ending(output, *endings)` says whether a file of one kind, such as a problem, may be called so; `check_folder_name(output)` the
  same of a folder.

An ending stands for a format, and never for another; one that stands for none needs --format. A new format that files of some command
may have is in `FORMATS` of render/report.py, or a line in `MORE`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from handcalc.errors import Message, OutputError
from handcalc.render.report import FORMATS

PROBLEM = (".yaml", ".yml")
TEXTS = ("plain", *(format.name for format in FORMATS.values() if not format.binary and format.name != "plain"), "sarif", "gradescope")
MORE = {".txt": TEXTS, ".json": ("json", "sarif", "gradescope"), ".sarif": ("sarif",)}  # besides FORMATS


def ending_of(output: str) -> str:
    """The ending of a name, in small letters; "" where it has none. One of two words may be the whole name: slides.html."""
    name = os.path.basename(output).lower()
    longer = (format.suffix for format in FORMATS.values() if format.suffix.count(".") > 1)
    return next((suffix for suffix in longer if f".{name}".endswith(suffix)), os.path.splitext(name)[1])


def formats_of(ending: str) -> tuple[str, ...]:
    """The formats that an ending may stand for, the usual one first."""
    return MORE.get(ending) or tuple(format.name for format in FORMATS.values() if ending and format.suffix == ending)


def format_of(output: str | None, formats: Sequence[str], chosen: str | None, usual: str = "") -> str:
    """The format of a file: what its ending stands for, else the one that was chosen, or the usual one of a name without an ending.

    Raises OutputError where the ending stands for another one, or for nothing that can be written, and none was chosen.
    """
    if output is None:
        return chosen or usual
    ending = ending_of(output)
    known = formats_of(ending)
    meant = [format for format in formats if format in known]
    if chosen and known and chosen not in known:
        text = "the ending stands for {meant}, but --format says {chosen}"
        raise OutputError(Message(text, f"{output}: ", meant=known[0], chosen=chosen))
    if chosen:
        return chosen
    if meant:
        return usual if usual in meant else meant[0]
    if not ending and usual:
        return usual
    raise _unknown(output, _endings(formats))


def check_ending(output: str | None, *endings: str) -> None:
    """Whether a file that has one format only may be called so: with one of its endings, or without any. Raises OutputError."""
    if output and ending_of(output) not in ("", *endings):
        raise _unknown(output, endings)


def check_folder_name(output: str | None) -> None:
    """Whether a folder may be called so: not as if it were a file of some format. Raises OutputError."""
    if output and not output.endswith(("/", os.sep)) and not os.path.isdir(output) and formats_of(ending_of(output)):
        raise OutputError(Message("this command writes a folder; give a name without the ending of a file", f"{output}: "))


def _endings(formats: Iterable[str]) -> list[str]:
    """The endings of some formats, in their order."""
    found = [FORMATS[format].suffix if format in FORMATS else "." + format for format in formats]
    return [*dict.fromkeys(ending for ending in found if formats_of(ending))]


def _unknown(output: str, endings: Iterable[str]) -> OutputError:
    return OutputError(Message("this command has no format with this ending; known are {known}", f"{output}: ", known=", ".join(endings)))
