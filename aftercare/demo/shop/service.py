"""The shop over HTTP: tools for agents, corrections for staff, and every record as it stands or stood."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Body, FastAPI, Header, Path
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import JsonValue, ValidationError
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException

from aftercare.demo.shop.corrections import corrected
from aftercare.demo.shop.domain import Arguments, Changed, Domain, Read, Records, Refused
from aftercare.demo.shop.messages import Answer, Correction, JournalEntry, Problem
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
        def run(records: Records) -> Changed:
            kind, _, id = correction.record.partition("/")
            record = records.find(kind, id)
            if record is None:
                raise Refused(f"There is no record {correction.record}.")
            return Changed(None, {(kind, id): corrected(record, correction.fields)})

        return self._change(copy, Request("correct", correction.model_dump(), "staff", key), run)

    def record(self, copy: CopyName, kind: str, id: str, before: str | None = None) -> dict[str, Any]:
        with self._database.reading(copy) as records:
            number = _number(records, before) if before is not None else None
            found = records.find(kind, id, before=number) if kind in self._domain.kinds else None
        if found is None:
            raise HTTPException(404, f"There is no record {kind}/{id}.")
        return found

    def operations(self, copy: CopyName) -> list[JournalEntry]:
        with self._database.reading(copy) as records:
            return records.journal()

    def health(self) -> dict[str, str]:
        return {"status": "ok"}

    def _look_up(self, copy: str, tool: Read, arguments: Arguments) -> Answer:
        with self._database.reading(copy) as records:
            try:
                return Answer(operation=None, result=tool.run(records, arguments))
            except Refused as refused:
                raise HTTPException(404, str(refused)) from refused

    def _change(self, copy: str, request: Request, run: Callable[[Records], Changed]) -> Answer | JSONResponse:
        try:
            with self._database.writing(copy) as records:
                done = records.perform(request, lambda: run(records))
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
