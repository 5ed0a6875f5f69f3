"""The HTTP API in memory: what it promises a client, as an httpx transport and as an ASGI app.

It takes in, refuses and remembers as the contract says, and can be down, or answer whatever it is told to.
"""

from __future__ import annotations

import json
import re
import socket
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import uvicorn
from pydantic import ValidationError

from aftercare.messages.case import Case, CaseReport, Escalation, Proposal, Resolution, Step, Steps
from aftercare.messages.evidence import Feedback, Recontact, Reopen
from aftercare.messages.outcome import Snapshot, Stage
from aftercare.messages.override import Override

ROUTES: dict[tuple[str, str], tuple[str, Any]] = {
    ("PUT", ""): ("registration", Case),
    ("POST", "/steps"): ("steps", Steps),
    ("POST", "/resolution"): ("resolution", Resolution),
    ("POST", "/escalation"): ("escalation", Escalation),
    ("PUT", "/report"): ("report", CaseReport),
    ("POST", "/proposals"): ("proposal", Proposal),
    ("POST", "/override"): ("override", Override),
    ("POST", "/feedback"): ("feedback", Feedback),
    ("POST", "/recontacts"): ("recontact", Recontact),
    ("POST", "/reopenings"): ("reopen", Reopen),
}
PLACE = re.compile(r"^/v1/cases/([^/]+)(/[a-z]+)?$")
ENDINGS = ("resolution", "escalation", "report")
Reply = tuple[int, dict[str, str], Any]


@dataclass(frozen=True)
class Received:
    """A message that was taken in, in the order of arrival."""

    case_id: str
    kind: str
    id: str
    body: dict[str, Any]
    headers: dict[str, str]


@dataclass
class Twin:
    """`key` that is asked for; `down` answers nobody; `replies` are given before it looks; `idle` has no worker."""

    key: str = ""
    down: bool = False
    idle: bool = False
    replies: deque[Reply] = field(default_factory=deque)
    taken: list[Received] = field(default_factory=list)
    attempts: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Reply:
        """One request, one at a time. Raises ConnectionError where it is down."""
        with self.lock:
            self.attempts += 1
            if self.down:
                raise ConnectionError
            if self.replies:
                return self.replies.popleft()
            if self.key and headers.get("authorization") != f"Bearer {self.key}":
                return problem(401, "no such key")
            place = PLACE.match(path)
            if method == "GET" and place:
                return self._snapshot(place[1])
            route = ROUTES.get((method, place[2] or "")) if place else None
            if route is None or place is None:
                return problem(404, "there is nothing here")
            return self._take(place[1], route, headers, body)

    def of(self, kind: str, case_id: str | None = None) -> list[Received]:
        """What was taken in of a kind."""
        return [r for r in self.taken if r.kind == kind and case_id in (None, r.case_id)]

    def ids(self, case_id: str | None = None) -> list[str]:
        """The ids of what was taken in, in order."""
        return [r.id for r in self.taken if case_id in (None, r.case_id)]

    def steps(self, case_id: str) -> list[Step]:
        """A case's steps, in the order in which they came."""
        batches = (Steps.model_validate(r.body) for r in self.of("steps", case_id))
        return [step for batch in batches for step in batch.steps]

    def _take(self, case_id: str, route: tuple[str, Any], headers: dict[str, str], body: bytes) -> Reply:
        kind, model = route
        raw = json.loads(body)
        try:
            message = model.model_validate({"id": case_id, **raw} if kind == "registration" else raw)
        except ValidationError as error:
            return problem(422, *(f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in error.errors()))
        there = [r for r in self.taken if (r.case_id, r.id) == (case_id, message.id)]
        if there:
            same = _apart_from_time(there[0].body) == _apart_from_time(raw)
            return self._held(message.id, case_id, headers) if same else problem(409, "used before for another")
        if reasons := self._refusal(case_id, kind, message):
            return problem(*reasons)
        self.taken.append(Received(case_id, kind, message.id, raw, headers))
        return self._held(message.id, case_id, headers)

    def _refusal(self, case_id: str, kind: str, message: Any) -> tuple[int, str] | None:
        if kind in ("steps", "resolution", "escalation"):
            if not self.of("registration", case_id):
                return 422, f"no case {case_id!r} is open"
            ended = [r.kind for r in self.taken if r.case_id == case_id and r.kind in (*ENDINGS, "reopen")]
            if ended and ended[-1] != "reopen":
                return 422, f"it is not the agent's turn in case {case_id!r}"
        if kind == "steps" and {s.number for s in message.steps} & {s.number for s in self.steps(case_id)}:
            return 409, "a step's number is in use"
        return None

    def _held(self, id: str, case_id: str, headers: dict[str, str]) -> Reply:
        waits = "prefer" in headers and not self.idle
        told = {"id": id, "case_id": case_id, "message": f"/v1/cases/{case_id}/messages/{id}"}
        return (200 if waits else 202), {}, {**told, "standing": "delivered" if waits else "waiting"}

    def _snapshot(self, case_id: str) -> Reply:
        if not self.of("registration", case_id):
            return problem(404, f"nobody has heard of case {case_id!r}")
        case = Case.model_validate(self.of("registration", case_id)[0].body)
        ended = any(r.kind in ENDINGS for r in self.taken if r.case_id == case_id)
        stage = Stage.WATCHING if ended else Stage.RESOLVING
        return 200, {}, Snapshot(case_id=case_id, stage=stage, case=case).model_dump(mode="json")

    def transport(self) -> httpx.MockTransport:
        """In the place of the network, for clients of both kinds."""

        def handle(request: httpx.Request) -> httpx.Response:
            headers = {name.lower(): value for name, value in request.headers.items()}
            try:
                status, told, body = self.answer(request.method, request.url.path, headers, request.read())
            except ConnectionError:
                raise httpx.ConnectError("nobody is there") from None
            return httpx.Response(status, headers=told | _type_of(status), content=json.dumps(body))

        return httpx.MockTransport(handle)

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        """As an ASGI app; while it is down it answers 503."""
        body, more = b"", True
        while more:
            part = await receive()
            body, more = body + part.get("body", b""), part.get("more_body", False)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        try:
            status, told, answer = self.answer(scope["method"], scope["path"], headers, body)
        except ConnectionError:
            status, told, answer = problem(503, "down")
        raw = [(k.encode(), v.encode()) for k, v in (told | _type_of(status)).items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    @contextmanager
    def served(self) -> Iterator[str]:
        """On this machine, in a thread, for as long as the block lasts; gives the address."""
        with socket.create_server(("127.0.0.1", 0)) as held:
            config = uvicorn.Config(self.app, interface="asgi3", log_level="warning", access_log=False, lifespan="off")
            server = uvicorn.Server(config)
            thread = threading.Thread(target=server.run, kwargs={"sockets": [held]}, daemon=True)
            thread.start()
            try:
                yield "http://{}:{}".format(*held.getsockname())
            finally:
                server.should_exit = True
                thread.join()


def problem(status: int, *reasons: str, **headers: str) -> Reply:
    """An error as the API tells it."""
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, told, {"title": "no", "status": status, "detail": reasons[0], "reasons": list(reasons)}


def _type_of(status: int) -> dict[str, str]:
    return {"content-type": "application/json" if status < 400 else "application/problem+json"}


def _apart_from_time(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "opened_at"}
