"""From the nodes of a file to a `Problem`, part by part, with all errors at once: loader.py is the way in.

- loader.py reads the header, then samples.py (data.py for files), layers.py (each by its type, in layers/) and loss.py, or equations.py;
  then settings.py: training, update, conventions, and with files of their own rounding.py, optimisers.py, schedules.py, tasks.py.
- saving.py and savedlayers.py write a file with other numbers.

A part takes the entries of the file and answers the problem with more in it. Values are read by the shapes of their keys
(problem/values.py); only what is more than a value is read here.
"""
