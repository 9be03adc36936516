"""Commands whose output is kept instead of printed, for programs that have no terminal: the page of handcalc/site.

- `captured(arguments, files)` runs a command line beside some files, and answers its exit code, what it prints, and the files it writes.
- `answer(request)` is the same with JSON on both sides, and says, if that is asked, what is wrong with a problem without working it out.
- `settle_in(folder)` makes a folder to work in, with the tables that shipped problems read.
"""

from __future__ import annotations

import io
import json
import os
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from itertools import count

from handcalc.cli import main
from handcalc.core.record import Record
from handcalc.disk.jsontext import json_text
from handcalc.disk.reading import names_in, our_bytes
from handcalc.disk.writing import make_folder, write
from handcalc.errors import HandcalcError
from handcalc.language import translator

PROBLEM = "problem.yaml"
OUTPUT = "{output}"  # in an argument: a folder for the files that a command writes

_numbers = count(1)


class Captured(Record):
    """What a command did: its exit code, what it printed and said, and the files it wrote, by name."""

    code: int
    out: str
    err: str
    files: Mapping[str, bytes]


def captured(arguments: Sequence[str], files: Mapping[str, str | bytes]) -> Captured:
    """Run a command line in the working folder, after some files were put there. Raises OutputError."""
    for name, content in files.items():
        make_folder(os.path.dirname(name))
        write(content, name, True)
    folder = f"output-{next(_numbers)}"
    wanted = [argument.replace(OUTPUT, folder) for argument in arguments]
    if wanted != [*arguments]:
        make_folder(folder)
    with _streams() as (out, err):
        code = _ended(wanted)
    made = names_in(folder) if wanted != [*arguments] else []
    return Captured(code, _text(out), _text(err), {name: our_bytes(folder, name) for name in made})


def _ended(arguments: list[str]) -> int:
    try:
        main(arguments)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 3
    return 0


@contextmanager
def _streams() -> Iterator[tuple[io.TextIOWrapper, io.TextIOWrapper]]:
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n") for _ in range(2))
    with redirect_stdout(out), redirect_stderr(err):
        yield out, err


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    found: bytes = stream.buffer.getvalue()  # type: ignore[attr-defined]
    return found.decode("utf-8", "replace")


def faults(text: str, language: str) -> list[str]:
    """What is wrong with a problem, a line for each error; nothing is worked out."""
    from handcalc.loading.loader import loads

    translate = translator(language)
    try:
        loads(text, PROBLEM, os.curdir)
    except HandcalcError as error:
        return [message.text(translate) for message in error.messages]
    return []


def answer(request: str) -> str:
    """A request as JSON: {problem, language} asks for faults, {arguments, files, sheets} runs a command line.

    files: texts by their names; sheets: bytes, in base64.
    """
    asked = json.loads(request)
    if "problem" in asked:
        return json_text({"faults": faults(asked["problem"], asked["language"])})
    try:
        sheets = {name: b64decode(content) for name, content in asked.get("sheets", {}).items()}
        found = captured(asked["arguments"], asked["files"] | sheets)
    except HandcalcError as error:
        return json_text({"code": error.exit_code, "out": "", "err": str(error), "files": {}})
    made = {name: b64encode(content).decode() for name, content in found.files.items()}
    return json_text({"code": found.code, "out": found.out, "err": found.err, "files": made})


def settle_in(folder: str) -> None:
    """Work in a folder from now on. Raises OutputError."""
    from handcalc.problem.files import shipped_folder

    shipped = shipped_folder()
    make_folder(folder)
    os.chdir(folder)
    for name in names_in(shipped):
        if os.path.isfile(os.path.join(shipped, name)) and not name.endswith(".yaml"):
            write(our_bytes(shipped, name), name, True)
