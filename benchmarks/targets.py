"""What figures aim at: `at_most(found, limit)` and `at_least(found, limit)` are the target as it is printed, with ! where it is missed."""

from __future__ import annotations


def at_most(found: float, limit: float, unit: str = "") -> str:
    """≤ limit"""
    return f"≤ {limit:.4g}{unit}" + (" !" if found > limit else "")


def at_least(found: float, limit: float, unit: str = "") -> str:
    """≥ limit"""
    return f"≥ {limit:.4g}{unit}" + (" !" if found < limit else "")
