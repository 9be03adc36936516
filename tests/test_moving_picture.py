"""The picture in which one number after the other appears (.ci/pictures.py)."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from xml.etree import ElementTree

from shipping import solved

SCRIPT = Path(__file__).parents[1] / ".ci" / "pictures.py"
SVG = "{http://www.w3.org/2000/svg}"


def test_every_number_of_the_drawing_appears_once_with_its_line() -> None:
    spec = importlib.util.spec_from_file_location("pictures", SCRIPT)
    assert spec is not None and spec.loader is not None
    pictures = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pictures)
    written = pictures.step_svg()
    assert written == pictures.step_svg() and b"script" not in written
    root = ElementTree.fromstring(written)
    shown = {part.get("data-cell") for part in root.iter() if part.get("data-cell")}
    derivation = solved(pictures.PROBLEM)
    worked = [step for step in derivation.steps(1) if step.id in shown and step.phase != "given"]
    lines = ["".join(text.itertext()) for text in root.findall(f"{SVG}text") if text.find(f"{SVG}set") is not None]
    begins = [float(str(part.get("begin")).removeprefix("all.begin+")[:-1]) for part in root.iter(f"{SVG}set")]
    assert len(worked) > 20 and len(lines) == 2 * len(worked)
    assert all(any(line.endswith(step.shown.plain) for line in lines) for step in worked)
    assert min(begins) == 0 and max(begins) == (len(worked) - 1) * pictures.SECONDS
