"""The workers of a Dask scheduler as a team (processes.py): `with reached(address) as team:`. Needs `distributed`, the extra `cluster`.

What all batches need is a task of its own: the scheduler sends it to each worker once, and to those that come later; there it is made
once. A worker that dies is the scheduler's affair, which gives its batches to another.

Whoever is connected to a scheduler can run anything on it, and it can send anything back: it has to be a trusted one.
"""

from __future__ import annotations

import logging
import pickle
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from importlib import import_module
from typing import Any

from handcalc.errors import HandcalcError, Message, OutputError
from handcalc.processes import Job, Submit

LIBRARY = "distributed"
CONNECT = 15  # seconds to reach a scheduler
FIRST = 60  # seconds until the first worker has come
KEPT = 2  # of what was made in a worker: that of another run goes when a third comes


@contextmanager
def reached(address: str) -> Iterator[Workers]:
    """The workers of the scheduler with an address such as tcp://10.0.0.1:8786. Raises HandcalcError where there is none."""
    try:
        connect: Any = import_module(LIBRARY).Client
    except ImportError as error:
        if error.name is None or error.name.split(".")[0] not in (LIBRARY, "dask"):
            raise
        template = "--scheduler needs a library that is not installed: pip install 'handcalc[{extra}]'"
        raise OutputError(Message(template, extra="cluster")) from None
    for name in (LIBRARY, f"{LIBRARY}.client", f"{LIBRARY}.comm"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what it has to say is said by reason()
    where = f"{address}: "
    try:
        client = connect(address, timeout=CONNECT, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:  # TimeoutError is an OSError
        raise HandcalcError(Message("there is no scheduler that answers: {reason}", where, reason=str(error) or "…")) from None
    try:
        _wait(client, where)
        yield Workers(client, where)
    finally:
        client.close()


def _wait(client: Any, where: str) -> None:
    try:
        client.wait_for_workers(1, timeout=FIRST)
    except TimeoutError:
        raise HandcalcError(Message("this scheduler has no workers", where)) from None


class Workers:
    """The workers of a scheduler."""

    most = 32

    def __init__(self, client: Any, where: str) -> None:
        self._client = client
        self._where = where

    def size(self) -> int:
        """Threads that work; at least one, for others may come."""
        threads: int = sum(self._client.nthreads().values())
        return max(threads, 1)

    @contextmanager
    def at_work(self, job: Job) -> Iterator[Submit]:
        """What hands out a batch, through the executor that the client has."""
        from handcalc import __version__

        data = pickle.dumps(job)
        key = f"handcalc-{sha256(data).hexdigest()}"
        sent = self._client.submit(_sent, data, __version__, key=key)
        executor = self._client.get_executor(pure=False)
        try:
            yield lambda batch: executor.submit(_do, key, sent, batch)
        finally:
            executor.shutdown(wait=False)

    def reason(self, error: BaseException) -> HandcalcError | None:
        """What an error of the cluster says, by its name: its classes are imported by nobody else."""
        name = type(error).__name__
        if name == "KilledWorker":
            return HandcalcError(Message("several workers ended while they marked the same sheets; have they enough memory?", self._where))
        if name in ("CancelledError", "FutureCancelledError", "CommClosedError"):
            return HandcalcError(Message("the scheduler has ended; with --results the same command goes on where it stopped", self._where))
        if isinstance(error, ModuleNotFoundError):
            return HandcalcError(Message("a worker has no {name}; install there what is installed here", self._where, name=error.name))
        return None


# --- in a worker ----------------------------------------------------------------------------------------------------------

_made: dict[str, tuple[Job, Any]] = {}  # of this worker: what it has been sent, and has made of it
_turn = threading.Lock()  # the threads of a worker take turns: what they work with is one


def _sent(data: bytes, version: str) -> Job:
    """The job, in a worker. Raises HandcalcError where it is another version's."""
    from handcalc import __version__

    if version != __version__:
        raise HandcalcError(Message("a worker has handcalc {theirs}, and here is {ours}", theirs=__version__, ours=version))
    job: Job = pickle.loads(data)
    return job


def _do(key: str, job: Job, batch: Any) -> Any:
    """What a batch becomes."""
    with _turn:
        if key not in _made:
            while len(_made) >= KEPT:
                del _made[next(iter(_made))]
            _made[key] = job, job.make(*job.known)
        known, made = _made[key]
        return known.do(made, batch)
