"""Bridges to frameworks: networks from their files and modules, their training steps beside the hand calculation, scripts for them.

- network.py has `BroughtNetwork`, the neutral record; sources.py reads one from a file, by the table `SOURCES`; modules.py makes one of a
  module in a running program; writing.py makes a problem of it.
- A source of its own: a module with `read(model)`, which answers a `BroughtNetwork`, and its line in `SOURCES`.

Nothing here unpickles or runs what a file says; sizes are checked before anything is unpacked. Frameworks are imported where they are used.
"""
