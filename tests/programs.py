"""Programs and libraries that only some tests need: a test that needs one is skipped where it is not installed.

Where all of them must be there (HANDCALC_ALL_PROGRAMS is set, as the gate does), such a test fails instead.
"""

from __future__ import annotations

import os
import shutil
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest


def program(*names: str) -> str:
    """The path of the first of these programs that is installed."""
    for name in names:
        found = shutil.which(name)
        if found:
            return found
    return _missing(f"{' or '.join(names)} is not installed")


def library(name: str) -> Any:
    """A Python library."""
    try:
        return import_module(name)
    except ImportError:
        return _missing(f"the Python library {name} is not installed")


def node_package(name: str) -> Path:
    """The folder of a package of npm, in $HANDCALC_NODE_MODULES or ./node_modules."""
    folder = Path(os.environ.get("HANDCALC_NODE_MODULES", "node_modules")) / name
    if not folder.is_dir():
        _missing(f"the npm package {name} is not in {folder.parent} (set HANDCALC_NODE_MODULES)")
    return folder.resolve()


def _missing(reason: str) -> Any:
    if os.environ.get("HANDCALC_ALL_PROGRAMS"):
        pytest.fail(reason)
    pytest.skip(reason)
