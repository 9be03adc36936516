"""Figures of marking: sheets whose truth is known, and what the program says of them. `benchmarks/sheets.py` is the command.

- exercises.py: the problems, by family; each as what a student works on, and equations that say the same as layers.
- paper.py: the arithmetic of students: a solution's own steps, worked with any rounding.
- judging.py: `Sheet`, what is said of it, and tables.
- honest.py, chance.py, slips.py, speed.py: one measurement each.

No sheet is made with marking/: what is measured does not say what is right.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

sys.path[:0] = [str(ROOT), str(ROOT / "tests")]  # the program of this checkout is measured, not one that is installed
