"""A process may be forked while others of its threads write: then no SQLite connection may be carried across."""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet


class Forkable(Protocol):
    """Something that can be put down for the moment of a fork."""

    def hold(self) -> None:
        """Let go of everything, and let nobody take it up."""

    def go_on(self) -> None:
        """In both processes: it may be taken up again."""


_guarded: WeakSet[Forkable] = WeakSet()
_held: list[Forkable] = []


def guard(forkable: Forkable) -> None:
    """Have it put down at every fork, as long as it lives."""
    _guarded.add(forkable)


def _before() -> None:
    for forkable in list(_guarded):
        forkable.hold()
        _held.append(forkable)


def _after() -> None:
    while _held:
        _held.pop().go_on()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_after)
