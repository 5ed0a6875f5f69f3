"""What went wrong between an agent and Aftercare: told, never raised where the agent works on a case."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

KEPT = 100
REFUSED = "refused"
log = logging.getLogger("aftercare.client")


class AftercareError(Exception):
    """What Aftercare does not take, or cannot be asked, with every reason."""

    def __init__(self, *reasons: str) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


@dataclass(frozen=True)
class Problem:
    """Something that did not go as it should. `what` is one of the names in docs/client.md.

    The `reasons` of what was `refused` may quote what was sent, and so hold a customer's words: they are never logged.
    """

    what: str
    case_id: str
    kind: str
    reasons: tuple[str, ...]
    at: datetime


class Problems:
    """The latest problems of a client; each is logged by name and given to `on_problem`, which cannot fail an agent."""

    def __init__(self, on_problem: Callable[[Problem], object] | None = None) -> None:
        self._latest: deque[Problem] = deque(maxlen=KEPT)
        self._on_problem = on_problem

    def tell(self, what: str, *reasons: str, case_id: str = "", kind: str = "") -> None:
        """Note a problem. `kind` is the message's."""
        problem = Problem(what, case_id, kind, reasons, datetime.now(UTC))
        self._latest.append(problem)
        own = () if what == REFUSED else reasons
        log.warning(what, extra={"case_id": case_id, "kind": kind, "reasons": own})
        try:
            if self._on_problem:
                self._on_problem(problem)
        except Exception as error:
            log.error("on_problem_failed", extra={"error": type(error).__name__})

    def latest(self) -> tuple[Problem, ...]:
        """The last hundred, oldest first."""
        return tuple(self._latest)
