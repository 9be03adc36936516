"""Reports: 50 problems in every format, in one process; as SVG those that have a drawing. And one long PDF, as a process: 12 layers of 10
neurons, some 90 pages; its figures are seconds of CPU time and the largest resident size in MB."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path

from processes import handcalc
from targets import at_most

from handcalc import derive, load
from handcalc.errors import OutputError
from handcalc.loading.loader import shipped
from handcalc.render.report import FORMATS, Style, export

COLUMNS = ("seconds", "MB", "target")
PROBLEMS = 50
TARGET = 60  # seconds, of two cores
PDF_MEMORY = 420  # MB


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


def bench_long_pdf(figures: Callable[..., None], few: Callable[[int], int], tmp_path: Path) -> None:
    problem, layers = tmp_path / "deep.yaml", min(few(12), 12)
    inputs = ", ".join(f"x{place}: 0.{place}5" for place in range(10))
    rows = [[f"[{', '.join(f'{(7 * layer + 3 * row + place) % 19 / 10 - 0.9:.1f}' for place in range(10))}]" for row in range(10)]
            for layer in range(layers)]  # fmt: skip
    text = "".join(f"  - {{neurons: 10, activation: sigmoid, weights: [{', '.join(row)}], bias: 0.1}}\n" for row in rows)
    problem.write_text(f"inputs: {{{inputs}}}\ntargets: {[0.5] * 10}\nlayers:\n{text}loss: squared_error\nlearning_rate: 0.5\n", "utf-8")
    cost = handcalc("export", str(problem), "-o", str(tmp_path / "deep.pdf"))
    figures(f"a PDF of {layers} layers", f"{cost.cpu:.1f}", f"{cost.peak:.0f}", at_most(cost.peak, PDF_MEMORY))
