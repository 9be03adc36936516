"""From the nodes of a file to a `Problem`: loader.py is the way in."""
