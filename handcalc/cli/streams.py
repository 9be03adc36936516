"""Standard input, output and error as they are given, which may be closed, full, or read by nobody.

- `settle()` gives a process streams that can be used: what is written to a closed output is an error in words, and what is said on
  standard error never ends a command. `silence(stream)` throws away what a stream has not written yet.
- `trouble(error)` is the message for an error of the system that nothing else has said.
"""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import IO, Any

from handcalc.disk.reading import closed_input, of_system
from handcalc.errors import Message, OutputError


class _Closed(io.StringIO):
    """An output that is closed."""

    encoding = "utf-8"

    def write(self, text: str) -> int:
        """Raises OutputError."""
        raise OutputError(Message("standard output is closed; give a file with -o"))

    @property
    def buffer(self) -> Any:
        """The same for bytes."""
        return self


class _NoInput(io.StringIO):
    """An input that is closed."""

    def readable(self) -> bool:
        """It is not."""
        return False

    @property
    def buffer(self) -> Any:
        """Raises NoFileError."""
        raise closed_input()


class _Patient:
    """A stream for remarks: one that cannot be written is lost, and the command goes on."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write what can be written."""
        try:
            return self._stream.write(text)
        except (OSError, ValueError):
            return len(text)

    def flush(self) -> None:
        """Write what waits, if it can be written."""
        with suppress(OSError, ValueError):
            self._stream.flush()


def settle() -> None:
    """Streams that can be used in the place of those that are closed."""
    for number in range(3):  # or the next file to be opened would be taken for one of them
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stdin is None:
        sys.stdin = _NoInput()
    if sys.stdout is None:
        sys.stdout = _Closed()
    if sys.stderr is None:
        sys.stderr = io.StringIO()
    sys.stderr = _Patient(sys.stderr)


def silence(stream: IO[str]) -> None:
    """What a stream still has to write goes nowhere, or the interpreter would complain of it in the end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def trouble(error: OSError) -> Message:
    """The message for an error of the system: of a file that it names, else of standard output, the only thing that is written unnamed."""
    reason = of_system(error)
    if error.filename is not None:
        return Message("cannot be read or written: {reason}", f"{error.filename}: ", reason=reason)
    return Message("standard output cannot be written: {reason}", reason=reason)
