"""`python -m handcalc`."""

from handcalc.cli import run

run()
