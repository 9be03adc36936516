"""Slips of any calculation, which happen on a single line: they rewrite no definition, and are found by marking/slips.py. Some can be made
in all equations of a problem alike (equations.py)."""

from __future__ import annotations

from handcalc.marking.mistakes.entry import Mistake
from handcalc.marking.mistakes.equations import COUNTS, DIVISORS, EXCHANGED, LEFT_OUT, SIGNS

ANY_LINE = (
    Mistake(
        "sign-lost",
        "The sign is lost",
        "The number has the wrong sign.\nWork out the signs of the factors, or of the terms, once more.",
        single=True,
    ),
    Mistake(
        "miscalculated",
        "The line is set up right, but worked out wrong",
        "The numbers on the line are the right ones, and what they come to is another number.\nWork them out once more.",
        single=True,
    ),
    Mistake(
        "sign-in-sum",
        "One term of the sum has the wrong sign",
        "A term was subtracted that is added, or the other way round.\nA product has a minus if an odd number of its factors has one.",
        variants=SIGNS,
    ),
    Mistake(
        "point-moved",
        "The decimal point has moved",
        "The digits are right, but the point stands in another place.\nCount the places behind the point.",
        single=True,
    ),
    Mistake(
        "digits-exchanged",
        "Two digits are exchanged",
        "The number was copied with two of its digits in each other's place.\nCompare it with what you worked out, digit by digit.",
        single=True,
    ),
    Mistake(
        "digit-dropped",
        "A digit is left out",
        "The number was copied without one of its digits.\nCompare it with what you worked out, digit by digit.",
        single=True,
    ),
    Mistake(
        "other-answer-given",
        "The number of another step is given",
        "The number is the right one for another step of the sheet.\nCompare each number with the step it stands beside.",
        single=True,
    ),
    Mistake(
        "number-misread",
        "A number of the line is misread",
        "The line is right, but one of its numbers has another digit, or two exchanged.\nCompare each number with where it comes from.",
        single=True,
    ),
    Mistake(
        "neighbour-used",
        "The number beside it is used",
        "The line is right, but for one of its numbers the one beside it was taken.\nThe indices say which number is meant.",
    ),
    Mistake(
        "numbers-exchanged",
        "Two numbers of the line are exchanged",
        "The line is right, but two of its numbers stand in each other's place.\nCompare each letter with the number put in for it.",
    ),
    Mistake(
        "other-letter-used",
        "The number of another letter is used",
        "The line is right, but for one of its letters the number of another was put in.\n"
        "Compare each letter with the number put in for it.",
    ),
    Mistake(
        "step-left-out",
        "A number is taken a step too early",
        "The line is right, but one of its numbers is what that is made from, as the net input for the output.\n"
        "Work that step first, and put in its result.",
    ),
    Mistake(
        "constant-wrong",
        "A constant factor is wrong",
        "The number is twice or half of what it should be, or was divided by another count.\n"
        "See which of 2, 1/2 and 1/n stand in the formula, and what n counts.",
        variants=COUNTS,
    ),
    Mistake(
        "same-factor",
        "Several numbers are off by the same factor",
        "Each is the right number times the same factor, so they have one reason.\n"
        "See what they share: a denominator, a scale, a count, a rate.",
    ),
    Mistake(
        "same-amount",
        "Several numbers are off by the same amount",
        "Each is the right number and the same amount more, or less, so they have one reason.\n"
        "See what they share: a bias, a term, a number that is subtracted.",
    ),
    Mistake(
        "function-exchanged",
        "Another function is used",
        "Another function was worked out in the place of the one that is meant, or the calculator was set to degrees.\n"
        "Compare the key with the formula; angles are in radians.",
        variants=EXCHANGED,
    ),
    Mistake(
        "function-left-out",
        "A function is left out",
        "The number was taken as it is, and the function of it was not worked out.\nThe formula says which function is applied to what.",
        variants=LEFT_OUT,
    ),
    Mistake(
        "one-term-only",
        "Only one term of the sum is taken",
        "The other terms are missing.\nAll samples, or all ways, are added.",
    ),
    Mistake(
        "complement-used",
        "1 - a is used for a",
        "A share and the rest of it stand in each other's place.\nThe formula says which of a and 1 - a goes with what.",
    ),
    Mistake(
        "updated-too-early",
        "A parameter that has been updated is used",
        "The new value stands where the old one is meant.\nAll gradients are worked out first, and then all parameters change.",
    ),
    Mistake(
        "slope-exchanged",
        "The derivative of another function is used",
        "The derivative was taken by the rule of another function.\nFor the sigmoid it is y(1 - y), for tanh 1 - y².",
    ),
    Mistake(
        "own-factor-used",
        "The wrong factor of a product is used",
        "The number itself was multiplied in, not the other factor.\nThe slope of a·b by b is a.",
    ),
    Mistake(
        "bracket-misplaced",
        "A bracket is misplaced",
        "Only one term of a bracket was multiplied, divided or squared, or a term outside it as well.\n"
        "The whole bracket is, and nothing else; on a calculator it is typed too.",
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
        variants=DIVISORS,
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
        single=True,
    ),
    Mistake(
        "other-number-given",
        "Another number of the same parameter is given",
        "The gradient, the change or the new value was given in the place of another of them.\nThe sheet says which is asked.",
    ),
)
