"""What every command prints, as a list of SHA-256: made before a change of structure and after it, to show that nothing else changed.

    python .ci/manifest.py write FILE [--share 0.1] [--only PROBLEM …]     one line a run: its hash, and the command
    python .ci/manifest.py compare OLD NEW                                 the runs that differ; 1 if one of them is not intended

Runs: `solve` (details × forms × notations × json, plain, latex), `export` (formats × views), `check` of the key and of each mistake
made at all places, `audit` of the key, `train --iterations 20 --save`, `gradcheck`, of every shipped problem. Texts are hashed without
the program's version. --share keeps a fixed part of the runs of each problem.

`.ci/manifest-intended.txt` lists differences that are wanted: a pattern of runs (as in fnmatch) and, after `#`, the reason.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from fnmatch import fnmatchcase
from multiprocessing import Pool
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INTENDED = ROOT / ".ci" / "manifest-intended.txt"
DETAILS, FORMS, PRINTED = ("brief", "normal", "full"), ("scalar", "matrix", "both"), ("json", "plain", "latex")
VIEWS = ("key", "worksheet", "formulas", "cloze")
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]


def output(arguments: list[str]) -> bytes:
    """Standard output, messages and exit code of a command, in this process."""
    from click.testing import CliRunner

    import handcalc
    from handcalc.cli import group
    from handcalc.errors import HandcalcError

    handcalc.__version__ = "0"
    try:
        done = CliRunner().invoke(group, arguments, standalone_mode=False)
        if isinstance(done.exception, HandcalcError):
            said = "\n".join(message.text(str) for message in done.exception.messages).encode()
        else:
            said = type(done.exception).__name__.encode() if done.exception else b""
        return done.stdout_bytes + b"\0" + said + b"\0" + str(done.return_value).encode()
    finally:
        os.environ.pop("HANDCALC_DEBUG", None)


def runs(problem: str) -> Iterator[tuple[str, ...]]:
    """The commands for one problem."""
    from handcalc.render.notation import profiles
    from handcalc.render.report import FORMATS

    for notation in profiles():
        for detail in DETAILS:
            for form in FORMS:
                for printed in PRINTED:
                    yield "solve", problem, "--detail", detail, "--form", form, "--notation", notation, "--format", printed
    for format in FORMATS:
        for view in VIEWS:
            yield "export", problem, "--format", format, "--view", view
    yield "solve", problem, "--lang", "zh", "--iterations", "2", "--carry", "--decimals", "4"
    for printed in ("json", "plain"):
        yield "check", problem, "KEY", "--format", printed
        yield "audit", problem, "KEY", "--format", printed
        yield "gradcheck", problem, "--format", printed
        yield "train", problem, "--iterations", "20", "--format", printed, "--save", "FILE"
    yield "check", problem, "--blank"
    yield "mistakes", problem


def hashed(problem: str, run: tuple[str, ...], folder: Path) -> str:
    """The hash of what a command prints and writes."""
    if run[0] == "mistakes":
        return hashlib.sha256(json.dumps(list(marked(problem))).encode()).hexdigest()
    arguments, written = list(run), b""
    for file in folder.iterdir():
        if file.name != "key.yaml":
            file.unlink()
    if "KEY" in arguments:
        arguments[arguments.index("KEY")] = str(key(problem, folder))
    if "FILE" in arguments:
        arguments[arguments.index("FILE")] = str(folder / "saved.yaml")
    if run[0] == "export":
        at = arguments.index("--format")
        arguments = [*arguments[:at], *arguments[at + 2 :], "-o", str(folder / "out"), "--format", arguments[at + 1]]
    printed = output(arguments)
    for file in sorted(folder.iterdir()):
        if file.is_file() and file.name != "key.yaml":
            written += file.name.encode() + b"\0" + file.read_bytes()
    return hashlib.sha256(printed.replace(str(folder).encode(), b"").replace(str(ROOT).encode(), b"") + written).hexdigest()


def key(problem: str, folder: Path) -> Path:
    """The answers that `solve` prints, as a sheet."""
    path = folder / "key.yaml"
    if not path.exists():
        steps = json.loads(output(["solve", problem, "--format", "json"]).split(b"\0")[0])["steps"]
        answers = {step["id"]: step["shown"] for step in steps if step["phase"] != "given"}
        path.write_text(json.dumps({"answers": answers}, ensure_ascii=False), encoding="utf-8")
    return path


def marked(problem: str) -> Iterator[list[list[str]]]:
    """What is said of sheets with each mistake of the catalogue, made at all places."""
    from shipping import loaded
    from students import Exercise, asked, told

    from handcalc.errors import HandcalcError

    try:
        own = Exercise(loaded(problem))
        if not asked(own.book):
            return
        for row, answers in own.with_mistakes(own.mistakes("all")):
            yield [[str(row.slugs)], *([one.id, one.given, one.expected, told(one)] for one in own.mark(answers).answers)]
    except HandcalcError as error:
        yield [[str(error)]]


def lines(task: tuple[str, float]) -> list[str]:
    """The lines of one problem."""
    problem, share = task
    with tempfile.TemporaryDirectory() as folder:
        chosen = []
        for run in runs(problem):
            drawn = int(hashlib.sha256(" ".join(run).encode()).hexdigest()[:8], 16) / 2**32
            if drawn < share or (share < 1 and run[0] not in ("solve", "export")):
                chosen.append(f"{hashed(problem, run, Path(folder))}  {' '.join(run)}\n")
        return chosen


def write(target: str, share: float, only: list[str]) -> int:
    """Make a manifest."""
    from handcalc.loading.loader import shipped

    problems = only or sorted(shipped())
    with Pool(2) as pool, open(target, "w", encoding="utf-8") as file:
        for found in pool.imap(lines, [(problem, share) for problem in problems]):
            file.writelines(found)
            file.flush()
    return 0


def compare(old: str, new: str) -> int:
    """Print the runs that differ."""
    before, after = (
        dict(reversed(line.split("  ", 1)) for line in Path(path).read_text(encoding="utf-8").splitlines()) for path in (old, new)
    )
    intended = [line.partition("#")[0].strip() for line in INTENDED.read_text(encoding="utf-8").splitlines()] if INTENDED.exists() else []
    common = [run for run in after if run in before]
    differ = [run for run in common if before[run] != after[run]]
    unwanted = [run for run in differ if not any(pattern and fnmatchcase(run, pattern) for pattern in intended)]
    print(f"{len(common)} runs compared, {len(differ)} differ, {len(unwanted)} of them not intended")
    for run in unwanted[:200]:
        print("  handcalc", run)
    return 1 if unwanted or not common else 0


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    writing = commands.add_parser("write")
    writing.add_argument("file")
    writing.add_argument("--share", type=float, default=1.0)
    writing.add_argument("--only", nargs="*", default=[])
    comparing = commands.add_parser("compare")
    comparing.add_argument("old")
    comparing.add_argument("new")
    wanted = parser.parse_args()
    return write(wanted.file, wanted.share, wanted.only) if wanted.command == "write" else compare(wanted.old, wanted.new)


if __name__ == "__main__":
    sys.exit(main())
