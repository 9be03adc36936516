"""A quiz as a package of QTI 2.1: `document(quiz)`; qti.py has everything."""

from __future__ import annotations

from handcalc.exercises.quiz import Quiz
from handcalc.exercises.quizzes.qti import QTI21, package


def document(quiz: Quiz) -> bytes:
    """The archive."""
    return package(quiz, QTI21)
