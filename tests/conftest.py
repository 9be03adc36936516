"""Settings of all tests: the same Hypothesis examples every time, and `--update-goldens` to rewrite tests/golden."""

from __future__ import annotations

import pytest
from hypothesis import settings

settings.register_profile("same", derandomize=True, database=None, deadline=None)
settings.load_profile("same")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-goldens`: write what is printed now over the files of tests/golden."""
    parser.addoption("--update-goldens", action="store_true", help="rewrite tests/golden with what is printed now")


@pytest.fixture
def update_goldens(request: pytest.FixtureRequest) -> bool:
    """Whether goldens are rewritten instead of compared."""
    return bool(request.config.getoption("--update-goldens"))
