"""Draws that are the same on every machine, in every version: `Draws(seed, variant).index(name, attempt, count)`.

A draw is SHA-256 of `handcalc/1`, the seed, the variant's key, the name of what is drawn, the attempt and a block, with zero bytes
between them, read as four 64-bit integers, the highest byte first. An index below `count` is such an integer modulo `count`, where
those that would make some indices likelier are passed over; after four integers comes the next block. Nothing else is drawn from:
no generator of the library, no time, no order of sets.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

from handcalc.core.record import Record

FORMAT = "handcalc/1"
WIDTH = 8  # bytes of an integer
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U
CODE_LETTERS = 6
STEM_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"


class Draws(Record):
    """The draws of one variant."""

    seed: str
    variant: str

    def integers(self, name: str, attempt: int) -> Iterator[int]:
        """Integers of 64 bits, without end."""
        block = 0
        while True:
            parts = (FORMAT, self.seed, self.variant, name, str(attempt), str(block))
            digest = sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()
            yield from (int.from_bytes(digest[start : start + WIDTH], "big") for start in range(0, len(digest), WIDTH))
            block += 1

    def index(self, name: str, attempt: int, count: int) -> int:
        """A number from 0 to count − 1, each as likely as the others."""
        fair = (1 << 8 * WIDTH) // count * count
        return next(integer % count for integer in self.integers(name, attempt) if integer < fair)

    def shuffled(self, names: list[str], attempt: int) -> list[int]:
        """An order of so many places: Fisher's and Yates' shuffle, a draw for each name but the first."""
        order = list(range(len(names)))
        for place in range(len(names) - 1, 0, -1):
            other = self.index(names[place], attempt, place + 1)
            order[place], order[other] = order[other], order[place]
        return order

    def code(self, stem: str) -> str:
        """The code of the variant: the stem, six letters, and one that checks them (their sum modulo 32)."""
        drawn = next(self.integers("code", 0)) >> (8 * WIDTH - 5 * CODE_LETTERS)
        places = [drawn >> 5 * place & 31 for place in reversed(range(CODE_LETTERS))]
        return f"{folded(stem)}-{''.join(LETTERS[place] for place in (*places, sum(places) % 32))}"


def folded(stem: str) -> str:
    """The stem of a file in letters that are safe in every name; `problem` where nothing is left."""
    return "".join(letter for letter in stem if letter in STEM_LETTERS).strip("-_") or "problem"


def is_code(text: str) -> bool:
    """Whether the last letter of a code checks the six before it."""
    letters = text.rpartition("-")[2]
    if len(letters) != CODE_LETTERS + 1 or set(letters) - set(LETTERS):
        return False
    *places, last = map(LETTERS.index, letters)
    return sum(places) % 32 == last
