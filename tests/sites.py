"""For tests of the site: a folder that looks like Pyodide, and one like node_modules with it.

- `imitation(folder)` writes files with the names of Pyodide's, `modules(folder, version)` puts them where npm would.
"""

from __future__ import annotations

import json
from pathlib import Path

from handcalc.site.provided import PYODIDE, PYODIDE_FILES


def imitation(folder: Path) -> Path:
    """A folder with the files of Pyodide, whose contents are their names."""
    folder.mkdir(parents=True)
    for name in PYODIDE_FILES:
        (folder / name).write_text(name)
    return folder


def modules(folder: Path, version: str = PYODIDE) -> Path:
    """node_modules with Pyodide alone."""
    package = imitation(folder / "node_modules" / "pyodide") / "package.json"
    package.write_text(json.dumps({"version": version}))
    return folder / "node_modules"
