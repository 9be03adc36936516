"""A progress bar on a terminal's standard error; nothing where it is none, or where there is little to wait for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

LEAST = 20  # things to do without a bar
UPDATES = 100  # how often a bar is drawn


@contextmanager
def progress_bar(count: int, text: str) -> Iterator[Callable[[int], None] | None]:
    """What is to be told how many are done, or None; text: what is being done.

    Drawn by whoever tells: no thread, so that processes may be started.
    """
    if count <= LEAST or not sys.stderr.isatty():
        yield None
        return
    with _bar() as bar:
        task = bar.add_task(text, total=count)
        every = max(count // UPDATES, 1)
        yield lambda done: bar.update(task, completed=done, refresh=done % every == 0)


@contextmanager
def training_bar(text: str) -> Iterator[Callable[[int, int, float], None] | None]:
    """What is to be told updates done, updates wanted and the loss, or None."""
    if not sys.stderr.isatty():
        yield None
        return
    with _bar() as bar:
        task = bar.add_task(text, total=None)
        yield lambda done, wanted, loss: bar.update(task, completed=done, total=wanted, description=f"{text} {loss:.6g}", refresh=True)


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)
