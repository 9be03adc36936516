"""What is known about single functions: where their proof begins, and the lines between two forms of a derivative.

- STARTS: a definition for the proof, of a function that has none; AREAS: f is an integral of this; POSITIVE: arguments that are.
- INVERSES: what gives x back from y = f(x); LIMITS: the difference quotient, its forms, and its limit for h → 0.
- REARRANGED: the lines from the derivative of the definition to the record's own form.

Formulas are in the arguments of the function and `y`, its value; "" is the derivative as the record has it. Every line is
checked when it is printed. To add one, add a `KnownLine`.
"""

from __future__ import annotations

from handcalc.core.record import Record
from handcalc.errors import Message


class KnownLine(Record):
    """A line: its formula, why, and an equation that is put into the text as {fact}."""

    formula: str
    text: Message
    fact: str = ""


PUT_IN = Message("{fact}")
APART = Message("the fraction taken apart")
PRODUCT = Message("written as a product")

STARTS = {"tan": "sin(x)/cos(x)"}

POSITIVE = {"huber": ("d",), "kl": ("t", "o")}

AREAS = {"erf": "2/sqrt(pi)*exp(-x^2)"}

INVERSES = {"ln": "exp(y)", "sqrt": "y^2"}

# The last step is the limit.
LIMITS = {
    "exp": (
        KnownLine("exp(x)*((exp(h) - 1)/h)", PUT_IN, "exp(x + h) = exp(x)*exp(h)"),
        KnownLine("exp(x)*1", Message("the slope of {fact} at 0 is 1: that is what makes e the base"), "exp(h)"),
    ),
    "sin": (
        KnownLine("sin(x)*((cos(h) - 1)/h) + cos(x)*(sin(h)/h)", PUT_IN, "sin(x + h) = sin(x)*cos(h) + cos(x)*sin(h)"),
        KnownLine("sin(x)*0 + cos(x)*1", Message("a chord and its arc become equal: the fractions go to 0 and 1")),
    ),
    "cos": (
        KnownLine("cos(x)*((cos(h) - 1)/h) - sin(x)*(sin(h)/h)", PUT_IN, "cos(x + h) = cos(x)*cos(h) - sin(x)*sin(h)"),
        KnownLine("cos(x)*0 - sin(x)*1", Message("a chord and its arc become equal: the fractions go to 0 and 1")),
    ),
}

REARRANGED = {
    "sigmoid": (
        KnownLine("1/(1 + exp(-z))*(exp(-z)/(1 + exp(-z)))", PRODUCT),
        KnownLine("1/(1 + exp(-z))*((1 + exp(-z) - 1)/(1 + exp(-z)))", Message("1 added and taken away")),
        KnownLine("1/(1 + exp(-z))*(1 - 1/(1 + exp(-z)))", APART),
        KnownLine("", PUT_IN, "1/(1 + exp(-z)) = y"),
    ),
    "bipolar_sigmoid": (
        KnownLine("2/(1 + exp(-z))*(2*exp(-z)/(1 + exp(-z)))/2", PRODUCT),
        KnownLine("(1 + y)*(2*exp(-z)/(1 + exp(-z)))/2", PUT_IN, "2/(1 + exp(-z)) = 1 + y"),
        KnownLine("", PUT_IN, "2*exp(-z)/(1 + exp(-z)) = 1 - y"),
    ),
    "tanh": (
        KnownLine("1 - (exp(z) - exp(-z))^2/(exp(z) + exp(-z))^2", APART),
        KnownLine("", PUT_IN, "(exp(z) - exp(-z))/(exp(z) + exp(-z)) = y"),
    ),
    "gelu": (KnownLine("", PUT_IN, "sqrt(pi)*sqrt(2) = sqrt(2*pi)"),),
    "silu": (
        KnownLine("1/(1 + exp(-z)) + z*(exp(-z)/(1 + exp(-z))^2)", APART),
        KnownLine("sigmoid(z) + z*(exp(-z)/(1 + exp(-z))^2)", PUT_IN, "1/(1 + exp(-z)) = sigmoid(z)"),
        KnownLine("sigmoid(z) + z*(sigmoid(z)*(1 - sigmoid(z)))", PUT_IN, "exp(-z)/(1 + exp(-z))^2 = sigmoid(z)*(1 - sigmoid(z))"),
        KnownLine("", Message("{fact} taken out"), "sigmoid(z)"),
    ),
    "swish": (
        KnownLine("1/(1 + exp(-beta*z)) + beta*(z/(1 + exp(-beta*z)))*(exp(-beta*z)/(1 + exp(-beta*z)))", APART),
        KnownLine("sigmoid(beta*z) + beta*y*(1 - sigmoid(beta*z))", PUT_IN, "exp(-beta*z)/(1 + exp(-beta*z)) = 1 - sigmoid(beta*z)"),
    ),
    "softplus": (
        KnownLine("1/(1 + exp(-z))", Message("above and below divided by {fact}"), "exp(z)"),
        KnownLine("", PUT_IN, "1/(1 + exp(-z)) = sigmoid(z)"),
    ),
    "tan": (
        KnownLine("1 + sin(x)^2/cos(x)^2", APART),
        KnownLine("", PUT_IN, "sin(x)/cos(x) = y"),
    ),
}
