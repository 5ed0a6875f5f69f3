"""The decorator that records each call of a function as a step of whatever case is at hand."""

from __future__ import annotations

import functools
import inspect
import logging
import time
from collections.abc import Callable, Collection
from contextvars import ContextVar
from typing import Any, ParamSpec, Protocol, TypeVar

from aftercare.client.bounded import bounded
from aftercare.messages.base import Json
from aftercare.messages.case import StepKind

P = ParamSpec("P")
R = TypeVar("R")
log = logging.getLogger("aftercare.client")


class Recorder(Protocol):
    """A case that takes steps."""

    def record(self, kind: StepKind, name: str, failed: BaseException | None, told: dict[str, Any]) -> None: ...


current: ContextVar[Recorder | None] = ContextVar("aftercare_case", default=None)


def current_case() -> Any:
    """The case at hand (a Case or an AsyncCase), or None: for hooks that are given no case."""
    return current.get()


def tool(
    kind: StepKind | str,
    *,
    name: str = "",
    receipt: Callable[[Any], object] | None = None,
    omit: Collection[str] = (),
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Record every call of the function below as a step of the case at hand; outside a case it is just called.

    `kind` is a StepKind; `name` the function's own where not given; `receipt` takes what the function gave and tells
    the system of record's name for the operation; `omit` names parameters that are nobody's business. Recorded are
    the arguments by name, defaults too, the result, the seconds it took, and the type of an error, which is raised
    as ever. Works on functions and on coroutine functions. Raises ValueError for a kind there is not.
    """
    step_kind = StepKind(kind)

    def decorated(function: Callable[P, R]) -> Callable[P, R]:
        recording = _Recording(step_kind, name or _name_of(function), function, receipt, frozenset(omit))

        @functools.wraps(function)
        def called(*args: P.args, **kwargs: P.kwargs) -> R:
            case = current.get()
            if case is None:
                return function(*args, **kwargs)
            with _Call(recording, case, args, kwargs) as call:
                call.result = result = function(*args, **kwargs)
            return result

        @functools.wraps(function)
        async def awaited(*args: P.args, **kwargs: P.kwargs) -> Any:
            case = current.get()
            if case is None:
                return await function(*args, **kwargs)  # type: ignore[misc]
            with _Call(recording, case, args, kwargs) as call:
                call.result = result = await function(*args, **kwargs)  # type: ignore[misc]
            return result

        return awaited if inspect.iscoroutinefunction(function) else called  # type: ignore[return-value]

    return decorated


def _name_of(function: Callable[..., Any]) -> str:
    return str(getattr(function, "__name__", type(function).__name__))


class _Recording:
    """How the calls of one function are told."""

    def __init__(
        self,
        kind: StepKind,
        name: str,
        function: Callable[..., Any],
        receipt: Callable[[Any], object] | None,
        omit: frozenset[str],
    ) -> None:
        self.kind, self.name, self._receipt, self._omit = kind, name, receipt, omit
        self._signature = inspect.signature(function)

    def arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Json]:
        """The arguments by name, before the function can change them; empty where they do not fit it."""
        try:
            bound = self._signature.bind(*args, **kwargs)
        except TypeError:
            return {}
        bound.apply_defaults()
        named: dict[str, Any] = {}
        for place, (name, value) in enumerate(bound.arguments.items()):
            is_owner = place == 0 and name in ("self", "cls")
            if self._signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD:
                named |= {key: part for key, part in value.items() if key not in self._omit}
            elif not is_owner and name not in self._omit:
                named[name] = value
        told = bounded(named)
        return told if isinstance(told, dict) else {}

    def receipt_of(self, result: Any) -> str | None:
        """The operation's name in the system of record, where the result tells it."""
        try:
            told = self._receipt(result) if self._receipt else None
        except Exception as error:
            log.warning("no_receipt", extra={"tool": self.name, "error": type(error).__name__})
            return None
        return None if told is None else str(told)


class _Call:
    """One call: from its arguments to what came of it. Nothing that goes wrong here reaches the agent."""

    result: Any = None

    def __init__(self, recording: _Recording, case: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._recording, self._case = recording, case
        self._input = self._safely(lambda: recording.arguments(args, kwargs)) or {}
        self._began = time.perf_counter()

    def __enter__(self) -> _Call:
        return self

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        latency = time.perf_counter() - self._began
        self._safely(lambda: self._record(latency, error))

    def _record(self, latency: float, error: BaseException | None) -> None:
        told = {"input": self._input, "latency": latency}
        if error is None:
            told |= {"output": bounded(self.result), "receipt": self._recording.receipt_of(self.result)}
        self._case.record(self._recording.kind, self._recording.name, error, told)

    def _safely(self, work: Callable[[], Any]) -> Any:
        try:
            return work()
        except Exception as error:
            log.error("not_recorded", extra={"tool": self._recording.name, "error": type(error).__name__})
            return None
