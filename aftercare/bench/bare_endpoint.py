"""What `aftercare bench ingest` is held against: a bare endpoint that inserts one row per request, and does no more."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import uvicorn
from fastapi import FastAPI
from sqlmodel import Field, SQLModel

from aftercare.messages.evidence import Feedback
from aftercare.store.database import Database
from aftercare.store.tables import Utc


class BareRow(SQLModel, table=True):
    """A piece of feedback, as it came."""

    __tablename__ = "bare_feedback"
    case_id: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    body: str
    at: datetime = Field(sa_type=Utc)


def bare_app(database: Database) -> FastAPI:
    """The endpoint: the same message is read, and one row of it is inserted in a transaction of its own."""

    @asynccontextmanager
    async def running(_app: FastAPI) -> AsyncIterator[None]:
        async with database.engine.begin() as connection:
            await connection.run_sync(BareRow.__table__.create, checkfirst=True)  # type: ignore[attr-defined]
        yield
        await database.close()

    app = FastAPI(lifespan=running)

    @app.post("/v1/cases/{case_id}/feedback", status_code=202)
    async def feedback(case_id: str, feedback: Feedback) -> dict[str, str]:
        async with database.session() as session:
            body = json.dumps(feedback.model_dump(mode="json", exclude_unset=True))
            session.add(BareRow(case_id=case_id, id=feedback.id, body=body, at=datetime.now(UTC)))
        return {"id": feedback.id}

    return app


async def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m aftercare.bench.bare_endpoint")
    parser.add_argument("--database", required=True)
    parser.add_argument("--port", type=int, required=True)
    wanted = parser.parse_args()
    config = uvicorn.Config(bare_app(Database(wanted.database)), "127.0.0.1", wanted.port, log_level="warning")
    config.access_log = False
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn tells nobody
        await asyncio.sleep(0.02)
    print("bare ready", flush=True)
    await serving


if __name__ == "__main__":
    asyncio.run(main())
