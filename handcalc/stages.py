"""What a command is doing: its stages, which are timed, and told to whoever watches.

- `stage(name)`: meanwhile this is done. Of stages inside one another, the innermost counts.
- `watching(watcher)`: meanwhile a `Watcher` is told of every stage that begins and ends; without one a stage costs nothing.
  `watchers()` are those who are told now.

A new stage is a line in `STAGES`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from handcalc.errors import Template

LOAD, DERIVE, TRAIN, MARK, PRINT, TYPESET = "load", "derive", "train", "mark", "print", "typeset"

# stage → what is said while it lasts
STAGES: dict[str, Template] = {
    LOAD: "Reading",
    DERIVE: "Working out",
    TRAIN: "Training",
    MARK: "Judging",
    PRINT: "Writing",
    TYPESET: "Typesetting",
}


class Watcher(Protocol):
    """Who is told of stages."""

    def begin(self, name: str) -> None:
        """A stage begins."""

    def end(self) -> None:
        """The stage that began last ends."""


_watchers: ContextVar[tuple[Watcher, ...]] = ContextVar("watchers", default=())


def watchers() -> tuple[Watcher, ...]:
    """Who is told now."""
    return _watchers.get()


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Meanwhile a stage of `STAGES` lasts."""
    watchers = _watchers.get()
    for watcher in watchers:
        watcher.begin(name)
    try:
        yield
    finally:
        for watcher in reversed(watchers):
            watcher.end()


@contextmanager
def watching(watcher: Watcher) -> Iterator[None]:
    """Meanwhile a watcher is told, besides others."""
    token = _watchers.set((*_watchers.get(), watcher))
    try:
        yield
    finally:
        _watchers.reset(token)
