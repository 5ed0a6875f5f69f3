"""A case in an agent's hands: its steps are numbered and kept, and it is resolved, handed over, or left to silence."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from contextvars import Token, copy_context
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import RLock
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Self, TypeVar, Unpack

from aftercare.client.bounded import bounded
from aftercare.client.fields import StepFields, check
from aftercare.client.tools import Recorder, current
from aftercare.client.writes import Known, Write, claimed, fitted, numbered_id, wire, write
from aftercare.messages.base import NOT_REPORTED, Confidence, Message
from aftercare.messages.case import Action, Escalation, Resolution, Step, StepKind
from aftercare.messages.case import Case as Particulars

if TYPE_CHECKING:
    from aftercare.client.surface import Surface

P = ParamSpec("P")
T = TypeVar("T")
M = TypeVar("M", bound=Message)
R = TypeVar("R")  # what a write gives: nothing, or something to await


@dataclass(eq=False)
class Trace:
    """How far a case has come, shared by everybody in this process who has it at hand."""

    lock: RLock = field(default_factory=RLock)
    last: int = 0
    endings: int = 0
    acts: list[Action] = field(default_factory=list)
    ended: bool = False

    def go_on(self, known: Known, after: int) -> None:
        """An agent enters the case, which the buffer knows so far."""
        with self.lock:
            if not self.last:
                self.acts = [Action.model_validate_json(body) for body in known.acts]
            self.last = max(self.last, known.last, after)
            self.endings = max(self.endings, known.endings)
            self.ended = False

    def end(self) -> None:
        """The agent has claimed its acts, or handed over."""
        self.ended, self.acts, self.endings = True, [], self.endings + 1


class CaseInHand(Generic[R]):
    """The surface of a case, the same for `Case` and `AsyncCase`.

    What it writes is on disk when it returns (of an `AsyncCase`: when it was awaited), and sent in the background.
    No method raises for what Aftercare says, nor for a value that does not fit, which is left out and told as a
    problem; a kind of step there is not and a field there is not are an author's mistakes, and raise.
    """

    def __init__(self, care: Surface[R, Any], particulars: Particulars, after: int) -> None:
        self._care, self._particulars, self._after = care, particulars, after
        self._trace = care.trace_of(particulars.id)
        self._tokens: list[Token[Recorder | None]] = []
        self._met: int | None = None

    @property
    def id(self) -> str:
        """The case's id."""
        return self._particulars.id

    def step(self, kind: StepKind | str, name: str = "", **told: Unpack[StepFields]) -> int:
        """Record a decision point; gives its number, by which thumbs and overrides may point at it.

        `kind` is classify, retrieve, check_policy, reason, act or reply. `heard` is what the customer said since the
        step before, `said` what the agent said with it; `latency` in seconds. An `act` without an `error` is among the
        actions that `resolve` claims. Gives 0 where the case has ended, and then nothing is recorded.
        """
        step_kind = StepKind(kind)
        check("a step", told, StepFields)
        fields: dict[str, Any] = {"kind": step_kind, "name": name, "at": datetime.now(UTC), **told}
        fields |= {part: bounded(fields[part]) for part in ("input", "output", "state") if part in fields}
        with self._trace.lock:
            if self._has_ended("step"):
                return 0
            step = self._fitted(Step, {"number": self._trace.last + 1, **_known(fields)})
            self._trace.last = step.number
            act = _action(step)
            if act:
                self._trace.acts.append(act)
            body, act_body = wire(step), wire(act) if act else None
            self._care.keep(lambda buffer: buffer.add_step(self.id, step.number, body, act_body), self.id, "step")
        return step.number

    def resolve(
        self,
        *,
        intent: str | None = None,
        actions: Iterable[Action] | None = None,
        reply: str = "",
        confidence: Confidence = NOT_REPORTED,
    ) -> R:
        """The agent claims that the case is resolved. `actions` it claims; the acts that did not fail if not given."""
        return self._end("resolution", Resolution, actions, intent, confidence, {"reply": reply} if reply else {})

    def escalate(
        self,
        *,
        reason: str = "The agent handed over.",
        intent: str | None = None,
        actions: Iterable[Action] | None = None,
        confidence: Confidence = NOT_REPORTED,
    ) -> R:
        """The agent hands over to a person. What it had done already is verified and audited all the same."""
        return self._end("escalation", Escalation, actions, intent, confidence, {"reason": reason})

    def propose(self, **told: Any) -> R:
        """What the agent would have done, where a person handles the case: see `Aftercare.propose`."""
        return self._care.propose(self.id, **told)

    def feedback(self, kind: str, value: float | None = None, **told: Any) -> R:
        """One piece of feedback: see `Aftercare.feedback`."""
        return self._care.feedback(self.id, kind, value, **told)

    def thumbs(self, step: int, *, up: bool, **told: Any) -> R:
        """The customer's thumb on one reply, by the number of its step: see `Aftercare.thumbs`."""
        return self._care.thumbs(self.id, step, up=up, **told)

    def within(self, function: Callable[P, T]) -> Callable[P, T]:
        """The function as part of this case, for a thread that does not know it: `pool.submit(case.within(f), x)`."""

        def inside(*args: P.args, **kwargs: P.kwargs) -> T:
            def run() -> T:
                current.set(self)
                return function(*args, **kwargs)

            return copy_context().run(run)

        return inside

    def record(self, kind: StepKind, name: str, failed: BaseException | None, told: dict[str, Any]) -> None:
        """A call that the decorator saw, and what it failed with."""
        if failed is not None:
            told = told | {"error": self._told(failed)}
            self._met = id(failed)
        self.step(kind, name, **told)

    def _registration(self) -> tuple[Write, str]:
        """The registration, and what it is known again by: when it was is not part of that."""
        particulars = wire(self._particulars)
        now = self._particulars.opened_at or datetime.now(UTC)
        return write(self.id, "registration", self._particulars.model_copy(update={"opened_at": now})), particulars

    def _begun(self, known: Known | None) -> Self:
        self._trace.go_on(known or Known(), self._after)
        self._tokens.append(current.set(self))
        return self

    def _left(self, error: BaseException | None) -> R:
        """The agent leaves: by an error that is its own, it hands over. An interruption leaves the case to silence."""
        with suppress(ValueError):  # left in another context than entered, which has no case at hand anyway
            current.reset(self._tokens.pop())
        if isinstance(error, Exception) and not self._trace.ended:
            if self._met != id(error):
                self.step(StepKind.REASON, "error", error=self._told(error))
            return self.escalate(reason=self._told(error))
        return self._care.keep(lambda buffer: buffer.close_batches(self.id), self.id, "steps")

    def _end(
        self,
        kind: str,
        model: type[Resolution | Escalation],
        actions: Iterable[Action] | None,
        intent: str | None,
        confidence: Confidence,
        told: dict[str, Any],
    ) -> R:
        with self._trace.lock:
            if self._has_ended(kind):
                return self._care.keep(lambda _: None, self.id, kind)
            id = numbered_id(self.id, kind, self._trace.endings + 1)
            claims = claimed(self._trace.acts if actions is None else actions)
            fields = {"id": id, "intent": intent or self._particulars.intent, "confidence": confidence}
            ending = self._fitted(model, {**fields, "actions": claims, "at": datetime.now(UTC), **told})
            self._trace.end()
            kept = write(self.id, kind, ending)
            return self._care.keep(lambda buffer: buffer.add(kept, ends=True), self.id, kind)

    def _fitted(self, model: type[M], fields: dict[str, Any]) -> M:
        message, reasons = fitted(model, fields)
        if reasons:
            self._care.problems_told.tell("does_not_fit", *reasons, case_id=self.id, kind=model.__name__.lower())
        return message

    def _has_ended(self, kind: str) -> bool:
        if self._trace.ended:
            told = "the case has ended, and nobody has entered it since"
            self._care.problems_told.tell("after_the_ending", told, case_id=self.id, kind=kind)
        return self._trace.ended

    def _told(self, error: BaseException) -> str:
        return f"{type(error).__name__}: {error}" if self._care.error_text else type(error).__name__


def _known(fields: dict[str, Any]) -> dict[str, Any]:
    """What is known of a step; nothing and empty are the same as not told."""
    return {name: value for name, value in fields.items() if value is not None and value != "" and value != {}}


def _action(step: Step) -> Action | None:
    if step.kind is not StepKind.ACT or step.error is not None:
        return None
    return Action.model_validate(
        _known({"name": step.name, "arguments": step.input, "step": step.number, "receipt": step.receipt})
    )
