"""Work of which there is much, in several processes.

- `in_processes(function, values, count, ended)` is what a function makes of each value; `processors()` is how many could work.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from handcalc.disk.reading import stay_inside, staying_inside
from handcalc.errors import HandcalcError


def in_processes(
    function: Callable[[Any], Any],
    values: Sequence[Any],
    count: int,
    ended: HandcalcError,
    most: int = 1,
    prepare: tuple[Callable[..., None], tuple[Any, ...]] | None = None,
) -> Iterator[Any]:
    """What a function makes of each value, in their order; with one process, in this one.

    most: values handed to a process at once, at most; prepare: called first in each other process, with what it is given. Raises `ended`
    where a process ends.
    """
    if count < 2:
        yield from map(function, values)
        return
    from concurrent.futures import BrokenExecutor, ProcessPoolExecutor

    try:
        with ProcessPoolExecutor(count, initializer=_start, initargs=(staying_inside(), prepare)) as pool:
            yield from pool.map(function, values, chunksize=max(min(len(values) // (4 * count), most), 1))
    except BrokenExecutor:
        raise ended from None


def _start(inside: bool, prepare: tuple[Callable[..., None], tuple[Any, ...]] | None) -> None:
    """A process of the pool leaves it to the one that started it to be interrupted."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stay_inside(inside)
    if prepare is not None:
        prepare[0](*prepare[1])


def processors() -> int:
    """The processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
