"""The store's tables, each with its natural key, so that writing the same thing twice writes it once.

Wire models are not tables: what a history holds outlives what a table looks like. A `body` column keeps the whole
message as JSON; the columns beside it are what is searched for.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, Column, DateTime, Dialect, Text, TypeDecorator
from sqlmodel import Field, SQLModel

from aftercare.messages.work import Standing


class Utc(TypeDecorator[datetime]):
    """A time with its zone, on SQLite too, which keeps none."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Times are kept in UTC."""
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Times come back in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _json() -> Any:
    return Column(JSON, nullable=False)


def _text() -> Any:
    return Column(Text, nullable=False)


def _time() -> Any:
    return Column(Utc, nullable=False)


def _moment() -> Any:
    return Column(Utc, nullable=True)


class BookRow(SQLModel, table=True):
    """A policy book, whole, by its digest: an old case can be audited again under the clauses it knew."""

    __tablename__ = "policy_book"
    digest: str = Field(primary_key=True)
    domain: str = Field(index=True)
    texts: str = Field(sa_column=_text())
    stored_at: datetime = Field(sa_column=_time())


class CaseRow(SQLModel, table=True):
    """A registered case.

    `stage` is what the store knows of it: `resolving`, then `watching` once it was audited, then `settled`; `intent`,
    `confidence` and `verdict` follow its latest episode, `outcome` its latest settlement. `erased_at` is when every
    trace of its customer went.
    """

    __tablename__ = "support_case"
    case_id: str = Field(primary_key=True)
    agent: str = Field(index=True)
    domain: str
    release: str | None = None
    customer: str | None = Field(default=None, index=True)
    intent: str = "unknown"
    book: str
    opened_at: datetime = Field(sa_column=Column(Utc, nullable=False, index=True))
    body: dict[str, Any] = Field(sa_column=_json())
    handled_by: str = "agent"
    ticket: str | None = Field(default=None, index=True)
    stage: str = "resolving"
    outcome: str | None = None
    verdict: str | None = None
    confidence: float | None = None
    erased_at: datetime | None = Field(default=None, sa_column=_moment())


class StepRow(SQLModel, table=True):
    """A decision point of a case's trace. `batch` is the message that brought it, where it came by the inbox."""

    __tablename__ = "step"
    case_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    kind: str
    name: str
    batch: str | None = None
    body: dict[str, Any] = Field(sa_column=_json())


class EvidenceRow(SQLModel, table=True):
    """The inbox: every message about a case, by the id its sender gave it, committed before the case hears of it.

    `standing` begins as `waiting` and ends as `delivered`, `refused` or `orphan`. `sent_at` is when Temporal last took
    it over, `digest` that of the message's canonical JSON, `at` when it came, `by` who sent it.
    """

    __tablename__ = "evidence"
    case_id: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    kind: str = Field(index=True)
    standing: str = Field(index=True)
    digest: str
    reasons: list[str] = Field(sa_column=_json())
    body: Any = Field(sa_column=_json())
    at: datetime = Field(sa_column=_time())
    sent_at: datetime | None = Field(default=None, sa_column=_moment())
    by: str | None = None

    @property
    def accepted(self) -> bool:
        """Whether the case took it in."""
        return self.standing == Standing.DELIVERED


class EpisodeRow(SQLModel, table=True):
    """An attempt to end a case, with what verification and audit made of it."""

    __tablename__ = "episode"
    case_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    handled_by: str
    ending: str | None = None
    intent: str = "unknown"
    verification: str | None = Field(default=None, index=True)
    policy_verdict: str | None = Field(default=None, index=True)
    body: dict[str, Any] = Field(sa_column=_json())


class FindingRow(SQLModel, table=True):
    """A rule applied to a step."""

    __tablename__ = "finding"
    case_id: str = Field(primary_key=True)
    episode: int = Field(primary_key=True)
    rule: str = Field(primary_key=True)
    step: int = Field(primary_key=True)
    clause: str = Field(index=True)
    verdict: str = Field(index=True)
    severity: str
    sentence: str = Field(sa_column=_text())
    facts: dict[str, Any] = Field(sa_column=_json())


