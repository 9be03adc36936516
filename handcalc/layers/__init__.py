"""Types of layers: the keys of each, and its reader."""
