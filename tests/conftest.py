"""Settings of all tests: the same Hypothesis examples every time, and `--update-goldens` to rewrite tests/golden.

A property test draws few examples in the quick run; the slow run (`-m slow`) has it too, with many.

A test that needs a program or a library which is not installed is skipped. Where all of them must be there
(HANDCALC_ALL_PROGRAMS is set, as the gate does), such a test fails instead; one that makes no sense for root does not, nor one whose
reason names what HANDCALC_WITHOUT lists, which the gate could not install.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Generator

import pytest
from hypothesis import settings

FIRST_GENERATION = 700  # of Python's collector of garbage: made since it last looked
FEW, MANY = 12, 100  # examples, where a test does not say that it needs more (see `law` in oracles.py)
settings.register_profile("quick", max_examples=FEW, derandomize=True, database=None, deadline=None)
settings.register_profile("slow", max_examples=MANY, derandomize=True, database=None, deadline=None)
settings.load_profile("quick")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-goldens`: write what is printed now over the files of tests/golden."""
    parser.addoption("--update-goldens", action="store_true", help="rewrite tests/golden with what is printed now")


def in_slow_run(config: pytest.Config) -> bool:
    """Whether these are the slow tests."""
    return bool(config.getoption("markexpr") == "slow")


def pytest_configure(config: pytest.Config) -> None:
    """How many examples are drawn, and which parameters there are."""
    settings.load_profile("slow" if in_slow_run(config) else "quick")
    from shipping import QUICK_RUN

    QUICK_RUN[0] = config.getoption("markexpr") == "not slow"


def pytest_pycollect_makeitem(name: str, obj: object) -> list[pytest.Item] | None:
    """A test that belongs to the slow run as a whole is not even collected in the quick one."""
    from shipping import QUICK_RUN

    is_slow = name.startswith("test") and any(mark.name == "slow" for mark in getattr(obj, "pytestmark", ()))
    return [] if QUICK_RUN[0] and is_slow else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Laws over all problems, and many random examples, take their time: what belongs to the slow run is marked before it is sorted out."""
    from shipping import slow, too_large

    items[:] = [item for item in items if not too_large(item)]
    for item in items:
        drawn = in_slow_run(config) and getattr(getattr(item, "function", None), "is_hypothesis_test", False)
        if drawn or slow(item):
            item.add_marker(pytest.mark.slow)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Tens of thousands of parameters are made and stay: nothing among them is garbage, so they are not searched for any, now or later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(10 * FIRST_GENERATION)
        gc.enable()


@pytest.fixture
def update_goldens(request: pytest.FixtureRequest) -> bool:
    """Whether goldens are rewritten instead of compared."""
    return bool(request.config.getoption("--update-goldens"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A skipped test is a failed one where nothing may be missing."""
    report = yield
    allowed = ("root", *os.environ.get("HANDCALC_WITHOUT", "").split())
    if report.skipped and os.environ.get("HANDCALC_ALL_PROGRAMS") and not any(word in str(report.longrepr) for word in allowed):
        report.outcome = "failed"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Also where a whole file is skipped."""
    report = yield
    if report.outcome == "skipped" and os.environ.get("HANDCALC_ALL_PROGRAMS"):
        report.outcome = "failed"
    return report


@pytest.fixture(autouse=True)
def language_of_before() -> Generator[None, None, None]:
    """A command sets LANGUAGE for the texts of click; whoever comes after it is spoken to as before."""
    before = os.environ.get("LANGUAGE")
    yield
    if os.environ.get("LANGUAGE") != before:
        os.environ.pop("LANGUAGE", None)
        os.environ.update({} if before is None else {"LANGUAGE": before})
