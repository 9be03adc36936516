"""Frozen records: what ``@dataclass(frozen=True)`` gives, at a hundredth of its start-up cost.

- Write a class with annotated fields (`Record`).
- Copy one with changes (`Record.replace`).

A frozen dataclass compiles its methods when its module is imported, about 0.6 ms a class; handcalc has some forty
records, and starting up is what a user of small problems waits for. Fields, defaults, equality by type and values,
hashing, immutability, pattern matching and static types are the same.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self, dataclass_transform


@dataclass_transform(frozen_default=True)
class Record:
    """Base of immutable records whose fields are the annotations of the class body, in order."""

    _fields: ClassVar[tuple[str, ...]] = ()
    _blank: ClassVar[dict[str, Any]] = {}  # field → default, None where there is none
    _required: ClassVar[int] = 0  # so many fields, the first ones, have no default

    def __init_subclass__(cls) -> None:
        own = [name for name, kind in cls.__dict__.get("__annotations__", {}).items() if "ClassVar" not in str(kind)]
        cls._fields = cls._fields + tuple(own)
        cls._blank = cls._blank | {name: cls.__dict__.get(name) for name in own}
        cls._required += sum(name not in cls.__dict__ for name in own)
        cls.__match_args__ = cls._fields  # type: ignore[attr-defined, misc]

    def __init__(self, *values: Any, **named: Any) -> None:
        fields, attributes = self._fields, self.__dict__
        if len(values) < len(fields):
            attributes.update(self._blank)  # all fields, in their order, on which hashing relies
        attributes.update(zip(fields, values))
        if not named and self._required <= len(values) <= len(fields):
            return
        attributes.update(named)
        for name in fields[len(values) : self._required]:
            if name not in named:
                raise TypeError(f"{type(self).__name__}: {name} is missing")
        if len(attributes) > len(fields) or len(values) > len(fields) or not named.keys().isdisjoint(fields[: len(values)]):
            raise TypeError(f"{type(self).__name__} takes {', '.join(fields)}; got {values!r} and {named!r}")

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed."""
        copy = object.__new__(type(self))
        attributes = copy.__dict__
        attributes.update(self.__dict__)
        attributes.update(changes)
        if len(attributes) != len(self._fields):
            raise TypeError(f"{type(self).__name__} has no field {', '.join(set(changes) - set(self._fields))}")
        return copy

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen; use replace()")

    __delattr__ = __setattr__  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((type(self), *self.__dict__.values()))

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={self.__dict__[name]!r}" for name in self._fields)
        return f"{type(self).__name__}({inside})"
