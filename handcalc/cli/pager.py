"""A pager for what a terminal shows (`--pager`): $PAGER, else less or more.

- `paged()` gathers what is printed on a terminal meanwhile, and hands it to the pager in the end; anything else it leaves alone.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO


class _Gathered(io.StringIO):
    """What would be on a terminal: as wide, with its letters and its colours."""

    def __init__(self, terminal: IO[str]) -> None:
        super().__init__()
        self.terminal = terminal

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """That of the terminal."""
        return str(getattr(self.terminal, "encoding", "utf-8"))

    def isatty(self) -> bool:
        """It will be seen on one."""
        return True

    def fileno(self) -> int:
        """That of the terminal, whose width is asked for."""
        return self.terminal.fileno()


@contextmanager
def paged() -> Iterator[None]:
    """Show in a pager what is printed, if it is for a terminal."""
    terminal = sys.stdout
    if not terminal.isatty():
        yield
        return
    gathered = _Gathered(terminal)
    sys.stdout = gathered
    try:
        yield
    finally:
        sys.stdout = terminal
    if gathered.getvalue():
        import click

        click.echo_via_pager(gathered.getvalue(), color=True)
