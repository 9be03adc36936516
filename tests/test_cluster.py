"""Work in batches, whoever does it: every batch once, whatever dies; rows kept in a file; the same report from everybody.

The workers of a scheduler need `distributed`; their tests are skipped without it.
"""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from handcalc import cluster
from handcalc.cli import main
from handcalc.errors import EvaluationError, HandcalcError, Message, OutputError, ProblemError, UnknownIdError
from handcalc.loading.loader import load, loads
from handcalc.marking import classroom
from handcalc.marking.classroom import Kept, StudentRow, mark_sheets, sheets_of
from handcalc.marking.rowfile import as_line, from_line, marked_with, opened
from handcalc.processes import AHEAD, Here, Job, Processes, Submit, Team, in_batches, in_processes

NEURON = """\
title: One neuron
inputs: {x: 2}
targets: {y: 1}
layers:
  - {neurons: [y], activation: sigmoid, weights: {w: [x, y, 0.3]}, bias: {b: 0.1}}
loss: half_squared_error
learning_rate: 0.5
"""
SHEETS = {
    "anna.yaml": "name: Anna\nanswers: {new.w: 0.373567, net.y: 0.7, out.y: 0.668188, grad.w: -0.147134}\n",
    "bert.txt": "# name: Bert\nnet.y = 0.6\nout.y = 0.645656\ngrad.w = -0.162137\nnew.w = 0.381068\n",
    "carl.csv": "foo,bar\n1,2\n",
    "dora.txt": "net.y =\nout.y = ____\nloss =\n",
    "emil.txt": "net.y = 0,7 (?)\nδ_y = 0.0736\nnowhere = 3\nnet.y = 0.8\ngrad.b = what\n",
    "fay.txt": "net.y = 0.70\nout.y = 0.67\nloss = 0.11\ngrad.net.y = -0.0736\nnew.w = 0.3736\n",
    "gül 李.txt": "net.y = 2*0.3 + 0.1 = 0.8\nout.y = x*w + b\n\x1b[31m = 1\n",
    "hugo.txt": "",
}
MANY = 120  # sheets for a scheduler
ENDED = HandcalcError(Message("ended"))


@pytest.fixture
def school(tmp_path: Path) -> Path:
    """A folder with the problem beside the folder of the sheets."""
    (tmp_path / "neuron.yaml").write_text(NEURON, "utf-8")
    (tmp_path / "sheets").mkdir()
    for name, text in SHEETS.items():
        (tmp_path / "sheets" / name).write_text(text, "utf-8")
    return tmp_path


Run = Callable[..., SimpleNamespace]


