"""Reports: 50 problems in every format, in one process. Prints seconds and the target for two cores."""

from __future__ import annotations

import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

from measure import row, title

from handcalc import derive, load
from handcalc.problem.loader import shipped
from handcalc.render.report import FORMATS, Style, export

PROBLEMS = 50
TARGET = 60  # seconds


def main() -> None:
    names = list(islice(cycle(shipped()), PROBLEMS))
    title(f"{PROBLEMS} problems", ("seconds", "MB", "target"))
    whole = 0.0
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        derivations = [derive(load(name)) for name in names]
        whole += time.perf_counter() - started
        for format in FORMATS.values():
            started, size = time.perf_counter(), 0
            for number, derivation in enumerate(derivations):
                exported = export((derivation,), format.name, Style(), "en", str(number))
                content = exported.content if isinstance(exported.content, bytes) else exported.content.encode()
                size += Path(folder, f"{number}{format.suffix}").write_bytes(content)
            spent = time.perf_counter() - started
            whole += spent
            row(format.name, f"{spent:.1f}", f"{size / 1e6:.1f}", "")
    row("all", f"{whole:.1f}", "", f"≤ {TARGET}")


if __name__ == "__main__":
    main()
