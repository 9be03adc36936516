"""What a command says of itself while it works: how long its stages take, and, where one takes long, which it is.

- `Times` adds up the stages for --times: `times.lines()` are what is printed on standard error in the end.
- `Ticker` shows on a terminal's standard error what lasts for more than `PATIENCE` seconds, and takes it away when it ends.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from handcalc.language import Translate
from handcalc.stages import STAGES

PATIENCE = 2.0  # seconds in which nobody asks
EVERY = 0.5  # seconds between two looks
START = "start"  # what comes before all stages: Python, modules, the command line


class Times:
    """Seconds in each stage; what is in none belongs to no line but the sum."""

    def __init__(self) -> None:
        self._begun = time.perf_counter()
        self._before = time.process_time()
        self._last = self._begun
        self._open: list[str] = []
        self.seconds: dict[str, float] = {}

    def begin(self, name: str) -> None:
        """A stage begins; the one around it waits."""
        self._count()
        self._open.append(name)

    def end(self) -> None:
        """The innermost stage ends."""
        self._count()
        self._open.pop()

    def _count(self) -> None:
        now = time.perf_counter()
        if self._open:
            self.seconds[self._open[-1]] = self.seconds.get(self._open[-1], 0.0) + now - self._last
        self._last = now

    def lines(self) -> Iterator[str]:
        """A line for each stage, in the order of `STAGES`; start is what Python and the modules took before, all is the sum."""
        whole = self._before + time.perf_counter() - self._begun
        found = {START: self._before, **{name: self.seconds[name] for name in STAGES if name in self.seconds}, "all": whole}
        width = max(map(len, found))
        yield from (f"{name:{width}} {seconds:8.3f} s" for name, seconds in found.items())


class Ticker:
    """One line on a terminal that says what lasts, from a thread that sleeps otherwise."""

    def __init__(self, stream: IO[str], translate: Translate, patience: float = PATIENCE, every: float = EVERY) -> None:
        self._stream = stream
        self._translate = translate
        self._patience = patience
        self._every = every
        self._open: list[tuple[str, float]] = []
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self._thread: threading.Thread | None = None
        self._drawn = 0
        self._hidden = 0

    def begin(self, name: str) -> None:
        """A stage begins. The first one of several inside one another says how long it lasts, the last one what it is."""
        with self._lock:
            since = self._open[0][1] if self._open else time.monotonic()
            self._open.append((name, since))
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, daemon=True)
            self._thread.start()
        self._woken.set()

    def end(self) -> None:
        """The innermost stage ends; with the last one the line goes away."""
        with self._lock:
            self._open.pop()
            if not self._open:
                self._woken.clear()
                self._write("")

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Meanwhile nothing is shown, as something else is drawn there."""
        with self._lock:
            self._write("")
            self._hidden += 1
        try:
            yield
        finally:
            with self._lock:
                self._hidden -= 1

    def _watch(self) -> None:
        while True:
            self._woken.wait()
            time.sleep(self._every)
            with self._lock:
                if self._open and not self._hidden:
                    name, since = self._open[-1]
                    lasted = time.monotonic() - since
                    if lasted >= self._patience:
                        self._write(f"{self._translate(STAGES[name])} … {lasted:.0f} s")

    def _write(self, text: str) -> None:
        """The line, over the one before; wide letters take two columns."""
        if text or self._drawn:
            self._stream.write("\r" + " " * self._drawn + "\r" + text)
            self._stream.flush()
            self._drawn = 2 * len(text)
