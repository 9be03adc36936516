"""A progress bar on a terminal's standard error; nothing where it is none, or where there is little to wait for."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from handcalc.cli.waiting import PATIENCE, Ticker
from handcalc.stages import watchers

if TYPE_CHECKING:
    from rich.progress import Progress

UPDATES = 100  # how often a bar is drawn


@contextmanager
def progress_bar(count: int, text: str, patience: float = PATIENCE) -> Iterator[Callable[[int], None] | None]:
    """What is to be told how many are done, or None; text: what is being done.

    Drawn by whoever tells, once that has lasted for so many seconds: no thread, so that processes may be started.
    """
    every = max(count // UPDATES, 1)
    with _patient(text, patience) as draw:
        yield draw and (lambda done: draw(done, count, text, done % every == 0))


@contextmanager
def training_bar(text: str, patience: float = PATIENCE) -> Iterator[Callable[[int, int, float], None] | None]:
    """What is to be told updates done, updates wanted and the loss, or None."""
    with _patient(text, patience) as draw:
        yield draw and (lambda done, wanted, loss: draw(done, wanted, f"{text} {loss:.6g}", True))


Draw = Callable[[int, int, str, bool], None]  # how many are done, of how many, what is being done, whether it is drawn at once


@contextmanager
def _patient(text: str, patience: float) -> Iterator[Draw | None]:
    """What draws a bar, the first time after so many seconds; None where nobody looks."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    begun = time.monotonic()
    shown: list[Progress] = []
    with ExitStack() as until_done:

        def draw(done: int, count: int, said: str, at_once: bool) -> None:
            if not shown:
                if time.monotonic() - begun < patience:
                    return
                for watcher in watchers():
                    if isinstance(watcher, Ticker):
                        until_done.enter_context(watcher.hidden())
                shown.append(until_done.enter_context(_bar()))
                shown[0].add_task(text, total=None)
                at_once = True
            shown[0].update(shown[0].task_ids[0], completed=done, total=count, description=said, refresh=at_once)

        yield draw


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)
