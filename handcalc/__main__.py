"""`python -m handcalc`."""

from handcalc.cli import main

main()
