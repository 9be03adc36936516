"""What shows itself in a notebook: derivations, steps, markings, trainings.

- `SelfShowing` is their base; `in_context(…)` hands one of them what it is shown with, such as the derivation of a step.

What each shows is a line of the table in notebooks/bundles.py, which is imported when a notebook asks.
"""

from __future__ import annotations

from collections.abc import Container
from importlib import import_module
from typing import Any, Self

BUNDLES = "handcalc.notebooks.bundles"


class SelfShowing:
    """Base of what a notebook shows as a document. The context is no part of the value: copies and other processes have none."""

    __slots__ = ("_context",)

    def in_context(self, *context: Any) -> Self:
        """The same object, which is shown with these from now on."""
        object.__setattr__(self, "_context", context)
        return self

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__

    def _repr_mimebundle_(self, include: Container[str] | None = None, exclude: Container[str] | None = None) -> dict[str, str]:
        """MIME type → text, as Jupyter asks for it."""
        bundle: dict[str, str] = import_module(BUNDLES).bundle(self, getattr(self, "_context", ()), include, exclude)
        return bundle
