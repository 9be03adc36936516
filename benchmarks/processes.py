"""What a whole process costs: wall time, CPU time (user and system) and peak memory. Needs `os.wait4`, so no Windows.

A process counts as its own peak what the process had that started it. So it is started by a small one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import NamedTuple

HANDCALC = "from handcalc.__main__ import main; main()"  # what the installed script does
STARTER = """
import os, sys, time
started = time.perf_counter()
process = os.posix_spawn(sys.executable, [sys.executable, "-c", *sys.argv[1:]], os.environ, file_actions=[
    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
_, status, usage = os.wait4(process, 0)
print([time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, os.waitstatus_to_exitcode(status)])
"""


class Cost(NamedTuple):
    """Seconds of wall time and of CPU time, and the largest resident size in MB."""

    wall: float
    cpu: float
    peak: float


def run(code: str, *arguments: str, ends_with: int = 0) -> Cost:
    """The cost of `python -c code arguments`, with bytecode files allowed as for any user. Raises if it ends with another exit code."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH")}
    command = [sys.executable, "-S", "-c", STARTER, code, *arguments]
    wall, cpu, peak, ended = json.loads(subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True).stdout)
    if ended != ends_with:
        raise subprocess.CalledProcessError(ended, [code, *arguments])
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes
    return Cost(wall, cpu, peak * unit / 1e6)


def handcalc(*arguments: str, ends_with: int = 0) -> Cost:
    """The cost of one handcalc command."""
    return run(HANDCALC, *arguments, ends_with=ends_with)
