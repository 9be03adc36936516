"""Slips of any calculation, which happen on a single line: they rewrite no definition, and are found by marking/slips.py."""

from __future__ import annotations

from handcalc.marking.mistakes.entry import Mistake

ANY_LINE = (
    Mistake(
        "sign-lost",
        "The sign is lost",
        "The number has the wrong sign.\nWork out the signs of the factors, or of the terms, once more.",
    ),
    Mistake(
        "sign-in-sum",
        "One term of the sum has the wrong sign",
        "A term was subtracted that is added, or the other way round.\nA product has a minus if an odd number of its factors has one.",
    ),
    Mistake(
        "point-moved",
        "The decimal point has moved",
        "The digits are right, but the point stands in another place.\nCount the places behind the point.",
    ),
    Mistake(
        "digits-exchanged",
        "Two digits are exchanged",
        "The number was copied with two of its digits in each other's place.\nCompare it with what you worked out, digit by digit.",
    ),
    Mistake(
        "digit-dropped",
        "A digit is left out",
        "The number was copied without one of its digits.\nCompare it with what you worked out, digit by digit.",
    ),
    Mistake(
        "number-misread",
        "A number of the line is misread",
        "The line is right, but one of its numbers has another digit, or two exchanged.\nCompare each number with where it comes from.",
    ),
    Mistake(
        "neighbour-used",
        "The number beside it is used",
        "The line is right, but for one of its numbers the one beside it was taken.\nThe indices say which number is meant.",
    ),
    Mistake(
        "term-left-out",
        "A term of the sum is left out",
        "One of the terms is missing in the sum.\nEvery term of the line is added.",
    ),
    Mistake(
        "term-twice",
        "A term of the sum is taken twice",
        "One of the terms was added twice.\nEvery term of the line is added once.",
    ),
    Mistake(
        "factor-left-out",
        "A factor is left out",
        "One of the factors is missing in the product.\nEvery factor of the line is multiplied in.",
    ),
    Mistake(
        "answers-exchanged",
        "Two answers stand in each other's place",
        "Each of the two numbers is the right one for the other step.\nExchange them.",
    ),
    Mistake(
        "old-value-given",
        "The old value is given as the new one",
        "The parameter was copied as it was before the update.\nThe new value is the old one plus the change.",
    ),
    Mistake(
        "other-number-given",
        "Another number of the same parameter is given",
        "The gradient, the change or the new value was given in the place of another of them.\nThe sheet says which is asked.",
    ),
)
