"""The fourteen acceptance checks of exercises: `python benchmarks/acceptance.py`, from a checkout with the extra dev.

A line for each: what it measures, how many cases of its tests pass, and the CPU time of that. The first also makes thirty variants of
every shipped problem with a loss, marks every key, and makes some of them again in another folder, with another locale and other hashes;
the one about time runs bench_exercises.py. `--tiny` takes the quick cases, and one problem: to see that it runs.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
VARIANTS, AGAIN = 30, 6  # of each problem, and those that are made once more
ELSEWHERE = {"PYTHONHASHSEED": "1", "LC_ALL": "de_DE"}
TINY = ("mazur-2-2-2",)


class Check(NamedTuple):
    """What must hold, and the tests that say so: file of tests/ → words of their names, of which one must fit."""

    title: str
    tests: dict[str, Sequence[str]]


CHECKS = (
    Check("variants differ, solve, mark themselves right", {"generate": ("every_problem", "same_bytes_everywhere", "late_student")}),
    Check("keep, a new student, --verify", {"generate": ("keeping_a_number", "late_student", "verify")}),
    Check("the rules of nice", {"generate": ("rules_of_nice",), "conditions": ("breaks_one_rule", "switched_off", "other_numbers_show")}),
    Check("lint agrees with a run of every mistake", {"lint": ("example_of_the_contract", "run_of_every_mistake", "further_steps")}),
    Check("what is shown is named", {"lint": ("shown_is_named",)}),
    Check("Moodle XML", {"quiz": ("full_marks", "every_slip_is_told", "hostile"), "quiz_clients": ("php",)}),
    Check("GIFT", {"quiz": ("full_marks", "every_slip_is_told"), "quiz_clients": ("gift",)}),
    Check("Canvas", {"quiz": ("full_marks", "every_slip_is_told", "canvas"), "quiz_clients": ("text2qti",)}),
    Check("QTI 2.1 and 3.0", {"quiz": ("full_marks", "every_slip_is_told"), "quiz_clients": ("converter", "player")}),
    Check("results back", {"results_back": ("",)}),
    Check("gradebooks", {"gradebook": ("",)}),
    Check("practice", {"practice": ("",)}),
    Check("time", {}),
    Check("mutations are noticed", {"teacher_mutations": ("",), "quiz": ("drops_the_tolerance",)}),
)  # fmt: skip
FIRST, TIME = 1, 13  # the numbers of the checks with measurements of their own


def spent() -> float:
    """CPU seconds of all processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def tested(check: Check, tiny: bool) -> tuple[dict[str, int], str]:
    """How many cases of the tests passed, failed, were skipped; and the first that failed."""
    counts: dict[str, int] = {}
    failed = ""
    for file, words in check.tests.items():
        chosen = ["-k", " or ".join(words)] if any(words) else []
        which = "not slow" if tiny else "slow or not slow"
        options = ["-o", "addopts=", "-q", "-n0", "-p", "no:cacheprovider", "-m", which, *chosen]
        command = [sys.executable, "-m", "pytest", f"tests/test_{file}.py", *options]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        for count, word in re.findall(r"(\d+) (passed|failed|errors?|skipped)", done.stdout.splitlines()[-1] if done.stdout else ""):
            counts[word] = counts.get(word, 0) + int(count)
        failed = failed or next((line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))), "")
    return counts, failed


def handcalc(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command of this checkout, in a folder."""
    known = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run([sys.executable, "-m", "handcalc", *arguments], cwd=folder, env=known, capture_output=True, text=True)


def files(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, by its path in it."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def varied(name: str, folder: Path) -> str:
    """What is wrong with the variants of a problem; nothing where all is as it must be."""
    for place in ("one", "other"):
        (folder / place).mkdir()
    options = ("--seed", "a", "-o", "set", "--sheet", "txt", "--key", "txt")
    done = handcalc(folder / "one", "generate", name, "-n", str(VARIANTS), *options)
    again = handcalc(folder / "other", "generate", name, "-n", str(AGAIN), *options, **ELSEWHERE)
    if done.returncode or again.returncode:
        return (done.stderr or again.stderr)[-200:]
    made, other = files(folder / "one" / "set"), files(folder / "other" / "set")
    if any(made.get(path) != content for path, content in other.items() if path != "manifest.json"):
        return "other bytes elsewhere"
    manifest: dict[str, Any] = json.loads(made["manifest.json"])
    if len({made[variant["problem"]] for variant in manifest["variants"]}) < VARIANTS:
        return "two variants are the same"
    with (folder / "answers.csv").open("w", newline="", encoding="utf-8") as table:
        rows = csv.writer(table)
        rows.writerow(["student", "variant", *manifest["asked"]])
        for number, variant in enumerate(manifest["variants"]):
            rows.writerow([f"s{number}", variant["code"], *(variant["answers"][name]["shown"] for name in manifest["asked"])])
    marked = handcalc(folder, "check", "one/set", "--from", "answers.csv")
    return "a key is not all right" if marked.returncode else ""


def with_a_loss() -> list[str]:
    """The shipped problems in which something is learnt."""
    sys.path.insert(0, str(ROOT))
    from handcalc import load
    from handcalc.loading.loader import shipped

    return [name for name in shipped() if (problem := load(name)).loss or problem.minimize]


def all_varied(names: Sequence[str]) -> str:
    """Of how many problems the variants are as they must be; the others are named."""
    wrong = []
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            if found := varied(name, Path(folder)):
                wrong.append(f"{name}: {found}")
    return f"{len(names) - len(wrong)} of {len(names)} problems, {VARIANTS} variants each" + "".join(f"\n      {line}" for line in wrong)


def timed(tiny: bool) -> str:
    """The table of bench_exercises.py."""
    options = ["--tiny"] if tiny else []
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "benchmarks/bench_exercises.py", *options], cwd=ROOT, capture_output=True, text=True
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("  ")]
    return "".join(f"\n    {line}" for line in lines) or f"\n      {done.stdout[-200:]}"


def line_of(number: int, tiny: bool, problems: Sequence[str]) -> str:
    """The line of a check, and what else there is to say."""
    check, before = CHECKS[number - 1], spent()
    counts, failed = tested(check, tiny)
    said = ", ".join(f"{count} {word}" for word, count in counts.items())
    extra = ""
    if number == FIRST:
        extra = "\n    " + all_varied(TINY if tiny else problems or with_a_loss())
    elif number == TIME:
        extra = timed(tiny)
    return f"{number:>2}  {check.title:<48} {said:<28} {spent() - before:>7.1f} s" + (f"\n      {failed}" if failed else "") + extra


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("number", nargs="*", type=int, help="only these; all without")
    parser.add_argument("--problem", action="append", default=[], metavar="NAME", help="variants of this one only; may be repeated")
    parser.add_argument("--tiny", action="store_true", help="the quick cases, and one problem")
    asked = parser.parse_args()
    if not {*asked.number} <= {*range(1, len(CHECKS) + 1)}:
        parser.error(f"there are checks 1 to {len(CHECKS)}")
    for number in asked.number or range(1, len(CHECKS) + 1):
        sys.stdout.write(line_of(number, asked.tiny, asked.problem) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
