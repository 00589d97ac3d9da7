"""FairQueue: who is next, when more is asked for than can run.

Lower priorities go first; within one priority the groups take turns, so that a thousand requests
of one group delay another group's single one by at most one turn. Knows nothing of engines.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


class FairQueue(Generic[T]):
    """A queue of distinct items; adding, taking and removing take constant time."""

    def __init__(self) -> None:
        # Dictionaries keep their order, so that the first group is the one whose turn it is and
        # a group's first item is its oldest.
        self._turns: dict[int, dict[str, dict[T, None]]] = {}
        self._places: dict[T, tuple[int, str]] = {}

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[T]:
        return iter(list(self._places))

    def peek(self) -> T:
        """The next item. Raises IndexError when there is none."""
        if not self._places:
            raise IndexError("The queue is empty.")
        groups = self._turns[min(self._turns)]
        return next(iter(groups[next(iter(groups))]))

    def add(self, item: T, priority: int, group: str) -> None:
        """Put ``item`` behind its group's others; a new group's turn comes last."""
        self._turns.setdefault(priority, {}).setdefault(group, {})[item] = None
        self._places[item] = (priority, group)

    def take(self) -> T:
        """Remove and return the next item. Raises IndexError when there is none."""
        item = self.peek()
        priority, group = self._places[item]
        groups = self._turns[priority]
        groups[group] = groups.pop(group)
        self.remove(item)
        return item

    def remove(self, item: T) -> bool:
        """Take ``item`` out of the line; False when it does not stand in it."""
        if item not in self._places:
            return False
        priority, group = self._places.pop(item)
        groups = self._turns[priority]
        del groups[group][item]
        if not groups[group]:
            del groups[group]
        if not groups:
            del self._turns[priority]
        return True
