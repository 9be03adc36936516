"""Patterns of ids: `*` stands for any letters, `?` for one; brackets are those of ids, as in W1[2,*].

- `is_pattern(word)` says whether a word is one, `fits(id, pattern)` whether an id is meant by it.
"""

from __future__ import annotations


def is_pattern(word: str) -> bool:
    """Whether a word stands for all ids that fit it."""
    return "*" in word or "?" in word


def fits(id: str, pattern: str) -> bool:
    """Whether an id is one that a pattern means."""
    from fnmatch import fnmatchcase

    return fnmatchcase(id, pattern.replace("[", "[[]"))
