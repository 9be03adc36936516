"""A progress bar on a terminal's standard error; nothing where it is none, or where there is little to wait for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from handcalc.errors import Message
from handcalc.language import Translate

LEAST = 20  # things to do without a bar
UPDATES = 100  # how often a bar is drawn


@contextmanager
def progress_bar(count: int, translate: Translate) -> Iterator[Callable[[int], None] | None]:
    """What is to be told how many are done, or None. Drawn by whoever tells: no thread, so that processes may be started."""
    if count <= LEAST or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False) as bar:
        task = bar.add_task(Message("Marking").text(translate), total=count)
        every = max(count // UPDATES, 1)
        yield lambda done: bar.update(task, completed=done, refresh=done % every == 0)
