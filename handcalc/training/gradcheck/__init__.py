"""The chain rule beside difference quotients: comparing.py compares, report.py and plots.py show it."""
