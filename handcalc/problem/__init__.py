"""What a problem file says: its keys, its values with their places in the file, and the records it becomes.

- schema.py: the frozen records, of which `Problem` is the whole; dataset.py: many samples, held as arrays.
- fields.py: every key with its shape, once; datakeys.py: those of data, tests and schedules; values.py: shapes, and reading by them;
  words.py: losses, optimisers, schedules and other words with a meaning; jsonschema.py: all of it for editors.
- files.py: from bytes to nodes; reader.py: nodes with their lines, and errors; names.py: which names are taken; limits.py.
- csvfiles.py and arrays.py: numbers in files beside the problem; shapes.py: lists of lists, and the axes they are read by.

What puts it together is loading/. To add a key, see fields.py; a word, words.py; a record, schema.py.
"""
