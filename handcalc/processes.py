"""Work of which there is much, in several processes: a batch at a time, through an executor of `concurrent.futures`.

- `in_batches(job, batches, team)` gives what each batch becomes, as they are done; a process that ends costs no batch.
- `in_processes(function, values, count, ended)` is what a function makes of each value, in their order.
- A `Team` does the work: `Here` is this process, `Processes` some more; cluster.py has the workers of a scheduler. `processors()` is how
  many processes could work.

What all batches need is made once by each process (`Job.make`), and not sent along with them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from handcalc.disk.reading import stay_inside, staying_inside
from handcalc.errors import HandcalcError

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future
    from contextlib import AbstractContextManager

AHEAD = 3  # batches for each process that are handed out and not done yet: results wait nowhere, and nobody waits for work
TRIES = 3  # processes that a batch may end while nothing else is in them: then it is the reason


class Job(NamedTuple):
    """What is done with a batch: do(made, batch), where made is what make(*known) gave this process."""

    do: Callable[[Any, Any], Any]
    make: Callable[..., Any]
    known: tuple[Any, ...]


Submit = Callable[[Any], "Future[Any]"]


class Team(Protocol):
    """Who does the work. most: values in a batch, at most, that cost no more to send than to work."""

    most: int

    def size(self) -> int:
        """How many work at the same time; that may change."""

    def at_work(self, job: Job) -> AbstractContextManager[Submit]:
        """What hands out a batch. Raises HandcalcError where nobody can be reached."""

    def reason(self, error: BaseException) -> HandcalcError | None:
        """What an error says that is none of the batch's own; None for others."""


def in_batches(job: Job, batches: Iterable[Any], team: Team, ended: HandcalcError) -> Iterator[tuple[int, Any, Any]]:
    """(place of a batch, the batch, what it has become), as they are done. Few batches are under way, so that many need no more memory.

    Raises `ended` where a batch ends every process that it is given to.
    """
    from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, wait

    coming = iter(enumerate(batches))
    again: list[tuple[int, Any]] = []  # batches whose process ended; whichever ends it again, alone in it, is the reason
    losses: dict[int, int] = {}  # how often they did
    running: dict[Future[Any], tuple[int, Any]] = {}

    def ahead() -> int:
        alone = again or any(number in losses for number, _ in running.values())
        return 1 if alone else AHEAD * team.size()

    def lost(batch: tuple[int, Any], alone: bool) -> None:
        again.append(batch)
        losses[batch[0]] = losses.get(batch[0], 0) + alone
        if losses[batch[0]] == TRIES:
            raise ended from None

    more = True
    while more or again:
        with team.at_work(job) as submit:
            whole = True  # whether the executor still takes batches
            while running or whole and (more or again):
                while whole and (more or again) and len(running) < ahead():
                    batch = again.pop() if again else next(coming, None)
                    if batch is None:
                        more = False
                        continue
                    try:
                        running[submit(batch[1])] = batch
                    except BrokenExecutor:
                        whole = False
                        lost(batch, not running)
                done = wait(running, return_when=FIRST_COMPLETED).done
                alone = len(running) == 1
                for future in done:
                    batch = running.pop(future)
                    try:
                        found = future.result()
                    except BrokenExecutor:
                        whole = False
                        lost(batch, alone and batch[0] in losses)
                    except Exception as error:  # noqa: BLE001 - it is raised, in better words where there are any
                        raise team.reason(error) or error from None
                    else:
                        losses.pop(batch[0], None)
                        yield *batch, found


def in_processes(function: Callable[[Any], Any], values: Sequence[Any], count: int, ended: HandcalcError, most: int = 1) -> Iterator[Any]:
    """What a function makes of each value, in their order; with one process, in this one.

    most: values handed to a process at once, at most. Raises `ended` where processes end, and nothing else has become of a value.
    """
    if count < 2:
        yield from map(function, values)
        return
    size = batch_size(len(values), count, most)
    batches = (values[start : start + size] for start in range(0, len(values), size))
    done: dict[int, list[Any]] = {}
    place = 0
    for number, _, found in in_batches(Job(_each, _same, (function,)), batches, Processes(count), ended):
        done[number] = found
        while place in done:
            yield from done.pop(place)
            place += 1


def batch_size(values: int, count: int, most: int) -> int:
    """How many values are handed out at once, so that everybody has some batches."""
    return max(min(values // (4 * count), most), 1)


def _same(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return function


def _each(function: Callable[[Any], Any], values: Sequence[Any]) -> list[Any]:
    return [function(value) for value in values]


# --- teams ----------------------------------------------------------------------------------------------------------------


class Here:
    """This process: a batch is done when it is handed out."""

    most = 1

    def size(self) -> int:
        return 1

    @contextmanager
    def at_work(self, job: Job) -> Iterator[Submit]:
        from concurrent.futures import Future

        made = job.make(*job.known)

        def submit(batch: Any) -> Future[Any]:
            future: Future[Any] = Future()
            try:
                future.set_result(job.do(made, batch))
            except Exception as error:  # noqa: BLE001 - it is raised where the result is asked for
                future.set_exception(error)
            return future

        yield submit

    def reason(self, error: BaseException) -> HandcalcError | None:
        return None


class Processes:
    """So many processes of this machine."""

    most = 8

    def __init__(self, count: int) -> None:
        self.count = count

    def size(self) -> int:
        return self.count

    @contextmanager
    def at_work(self, job: Job) -> Iterator[Submit]:
        from concurrent.futures import ProcessPoolExecutor

        executor: Executor = ProcessPoolExecutor(self.count, initializer=_start, initargs=(staying_inside(), job))
        try:
            yield lambda batch: executor.submit(_do, batch)
        finally:
            executor.shutdown(cancel_futures=True)

    def reason(self, error: BaseException) -> HandcalcError | None:
        return None


_own: tuple[Callable[[Any, Any], Any], Any] | None = None  # of a process of a pool: what it does, with what it has made


def _start(inside: bool, job: Job) -> None:
    """A process of the pool leaves it to the one that started it to be interrupted."""
    import signal

    global _own
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stay_inside(inside)
    _own = job.do, job.make(*job.known)


def _do(batch: Any) -> Any:
    assert _own is not None, "the process was started by its pool"
    do, made = _own
    return do(made, batch)


def processors() -> int:
    """The processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
