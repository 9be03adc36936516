"""What a whole process costs: wall time, CPU time (user and system) and peak memory. Needs `os.wait4`, so no Windows."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import NamedTuple

HANDCALC = "from handcalc.__main__ import main; main()"  # what the installed script does


class Cost(NamedTuple):
    """Seconds of wall time and of CPU time, and the largest resident size in MB."""

    wall: float
    cpu: float
    peak: float


def run(code: str, *arguments: str, ends_with: int = 0) -> Cost:
    """The cost of `python -c code arguments`, with bytecode files allowed as for any user. Raises if it ends with another exit code."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH")}
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=environment
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != ends_with:
        raise subprocess.CalledProcessError(process.returncode, [code, *arguments])
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit / 1e6)


def handcalc(*arguments: str, ends_with: int = 0) -> Cost:
    """The cost of one handcalc command."""
    return run(HANDCALC, *arguments, ends_with=ends_with)
