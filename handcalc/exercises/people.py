"""Who somebody is, in whatever table: ids, e-mail, name; and who of one table is whom of another.

- `PersonColumns(headings)` finds the columns by their headings, in English, German, French and Chinese; `person(cells)` reads a row.
- `paired(people, others)` pairs those who are the same for certain: by id, then by e-mail, then by name.

Nobody is paired by a word that two have, nor with somebody who has another id of the same kind. To know another heading, add it here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from unicodedata import normalize

from handcalc.core.record import Record
from handcalc.errors import printable
from handcalc.exercises.placed import at

# kind of id → headings; a kind "" is compared with all, and says nothing against anybody
IDS: dict[str, tuple[str, ...]] = {
    "id": ("id", "user id", "canvas id"),
    "number": (
        "id number", "student id", "student number", "sis_id", "sis id", "sis user id", "matriculation number", "id-nummer",
        "matrikelnummer", "matrikelnr.", "numéro d'identification", "numéro d’identification", "numéro d'étudiant",
        "学号", "学生学号", "id号", "编号",
    ),
    "login": ("username", "login", "login id", "sis login id", "anmeldename", "benutzername", "nom d'utilisateur", "用户名"),
    "": ("student", "学生"),
}  # fmt: skip
NAMES = ("name", "full name", "student name", "fullname", "vollständiger name", "nom complet", "姓名", "全名", "名称")
FIRST = ("first name", "given name", "vorname", "prénom", "名", "名字")
LAST = ("last name", "surname", "family name", "nachname", "nom", "nom de famille", "姓", "姓氏")
MAILS = ("mail", "courriel", "邮")  # parts of headings


class Person(Record):
    """Somebody: (kind, id) of each kind, e-mail, name; what is not known is empty."""

    ids: tuple[tuple[str, str], ...] = ()
    email: str = ""
    name: str = ""

    @property
    def shown(self) -> str:
        """What to call somebody, on one line."""
        return printable(self.name or next((value for _, value in self.ids), "") or self.email)

    @property
    def known(self) -> bool:
        """Whether anything is known."""
        return bool(self.ids or self.email or self.name)

    def other_ids(self, other: Person) -> bool:
        """Whether two have different ids of one kind."""
        mine, theirs = dict(self.ids), dict(other.ids)
        return any(kind and _plain(mine[kind]) != _plain(theirs[kind]) for kind in mine.keys() & theirs.keys())

    def contradicts(self, other: Person) -> bool:
        """Whether two have different ids of one kind, or different addresses."""
        return self.other_ids(other) or bool(self.email and other.email and _plain(self.email) != _plain(other.email))


class PersonColumns:
    """The columns of a table that say who somebody is; places: all of them."""

    def __init__(self, headings: Sequence[str]) -> None:
        words = [" ".join(heading.casefold().split()) for heading in headings]
        self.ids = [(kind, place) for place, word in enumerate(words) for kind, known in IDS.items() if word in known]
        self.email = next((place for place, word in enumerate(words) if any(part in word for part in MAILS)), None)
        self.name = _place(words, NAMES)
        self.first, self.last = _place(words, FIRST), _place(words, LAST)
        if self.name is None and self.first is None:
            self.name = _place(words, IDS[""])
        self.places = {place for place in (self.email, self.name, self.first, self.last) if place is not None}
        self.places |= {place for _, place in self.ids}

    @property
    def named(self) -> bool:
        """Whether names are there."""
        return self.name is not None or self.first is not None or self.last is not None

    def person(self, cells: Sequence[str]) -> Person:
        """Who a row is about."""
        name = at(cells, self.name) or " ".join(filter(None, (at(cells, self.first), at(cells, self.last))))
        ids = tuple((kind, value) for kind, place in self.ids if (value := at(cells, place)))
        return Person(ids, at(cells, self.email), name)


def _place(words: Sequence[str], known: Collection[str]) -> int | None:
    return next((place for place, word in enumerate(words) if word in known), None)


# --- who is whom ------------------------------------------------------------------------------------------------------


def paired(people: Sequence[Person], others: Sequence[Person]) -> dict[int, int]:
    """Place of somebody → place among the others of who is the same person, for those of whom that is certain."""
    found: dict[int, int] = {}
    for keys, differ in _WAYS:
        left = [place for place in range(len(people)) if place not in found]
        taken = {*found.values()}
        mine = _by_key(((place, people[place]) for place in left), keys)
        theirs = _by_key(((place, other) for place, other in enumerate(others) if place not in taken), keys)
        both = [(*mine[key], *theirs[key]) for key in mine.keys() & theirs.keys() if len(mine[key]) == len(theirs[key]) == 1]
        pairs = sorted({pair for pair in both if not differ(people[pair[0]], others[pair[1]])})
        firsts, seconds = [first for first, _ in pairs], [second for _, second in pairs]
        found |= {first: second for first, second in pairs if firsts.count(first) == seconds.count(second) == 1}
    return found


def _by_key(people: Iterable[tuple[int, Person]], keys: Callable[[Person], Iterable[Hashable]]) -> dict[Hashable, set[int]]:
    found: dict[Hashable, set[int]] = {}
    for place, person in people:
        for key in keys(person):
            found.setdefault(key, set()).add(place)
    return found


def _same_kind(person: Person) -> Iterable[Hashable]:
    return [(kind, _plain(value)) for kind, value in person.ids if kind]


def _any_kind(person: Person) -> Iterable[Hashable]:
    return {_plain(value) for _, value in person.ids} | ({_plain(person.email)} if person.email else set())


def _email(person: Person) -> Iterable[Hashable]:
    return [_plain(person.email)] if person.email else []


def _name(person: Person) -> Iterable[Hashable]:
    """The words of a name in any order; of a Chinese name, which may be written as one word, its letters."""
    words = re.findall(r"[\w'’.-]+", _plain(person.name))
    whole = "".join(words)
    return [tuple(sorted(whole if whole and all("\u4e00" <= letter <= "\u9fff" for letter in whole) else words))] if words else []


def _never(person: Person, other: Person) -> bool:
    return False


# the ways to know somebody, the surest first, and what speaks against it
_WAYS: tuple[tuple[Callable[[Person], Iterable[Hashable]], Callable[[Person, Person], bool]], ...] = (
    (_same_kind, _never),
    (_any_kind, Person.other_ids),
    (_email, Person.other_ids),
    (_name, Person.contradicts),
)


def _plain(text: str) -> str:
    return normalize("NFKC", text).casefold().strip()
