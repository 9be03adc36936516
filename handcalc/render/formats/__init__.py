"""Blocks → files: one module a format, each with a function from a document to its text or bytes."""
