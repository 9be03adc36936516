"""What is worked before what: `components(start, needed)`, the strongly connected components below a node, each after those it needs.

Source: Tarjan, Depth-first search and linear graph algorithms, 1972; here without recursion.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import TypeVar

Node = TypeVar("Node", bound=Hashable)


def components(start: Node, needed: Callable[[Node], Iterable[Node]]) -> Iterator[list[Node]]:
    """Nodes that `start` needs, itself last; those that need each other come together."""
    lowest: dict[Node, int] = {start: 0}  # the first node, counted from 0, that leads to a node and that it leads back to
    numbers = {start: 0}
    waiting = [start]  # nodes whose component is not complete
    calls = [(start, iter(needed(start)))]
    while calls:
        node, others = calls[-1]
        for other in others:
            if other not in numbers:
                numbers[other] = lowest[other] = len(numbers)
                waiting.append(other)
                calls.append((other, iter(needed(other))))
                break
            if other in lowest:
                lowest[node] = min(lowest[node], numbers[other])
        else:
            calls.pop()
            if calls:
                above = calls[-1][0]
                lowest[above] = min(lowest[above], lowest[node])
            if lowest[node] == numbers[node]:
                place = waiting.index(node) if waiting[-1] != node else len(waiting) - 1
                yield waiting[place:]
                for done in waiting[place:]:
                    del lowest[done]
                del waiting[place:]
