"""Marking: a sheet is read, its answers are interpreted and judged, and what went wrong is diagnosed; check.py is the way in."""
