"""Reports: 50 problems in every format, in one process; as SVG those that have a drawing."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path

from targets import at_most

from handcalc import derive, load
from handcalc.errors import OutputError
from handcalc.loading.loader import shipped
from handcalc.render.report import FORMATS, Style, export

COLUMNS = ("seconds", "MB", "target")
PROBLEMS = 50
TARGET = 60  # seconds, of two cores


def bench_every_format(figures: Callable[..., None], few: Callable[[int], int], tmp_path: Path) -> None:
    started = time.perf_counter()
    derivations = [derive(load(name)) for name in islice(cycle(shipped()), few(PROBLEMS))]
    whole = time.perf_counter() - started
    for format in FORMATS.values():
        started, size = time.perf_counter(), 0
        for number, derivation in enumerate(derivations):
            try:
                exported = export((derivation,), format.name, Style(), "en", str(number))
            except OutputError:  # there is nothing to draw
                continue
            content = exported.content if isinstance(exported.content, bytes) else exported.content.encode()
            size += Path(tmp_path, f"{number}{format.suffix}").write_bytes(content)
        spent = time.perf_counter() - started
        whole += spent
        figures(format.name, f"{spent:.1f}", f"{size / 1e6:.1f}", "")
    figures("all", f"{whole:.1f}", "", at_most(whole, TARGET))
