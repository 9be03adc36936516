"""Files and folders: all that is read or written goes through reading.py and writing.py, which alone open anything.

tests/test_disk.py forbids it elsewhere.
"""