@pytest.fixture
def run(school: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """`handcalc check` beside the problem: its exit code and what it prints."""
    monkeypatch.chdir(school)

    def command(*arguments: object) -> SimpleNamespace:
        with pytest.raises(SystemExit) as ended:
            main(["check", *map(str, arguments), "--lang", "en"])
        out, err = capsys.readouterr()
        return SimpleNamespace(code=ended.value.code, out=out, err=err)

    return command


def plainly(value: Any) -> Any:
    """A row as nested tuples, in which 1 is not 1.0: messages are compared by what they say."""
    if isinstance(value, Message):
        return value.template, value.where, plainly(value.values)
    if hasattr(value, "_fields") and hasattr(value, "__dict__"):
        return type(value).__name__, plainly(value.__dict__)
    if isinstance(value, dict):
        return tuple((name, plainly(one)) for name, one in value.items())
    return tuple(map(plainly, value)) if isinstance(value, (tuple, list)) else (type(value).__name__, value)


# --- batches ----------------------------------------------------------------------------------------------------------------


class Threads:
    """A team of threads, with no process to wait for: as the workers of a cluster, they get everything pickled."""

    most = 2

    def size(self) -> int:
        return 3

    @contextmanager
    def at_work(self, job: Job) -> Iterator[Submit]:
        made = job.make(*pickle.loads(pickle.dumps(job.known)))

        def do(batch: bytes) -> Any:
            time.sleep(0.002 * (hash(batch) % 5))  # in any order
            return pickle.loads(pickle.dumps(job.do(made, pickle.loads(batch))))

        with ThreadPoolExecutor(self.size()) as executor:
            yield lambda batch: executor.submit(do, pickle.dumps(batch))

    def reason(self, error: BaseException) -> HandcalcError | None:
        return HandcalcError(Message("in other words")) if isinstance(error, ZeroDivisionError) else None


def _known(*known: Any) -> tuple[Any, ...]:
    return known


def _sum(made: tuple[int, ...], batch: list[int]) -> int:
    return sum(made) + sum(batch)


def _divided(made: tuple[int, ...], batch: int) -> float:
    return 1 / batch


def _dies_once(made: tuple[str], batch: int) -> int:
    """Ends its process where nobody has been yet."""
    if batch % 3 == 0:
        try:
            os.close(os.open(f"{made[0]}/{batch}", os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return batch
        os._exit(1)
    return batch


def _dies(made: tuple[str], batch: int) -> int:
    if batch == 5:
        os._exit(1)
    return batch


TEAMS: dict[str, Callable[[], Team]] = {"here": Here, "threads": Threads, "processes": lambda: Processes(2)}


@pytest.mark.parametrize("team", TEAMS)
def test_every_batch_is_done_once(team: str) -> None:
    batches = [[number, 1] for number in range(50)]
    found = [*in_batches(Job(_sum, _known, (100, 1000)), batches, TEAMS[team](), ENDED)]
    assert sorted(found) == [(place, batch, 1100 + sum(batch)) for place, batch in enumerate(batches)]


@pytest.mark.parametrize("team", TEAMS)
def test_no_batches_are_no_work(team: str) -> None:
    assert [*in_batches(Job(_sum, _known, ()), [], TEAMS[team](), ENDED)] == []


def test_few_batches_are_under_way() -> None:
    """So what there is to do needs no room, however much it is."""
    out = 0
    team = Threads()

    def batches() -> Iterator[list[int]]:
        nonlocal out
        for number in range(200):
            out += 1
            yield [number]

    for done, _ in enumerate(in_batches(Job(_sum, _known, ()), batches(), team, ENDED)):
        assert out - done <= AHEAD * team.size() + 1


def test_a_process_that_dies_costs_nothing(tmp_path: Path) -> None:
    found = [*in_batches(Job(_dies_once, _known, (str(tmp_path),)), range(7), Processes(2), ENDED)]
    assert sorted(found) == [(number, number, number) for number in range(7)]
    assert len([*tmp_path.iterdir()]) == 3  # so many died


def test_a_batch_that_ends_every_process_ends_all() -> None:
    with pytest.raises(HandcalcError, match="ended"):
        [*in_batches(Job(_dies, _known, ("",)), range(8), Processes(2), ENDED)]


@pytest.mark.parametrize("team", TEAMS)
def test_an_error_of_a_batch_is_raised(team: str) -> None:
    expected = HandcalcError if team == "threads" else ZeroDivisionError
    with pytest.raises(expected):
        [*in_batches(Job(_divided, _known, ()), [1, 2, 0, 3], TEAMS[team](), ENDED)]


@pytest.mark.parametrize("count", [1, 2])
def test_values_keep_their_order(count: int) -> None:
    assert [*in_processes(abs, range(-40, 0), count, ENDED, most=4)] == [*range(40, 0, -1)]


@pytest.mark.parametrize("kind", [HandcalcError, ProblemError, EvaluationError, UnknownIdError, OutputError])
def test_errors_can_be_sent(kind: type[HandcalcError]) -> None:
    error = pickle.loads(pickle.dumps(kind(Message("{a} and", a=1), Message("b"))))
    assert type(error) is kind and [*map(str, error.messages)] == ["1 and", "b"]


# --- the same report ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("team", TEAMS)
def test_rows_are_the_same_from_everybody(school: Path, team: str) -> None:
    problem, paths = loads(NEURON), sheets_of([str(school / "sheets")])
    assert plainly(mark_sheets(problem, paths, team=TEAMS[team]())) == plainly(mark_sheets(problem, paths))


def test_a_sheet_that_is_not_there_is_a_row(school: Path) -> None:
    (row,) = mark_sheets(loads(NEURON), [str(school / "nobody.txt")], team=Threads())
    assert row.marking is None and "there is no such file" in str(row.trouble[0])


def test_answers_that_many_have_are_kept_once(school: Path) -> None:
    for name in ("ina", "jan"):
        (school / "sheets" / f"{name}.txt").write_text("net.y = 0.7\nout.y = 0.668188\n", "utf-8")
    found = {row.name: row for row in mark_sheets(loads(NEURON), sheets_of([str(school / "sheets")]), team=Threads())}
    ina, jan = found["ina"].marking, found["jan"].marking
    assert ina is not None and jan is not None and [*map(id, ina.answers)] == [*map(id, jan.answers)]


# --- rows in a file -----------------------------------------------------------------------------------------------------------


def test_a_row_comes_back_as_it_was(school: Path) -> None:
    for row in mark_sheets(loads(NEURON), sheets_of([str(school / "sheets")])):
        assert plainly(from_line(json.loads(json.dumps(as_line(row))))) == plainly(row)


@pytest.mark.parametrize("form", ["json", "plain"])
def test_an_interrupted_run_goes_on(school: Path, run: Run, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    """The same report, byte for byte, and nothing is marked twice: not even where the last line was being written."""
    arguments = ("neuron.yaml", "sheets", "--format", form, "--jobs", 1)
    once = run(*arguments)
    rows = school / "rows.jsonl"
    assert run(*arguments, "--results", rows).out == once.out
    lines = rows.read_bytes().splitlines(keepends=True)
    assert len(lines) == 1 + len(SHEETS)
    marked = counted(monkeypatch)
    for left in (lines, [*lines[:4], lines[4][:30]], [*lines[:2], b"\xff\n", *lines[3:]], []):
        rows.write_bytes(b"".join(left))
        marked.clear()
        assert run(*arguments, "--results", rows).out == once.out
        assert len(marked) == len(SHEETS) - len([line for line in left[1:] if line in lines])
        assert sorted({*rows.read_bytes().splitlines(keepends=True)} & {*lines}) == sorted(lines)


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of the sheets that are marked from now on."""
    paths: list[str] = []
    mark = classroom.mark_read

    def noted(checker: Any, path: str, *others: Any) -> StudentRow:
        paths.append(path)
        return mark(checker, path, *others)

    monkeypatch.setattr(classroom, "mark_read", noted)
    return paths


def test_a_sheet_that_has_changed_is_marked_again(school: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ("neuron.yaml", "sheets", "--format", "json", "--jobs", 1, "--results", "rows.jsonl")
    run(*arguments)
    (school / "sheets" / "bert.txt").write_text("# name: Bert\nnet.y = 0.7\n", "utf-8")
    marked = counted(monkeypatch)
    found = json.loads(run(*arguments).out)
    assert [*map(os.path.basename, marked)] == ["bert.txt"]
    assert [sheet["score"] for sheet in found["sheets"] if sheet["name"] == "Bert"] == [1.0]


def test_a_row_that_was_changed_does_not_count(school: Path, run: Run) -> None:
    arguments = ("neuron.yaml", "sheets", "--format", "json", "--jobs", 1, "--results", "rows.jsonl")
    once = run(*arguments).out
    text = (school / "rows.jsonl").read_text("utf-8")
    assert '"marks":0.0' in text
    (school / "rows.jsonl").write_text(text.replace('"marks":0.0', '"marks":9.0'), "utf-8")
    assert run(*arguments).out == once


ROW = {"name": "a", "path": "b", "called": "c"}
SHEET = ROW | {"as": "d", "rounding": None}
HOSTILE_ROWS: list[Any] = [
    None, 3, [], {}, {"name": 1}, ROW, ROW | {"trouble": 3}, ROW | {"trouble": [{}]},
    SHEET | {"rounding": {"x": 1}, "answers": []},
    SHEET | {"answers": [{"id": "x", "given": "1", "verdict": "splendid"}]},
    SHEET | {"answers": [{"id": "x", "given": "1", "verdict": "mistake", "mistakes": ["no"]}]},
    ROW | {"trouble": [{"text": "{x.__class__}", "where": "", "values": {"x": 1}}]},
    ROW | {"trouble": [{"text": "{x:>99999999999}", "where": "", "values": {"x": 1}}]},
    ROW | {"trouble": [{"text": "{y}", "where": "", "values": {"x": 1}}]},
]  # fmt: skip


@pytest.mark.parametrize("row", HOSTILE_ROWS, ids=range(len(HOSTILE_ROWS)))
def test_what_is_no_row_is_none(row: Any) -> None:
    assert from_line(row) is None


def test_other_rows_are_refused(school: Path, run: Run) -> None:
    run("neuron.yaml", "sheets", "--results", "rows.jsonl")
    (school / "other.yaml").write_text(NEURON.replace("0.3]", "0.4]"), "utf-8")
    before = (school / "rows.jsonl").read_bytes()
    others: list[tuple[str, ...]] = [("other.yaml",), ("neuron.yaml", "--notation", "zhou"), ("neuron.yaml", "--decimals", "3")]
    for arguments in (*others, ("neuron.yaml", "--anonymous")):
        ended = run(arguments[0], "sheets", *arguments[1:], "--results", "rows.jsonl")
        assert ended.code == 2 and "this file has not the rows of these sheets" in ended.err
    for file in ("sheets/anna.yaml", "neuron.yaml"):
        assert run("neuron.yaml", "sheets", "--results", file).code == 2
    assert run("neuron.yaml", "sheets", "--results", "rows.jsonl", "-o", "rows.jsonl", "--force").code == 2
    assert (school / "rows.jsonl").read_bytes() == before and (school / "sheets" / "anna.yaml").read_text("utf-8") == SHEETS["anna.yaml"]


def test_the_same_problem_by_another_path_goes_on(school: Path) -> None:
    copy = school / "copy.yaml"
    copy.write_text(NEURON, "utf-8")
    assert marked_with(load(copy), "", None, False) == marked_with(load(school / "neuron.yaml"), "", None, False)


def test_files_for_students_go_on_too(school: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row counts only with its file, and a file that an earlier run has written stands in nobody's way."""
    arguments = ("neuron.yaml", "sheets", "--format", "markdown", "--jobs", 1, "--feedback", "back", "--results", "rows.jsonl")
    once = run(*arguments)
    files = {path.name: path.read_bytes() for path in (school / "back").iterdir()}
    (school / "back" / "bert.md").unlink()
    marked = counted(monkeypatch)
    again = run(*arguments)
    assert again.out == once.out and [*map(os.path.basename, marked)] == ["bert.txt", "carl.csv", "hugo.txt"]  # two have no file
    assert {path.name: path.read_bytes() for path in (school / "back").iterdir()} == files
    ended = run(*arguments[:-2])  # somebody else's files are still not overwritten
    assert ended.code == 2 and "the file exists" in ended.err


def test_rows_are_written_as_they_come(school: Path) -> None:
    """So what is done when it ends is not lost."""
    path, problem = str(school / "rows.jsonl"), loads(NEURON)
    sizes = []

    class Watching:
        def __init__(self, rows: Kept) -> None:
            self.rows = rows

        def known(self, path: str, data: bytes) -> StudentRow | None:
            return self.rows.known(path, data)

        def keep(self, sheet: str, data: bytes, row: StudentRow) -> None:
            self.rows.keep(sheet, data, row)
            sizes.append(os.path.getsize(path))

    with opened(path, marked_with(problem, "", None, False)) as rows:
        mark_sheets(problem, sheets_of([str(school / "sheets")]), kept=Watching(rows))
    assert len({*sizes}) == len(SHEETS) == len(sizes)


# --- the options --------------------------------------------------------------------------------------------------------------


def test_without_the_library_it_is_named(school: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    ended = run(school / "neuron.yaml", school / "sheets", "--scheduler", "tcp://127.0.0.1:9")
    assert ended.code == 2 and "pip install 'handcalc[cluster]'" in ended.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--answer", "net.y=1", "--results", "r.jsonl"), "go with sheets of answers"),
        (("sheets", "--jobs", "2", "--scheduler", "tcp://127.0.0.1:9"), "give --jobs or --scheduler, not both"),
        (("--from", "r.csv", "--scheduler", "tcp://127.0.0.1:9"), "--from goes without"),
        (("sheets", "--format", "gradescope"), "is about one sheet"),
    ],
)
def test_what_goes_together(run: Run, arguments: tuple[str, ...], said: str) -> None:
    ended = run("neuron.yaml", *arguments)
    assert ended.code == 2 and said in ended.err


def test_one_sheet_is_a_class_where_rows_are_wanted(run: Run) -> None:
    assert "Sheets: 1; marked: 1" in run("neuron.yaml", "sheets/anna.yaml", "--results", "rows.jsonl").out


class KilledWorker(Exception):
    """As the library calls it."""


class FutureCancelledError(Exception):
    """As the library calls it."""


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (KilledWorker(), "several workers ended"),
        (FutureCancelledError(), "the scheduler has ended"),
        (ModuleNotFoundError("no", name="handcalc"), "a worker has no handcalc"),
        (ZeroDivisionError(), ""),
    ],
)
def test_errors_of_a_cluster_are_words(error: Exception, said: str) -> None:
    found = cluster.Workers(None, "tcp://there: ").reason(error)
    assert (said in str(found) and str(found).startswith("tcp://there: ")) if said else found is None


def test_a_worker_has_the_same_version() -> None:
    data = pickle.dumps(Job(_sum, _known, (1,)))
    with pytest.raises(HandcalcError, match="a worker has handcalc"):
        cluster._sent(data, "0.0.1")


def test_a_worker_makes_what_it_needs_once() -> None:
    made = []

    def make(*known: int) -> tuple[int, ...]:
        made.append(known)
        return known

    for key in ("a", "a", "b", "a", "b", "c", "c"):
        assert cluster._do(f"test-{key}", Job(_sum, make, (1,)), [2]) == 3
    assert len(made) == 3 and len(cluster._made) <= cluster.KEPT
    cluster._made.clear()


# --- Gradescope ---------------------------------------------------------------------------------------------------------------


def test_results_for_gradescope(school: Path, run: Run) -> None:
    ended = run("neuron.yaml", "sheets/bert.txt", "--format", "gradescope", "-o", "results.json")
    found = json.loads((school / "results.json").read_text("utf-8"))
    assert ended.code == 1 and found["score"] == sum(test["score"] for test in found["tests"]) == 3
    assert found["output"] == "3 of 4 marks" and [test["status"] for test in found["tests"]] == ["failed", "passed", "passed", "passed"]
    assert found["tests"][0] == {
        "name": "net.y", "name_format": "text", "number": "1", "score": 0.0, "max_score": 1.0, "status": "failed",
        "output": "0.6\nwrong\nThe bias is forgotten", "output_format": "text",
        "extra_data": {"verdict": "mistake", "mistakes": ["bias-forgotten"]},
    }  # fmt: skip


def test_a_sheet_for_gradescope_that_cannot_be_read(run: Run) -> None:
    ended = run("neuron.yaml", "sheets/hugo.txt", "--format", "gradescope")
    found = json.loads(ended.out)
    assert ended.code == 1 and found["score"] == 0 and "there is no answer in it" in found["output"]
    assert run("neuron.yaml", "sheets/anna.yaml", "--format", "gradescope").code == 0
    assert "\x1b" not in run("neuron.yaml", "sheets/gül 李.txt", "--format", "gradescope").out


# --- a scheduler --------------------------------------------------------------------------------------------------------------

SCHEDULER = """
import sys
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        print(cluster.scheduler_address, *(worker.pid for worker in cluster.workers.values()), flush=True)
        sys.stdin.read()
"""


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[int]]]:
    """A scheduler with two workers on this machine: its address, and their processes."""
    pytest.importorskip("distributed", reason="distributed is not installed")
    script = tmp_path_factory.mktemp("cluster") / "scheduler.py"
    script.write_text(SCHEDULER, "utf-8")
    process = subprocess.Popen([sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment())
    assert process.stdin is not None and process.stdout is not None
    address, *workers = process.stdout.readline().split()
    yield address, [*map(int, workers)]
    process.communicate(timeout=30)


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def started(folder: Path, *arguments: object) -> subprocess.Popen[str]:
    """The command in a process of its own."""
    command = [sys.executable, "-m", "handcalc", "check", "neuron.yaml", "many", "--format", "json", *map(str, arguments)]
    return subprocess.Popen(command, cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_rows(path: Path, count: int, process: subprocess.Popen[str]) -> None:
    """Until so many rows are there."""
    while process.poll() is None and (not path.exists() or path.read_bytes().count(b"\n") < count):
        time.sleep(0.005)


@pytest.mark.slow
def test_workers_of_a_scheduler(school: Path, scheduler: tuple[str, list[int]]) -> None:
    """The same report, byte for byte: from workers, with one of them killed half-way, and interrupted and gone on with."""
    address, workers = scheduler
    (school / "many").mkdir()
    texts = [*SHEETS.items()]
    for number in range(MANY):
        name, text = texts[number % len(texts)]
        (school / "many" / f"{number:03d}-{name}").write_text(text.replace("0.6", f"0.{number:03d}1"), "utf-8")
    alone, _ = started(school, "--jobs", 1).communicate()
    assert len(json.loads(alone)["sheets"]) == MANY

    rows = school / "rows.jsonl"
    killed = started(school, "--scheduler", address, "--results", rows)
    wait_for_rows(rows, 25, killed)
    os.kill(workers[0], signal.SIGKILL)
    assert killed.communicate()[0] == alone and killed.returncode == 1

    rows.unlink()
    interrupted = started(school, "--scheduler", address, "--results", rows)
    wait_for_rows(rows, 25, interrupted)
    interrupted.send_signal(signal.SIGINT)
    out, _ = interrupted.communicate()
    done = rows.read_bytes().count(b"\n") - 1
    assert interrupted.returncode == 130 and out == "" and 25 <= done < MANY
    on = started(school, "--scheduler", address, "--results", rows)
    assert on.communicate()[0] == alone
    assert rows.read_bytes().count(b"\n") == MANY + 1
