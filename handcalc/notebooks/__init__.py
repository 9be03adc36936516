"""Notebooks: what derivations, steps, markings and trainings show of themselves below a cell (bundles.py), and `%handcalc` (magics.py).

IPython is imported where it is used, and nothing outside this room knows it.
"""
