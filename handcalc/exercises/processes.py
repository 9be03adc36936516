"""Work of which there is much, in several processes: `in_processes(count, function, values, *same)`, and `processors()`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from handcalc.errors import Message, OutputError

CHUNK = 4  # values handed to a process at once


def in_processes(count: int, function: Callable[..., Any], values: Sequence[Any], *same: Any) -> list[Any]:
    """What a function makes of each value, in their order; same: what it is given besides. Raises OutputError where a process ends."""
    if count < 2:
        return [function(value, *same) for value in values]
    from concurrent.futures import BrokenExecutor, ProcessPoolExecutor

    try:
        with ProcessPoolExecutor(count, initializer=_start) as pool:
            return list(pool.map(function, values, *([one] * len(values) for one in same), chunksize=CHUNK))
    except BrokenExecutor:
        raise OutputError(Message("a process that wrote sheets ended; is there enough memory?")) from None


def _start() -> None:
    """A process of the pool leaves it to the one that started it to be interrupted."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)


def processors() -> int:
    """The processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
