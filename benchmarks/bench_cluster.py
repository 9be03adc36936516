"""A class on the workers of a scheduler, against as many processes (targets: a ratio; the same report, byte for byte).

20,000 sheets with `--share 1`. The scheduler and its two workers are a LocalCluster of this machine; CPU time is that of everybody
together, the memory is that of the process with the scheduler. Needs `distributed`.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import pytest
from targets import at_most

psutil = pytest.importorskip("psutil")
pytest.importorskip("distributed", reason="distributed is not installed")

import handcalc  # noqa: E402

COLUMNS = ("sheets", "wall", "CPU", "ratio", "target")
SHEETS = 20_000
MANY = 1000  # of which one turn is enough
PROBLEM = "mazur-2-2-2"
ASKED = ("net.h1", "net.h2", "out.h1", "out.h2", "net.o1", "net.o2", "out.o1", "out.o2", "loss", "grad.net.o1", "grad.net.o2",
         "grad.w5", "grad.w6", "grad.w7", "grad.w8", "grad.w1", "new.w5", "new.w6", "new.w7", "new.w8")  # fmt: skip
SCHEDULER = """
import sys
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        print(cluster.scheduler_address, *(worker.pid for worker in cluster.workers.values()), flush=True)
        sys.stdin.read()
"""
Figures = Callable[..., None]


class School(NamedTuple):
    """A folder with sheets, and a scheduler: its address, its process, its workers' processes."""

    folder: Path
    count: int
    address: str
    scheduler: int
    workers: tuple[int, ...]

    def everybody(self) -> list[Any]:
        """The processes of the cluster."""
        own = psutil.Process(self.scheduler)
        return [own, *own.children(recursive=True)]


@pytest.fixture(scope="module")
def school(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    tiny = request.config.getoption("--tiny")
    folder = tmp_path_factory.mktemp("school")
    count = 10 if tiny else int(SHEETS * float(request.config.getoption("--share")))
    write(folder / "sheets", count, random.Random(request.config.getoption("--seed")))
    script = folder / "scheduler.py"
    script.write_text(SCHEDULER, "utf-8")
    process = subprocess.Popen([sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment())
    assert process.stdout is not None
    address, *workers = process.stdout.readline().split()
    yield School(folder, count, address, process.pid, tuple(map(int, workers)))
    process.communicate()


def write(folder: Path, count: int, chooser: random.Random) -> None:
    """Sheets of twenty answers: some right, some with one or two wrong numbers, in three, four or five digits."""
    solution = handcalc.derive(handcalc.load(PROBLEM))
    right = {name: float(solution.value(name)) for name in ASKED}
    folder.mkdir()
    for number in range(count):
        digits, wrong = chooser.choice((3, 4, 5)), chooser.sample(ASKED, chooser.choice((0, 0, 1, 1, 2)))
        values = {name: value * (chooser.choice((-1, 2, 0.5, 1.1)) if name in wrong else 1) for name, value in right.items()}
        lines = [f"# name: Student {number}", *(f"{name} = {value:.{digits}g}" for name, value in values.items())]
        (folder / f"{number:06d}.txt").write_text("\n".join(lines) + "\n", "utf-8")


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def started(school: School, output: str, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "handcalc", "check", PROBLEM, "sheets", "--format", "json", "-o", output, "--force", *arguments]
    return subprocess.Popen(command, cwd=school.folder, env=environment(), stderr=subprocess.DEVNULL)


def spent(school: School) -> float:
    """CPU seconds of the cluster, of all its processes so far."""
    return sum(sum(process.cpu_times()[:2]) for process in school.everybody())


def cost(school: School, output: str, *arguments: str) -> tuple[float, float]:
    """Wall time and CPU time of a run, with what the cluster has spent on it."""
    before, start = spent(school), time.perf_counter()
    _, status, usage = os.wait4(started(school, output, *arguments).pid, 0)
    wall = time.perf_counter() - start
    assert os.waitstatus_to_exitcode(status) == 1, "there are wrong answers"
    return wall, usage.ru_utime + usage.ru_stime + spent(school) - before


def bench_a_cluster(school: School, few: Callable[[int], int], figures: Figures) -> None:
    """The two take turns; of very many sheets, once."""
    runs = range(few(3 if school.count < MANY else 1))
    turns = [(cost(school, "jobs.json", "--jobs", "2"), cost(school, "cluster.json", "--scheduler", school.address)) for _ in runs]
    for name, place in (("--jobs 2", 0), ("two workers of a scheduler", 1)):
        wall, cpu = (median(turn[place][kind] for turn in turns) for kind in (0, 1))
        figures(name, f"{school.count}", f"{wall:.1f} s", f"{cpu:.1f} s")
    for name, kind in (("  wall", 0), ("  CPU", 1)):
        ratio = median(turn[1][kind] / turn[0][kind] for turn in turns)
        figures(name, "", "", "", f"{ratio:.2f}", at_most(ratio, 1.3))
    figures("  the same report", "", "", "", same(school, "cluster.json"))


def same(school: School, output: str) -> str:
    """Whether a report is that of two processes, byte for byte."""
    whole = (school.folder / "jobs.json").read_bytes()
    assert len(json.loads(whole)["sheets"]) == school.count
    return "yes" if (school.folder / output).read_bytes() == whole else "NO !"


def bench_a_worker_that_dies(school: School, figures: Figures) -> None:
    """Killed half-way. The memory of the scheduler is looked at on the way."""
    rows = school.folder / "killed.jsonl"
    process = started(school, "killed.json", "--scheduler", school.address, "--results", rows.name)
    sizes = []
    for part in (0.25, 0.5, 0.75):
        wait_for_rows(rows, int(school.count * part), process)
        sizes.append(psutil.Process(school.scheduler).memory_info().rss / 1e6)
        if part == 0.5:
            os.kill(school.workers[0], signal.SIGKILL)
    process.wait()
    figures("a worker killed half-way", f"{school.count}", "", "", same(school, "killed.json"))
    figures("  the scheduler at ¼, ½, ¾", "", *(f"{size:.0f} MB" for size in sizes))


def bench_a_run_that_is_interrupted(school: School, figures: Figures) -> None:
    """Ctrl-C half-way, and the same command again."""
    rows = school.folder / "interrupted.jsonl"
    process = started(school, "interrupted.json", "--scheduler", school.address, "--results", rows.name)
    wait_for_rows(rows, school.count // 2, process)
    process.send_signal(signal.SIGINT)
    process.wait()
    done = rows.read_bytes().count(b"\n") - 1
    wall, cpu = cost(school, "interrupted.json", "--scheduler", school.address, "--results", rows.name)
    figures("interrupted, and gone on with", f"{school.count - done}", f"{wall:.1f} s", f"{cpu:.1f} s", same(school, "interrupted.json"))
    figures("  bytes of rows, a sheet", f"{rows.stat().st_size // school.count}")
    wall, cpu = cost(school, "interrupted.json", "--scheduler", school.address, "--results", rows.name)
    figures("  all known: the report alone", "", f"{wall:.1f} s", f"{cpu:.1f} s")


def wait_for_rows(path: Path, count: int, process: subprocess.Popen[bytes]) -> None:
    """Until so many rows are there."""
    while process.poll() is None and (not path.exists() or path.read_bytes().count(b"\n") < count):
        time.sleep(0.2)
