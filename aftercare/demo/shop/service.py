"""The shop over HTTP: tools for agents, corrections for staff, and every record as it stands or stood."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Body, FastAPI, Header, Path
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import JsonValue, ValidationError
from pydantic_core import ErrorDetails
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from aftercare.demo.shop.corrections import corrected
from aftercare.demo.shop.domain import Arguments, Changed, Domain, Read, Record, Refused
from aftercare.demo.shop.faults import Faults
from aftercare.demo.shop.messages import Answer, Correction, FaultPlan, JournalEntry, Ledger, Problem
from aftercare.demo.shop.records import Copy, Database, KeyReused, Request

CopyName = Annotated[str, Path(pattern=r"^[A-Za-z0-9._~-]+$", max_length=200)]
Key = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=200)]


def create_app(database: Database, domain: Domain) -> FastAPI:
    shop = Shop(database, domain)
    app = FastAPI(title="Shop", docs_url=None, redoc_url=None)
    app.post("/copies/{copy}/tools/{tool}", response_model=Answer)(shop.use)
    app.post("/copies/{copy}/staff/correct", response_model=Answer)(shop.correct)
    app.get("/copies/{copy}/records/{kind}/{id}")(shop.record)
    app.get("/copies/{copy}/operations")(shop.operations)
    app.put("/copies/{copy}/faults")(shop.plan_faults)
    app.get("/copies/{copy}/faults")(shop.faults)
    app.get("/health")(shop.health)
    app.exception_handler(HTTPException)(_http_problem)
    app.exception_handler(RequestValidationError)(_malformed)
    return app


class Shop:
    def __init__(self, database: Database, domain: Domain) -> None:
        self._database = database
        self._domain = domain

    def use(
        self, copy: CopyName, tool: str, body: Annotated[dict[str, JsonValue], Body()], key: Key = None
    ) -> Answer | JSONResponse:
        known = self._domain.tools.get(tool)
        if known is None:
            raise HTTPException(404, f"There is no tool {tool}.")
        arguments = _checked(known.arguments, body)
        if isinstance(known, Read):
            return self._look_up(copy, known, arguments)
        return self._change(copy, Request(tool, body, "agent", key), lambda records: known.run(records, arguments))

    def correct(self, copy: CopyName, correction: Correction, key: Key = None) -> Answer | JSONResponse:
        def run(records: Copy) -> Changed:
            kind, _, id = correction.record.partition("/")
            if kind not in self._domain.kinds or not id:
                raise Refused(f"There can be no record {correction.record}.")
            seen = Faults(records).shown(kind, id)
            return Changed(None, {(kind, id): corrected(correction.record, seen, correction.fields)})

        return self._change(copy, Request("correct", correction.model_dump(), "staff", key), run)

    async def record(self, copy: CopyName, kind: str, id: str, before: str | None = None) -> dict[str, Any]:
        found, late = await run_in_threadpool(self._find, copy, kind, id, before)
        await asyncio.sleep(late)
        if found is None:
            raise HTTPException(404, f"There is no record {kind}/{id}.")
        return found

    def operations(self, copy: CopyName) -> list[JournalEntry]:
        with self._database.reading(copy) as records:
            return records.journal()

    def plan_faults(self, copy: CopyName, plan: FaultPlan) -> FaultPlan:
        with self._database.writing(copy) as records:
            try:
                Faults(records).set(plan)
            except Refused as refused:
                raise HTTPException(409, str(refused)) from refused
        return plan

    def faults(self, copy: CopyName) -> Ledger:
        with self._database.reading(copy) as records:
            return Faults(records).ledger()

    def health(self) -> dict[str, str]:
        return {"status": "ok"}

    def _find(self, copy: str, kind: str, id: str, before: str | None) -> tuple[Record | None, float]:
        """The record as it shows now or as an operation met it, and how many seconds late."""
        with self._database.reading(copy) as records:
            faults = Faults(records)
            if faults.down:
                raise HTTPException(503, "The records cannot be read just now.")
            late = faults.plan.slow if faults.plan else 0
            if kind not in self._domain.kinds:
                return None, late
            if before is None:
                return faults.shown(kind, id), late
            return records.find(kind, id, before=_number(records, before)), late

    def _look_up(self, copy: str, tool: Read, arguments: Arguments) -> Answer:
        with self._database.reading(copy) as records:
            try:
                return Answer(operation=None, result=tool.run(records, arguments))
            except Refused as refused:
                raise HTTPException(404, str(refused)) from refused

    def _change(self, copy: str, request: Request, run: Callable[[Copy], Changed]) -> Answer | JSONResponse:
        try:
            with self._database.writing(copy) as records:
                done = records.perform(request, lambda: run(records))
                Faults(records).pass_on(done, request.by)
        except KeyReused as reused:
            raise HTTPException(422, str(reused)) from reused
        if done.refusal is not None:
            return _problem(409, "Refused", done.refusal, done.operation)
        return Answer(operation=done.operation, result=done.result)


def _number(records: Copy, operation: str) -> int:
    number = records.number_of(operation)
    if number is None:
        raise HTTPException(404, f"There is no operation {operation} on this copy.")
    return number


def _checked(arguments: type[Arguments], body: dict[str, JsonValue]) -> Arguments:
    try:
        return arguments.model_validate(body)
    except ValidationError as error:
        raise HTTPException(422, _sentence(error.errors())) from error


def _sentence(errors: list[ErrorDetails]) -> str:
    return "; ".join(f"{'.'.join(str(part) for part in error['loc'])}: {error['msg']}" for error in errors)


def _malformed(_: object, error: RequestValidationError) -> JSONResponse:
    return _problem(422, "Malformed", _sentence(list(error.errors())))


def _http_problem(_: object, error: HTTPException) -> JSONResponse:
    title = {404: "Not found", 422: "Malformed"}.get(error.status_code, "Not possible")
    return _problem(error.status_code, title, error.detail)


def _problem(status: int, title: str, detail: str, operation: str | None = None) -> JSONResponse:
    problem = Problem(title=title, status=status, detail=detail, operation=operation)
    return JSONResponse(problem.model_dump(exclude_none=True), status, media_type="application/problem+json")