class SettlementRow(SQLModel, table=True):
    """How a run of a case ended. A later run adds a revision of its own; `state` is what it goes on from."""

    __tablename__ = "settlement"
    case_id: str = Field(primary_key=True)
    revision: int = Field(primary_key=True)
    run_id: str
    outcome: str = Field(index=True)
    settled_at: datetime = Field(sa_column=_time())
    body: dict[str, Any] = Field(sa_column=_json())
    state: dict[str, Any] = Field(sa_column=_json())


class FeedbackRow(SQLModel, table=True):
    """One piece of evidence of any of the six families: sent by people and machines, or computed from the case.

    `id` is its sender's, or `computed/{kind}/{episode}`. `value` is in `unit`; unknown is null, never zero.
    `counted_at` is when a detector took it up: each piece counts once. `baseline` marks what was imported, which
    starts nothing.
    """

    __tablename__ = "feedback"
    case_id: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    agent: str
    release: str | None = None
    intent: str = "unknown"
    handled_by: str = "agent"
    family: str
    kind: str = Field(index=True)
    value: float | None = None
    unit: str = ""
    step: int | None = None
    payload: dict[str, Any] = Field(default={}, sa_column=_json())
    source: str = ""
    occurred_at: datetime = Field(sa_column=_time())
    received_at: datetime = Field(sa_column=Column(Utc, nullable=False, index=True))
    counted_at: datetime | None = Field(default=None, sa_column=_moment())
    baseline: bool = False


class OutboxRow(SQLModel, table=True):
    """What is to be sent or worked out once a case got so far, committed with what called for it.

    `kind` is `survey` or `sentiment`. `standing` begins as `waiting` and ends as `sent`, `failed` or `dropped`;
    `due_at` is when it is tried (again), `reason` why it was not sent yet.
    """

    __tablename__ = "outbox"
    case_id: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    kind: str
    standing: str = Field(index=True)
    body: dict[str, Any] = Field(sa_column=_json())
    attempts: int = 0
    reason: str = ""
    at: datetime = Field(sa_column=_time())
    due_at: datetime = Field(sa_column=_time())
    sent_at: datetime | None = Field(default=None, sa_column=_moment())


class KeyRow(SQLModel, table=True):
    """An API key: only the SHA-256 of its secret is kept. `agent` limits a key to the cases of one agent."""

    __tablename__ = "api_key"
    id: str = Field(primary_key=True)
    name: str
    role: str
    agent: str | None = None
    digest: str
    created_at: datetime = Field(sa_column=_time())
    created_by: str
    revoked_at: datetime | None = Field(default=None, sa_column=_moment())


class HistoryRow(SQLModel, table=True):
    """A case of the time before, imported to compare with. Unknown is null. `cost` is in the deployment's currency."""

    __tablename__ = "history"
    source: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    customer: str | None = None
    agent: str = ""
    handled_by: str = "human"
    intent: str = "unknown"
    opened_at: datetime = Field(sa_column=_time())
    resolved_at: datetime | None = Field(default=None, sa_column=_moment())
    reopened_at: datetime | None = Field(default=None, sa_column=_moment())
    recontacted_at: datetime | None = Field(default=None, sa_column=_moment())
    csat: float | None = None
    cost: float | None = None
    handling_time: float | None = None
    body: dict[str, Any] = Field(default={}, sa_column=_json())


class ErasureRow(SQLModel, table=True):
    """The receipt of an erasure: how much went from where, and nothing about whom."""

    __tablename__ = "erasure"
    id: str = Field(primary_key=True)
    at: datetime = Field(sa_column=_time())
    by: str
    erased: dict[str, Any] = Field(sa_column=_json())
