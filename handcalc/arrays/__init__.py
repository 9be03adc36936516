"""Programs made from the graph: straight-line code and NumPy code, what they are fed with, and solutions of many samples."""
