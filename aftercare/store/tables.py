"""The store's tables, each with its natural key, so that writing the same thing twice writes it once.

Wire models are not tables: what a history holds outlives what a table looks like. A `body` column keeps the whole
message as JSON; the columns beside it are what is searched for.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import JSON, Column, DateTime, Dialect, Index, Text, TypeDecorator, text
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


_json = partial(Column, JSON, nullable=False)
_text = partial(Column, Text, nullable=False)
_time = partial(Column, Utc, nullable=False)
_moment = partial(Column, Utc, nullable=True)


def _partly(name: str, where: str, columns: str) -> Index:
    """An index over those rows alone for which something holds."""
    return Index(name, *columns.split(), sqlite_where=text(where), postgresql_where=text(where))


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
    `received_at` is when its value came. `counted_at` is when a detector took it up: each piece counts once, and once
    more when its value changes. `baseline` marks what was imported, which starts nothing.
    """

    __tablename__ = "feedback"
    # What is new is found without passing over what was counted: a check costs what it counts.
    __table_args__ = (
        _partly(
            "ix_feedback_uncounted",
            "counted_at IS NULL",
            "agent handled_by baseline kind received_at case_id id",
        ),
    )
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


class SupervisorRow(SQLModel, table=True):
    """A row of the matrix as it watches one agent. `book` is the digest of the trigger book it was last checked by.

    Whoever counts or fires holds this row for as long: one at a time. `paused_by` is empty where it is not paused;
    `paused_at` is when it was last paused or let go on. `cycle` is the last that fired, `anew` the last with which all
    detectors began anew, and `releases` are those seen last.
    """

    __tablename__ = "supervisor"
    agent: str = Field(primary_key=True)
    trigger: str = Field(primary_key=True)
    book: str = ""
    checked_at: datetime | None = Field(default=None, sa_column=_moment())
    paused_by: str = ""
    pause_reason: str = Field(default="", sa_column=_text())
    paused_at: datetime | None = Field(default=None, sa_column=_moment())
    cycle: int = 0
    anew: int = 0
    releases: list[str] = Field(default=[], sa_column=_json())


class DetectorRow(SQLModel, table=True):
    """What a detector knows of one group under one release, written with the marks on what it counted.

    `detector` is its name within the row, or `waiting` for the count of what no firing has claimed, or `anew` for the
    cycle with which a group began anew; `spec` the digest of how it was declared, since an edited one begins anew, and
    `cycle` the last that had fired when it was written.
    """

    __tablename__ = "detector"
    __table_args__ = (
        Index(
            "ix_detector_alarmed",
            *("agent", "trigger"),
            sqlite_where=text("alarmed = 1"),
            postgresql_where=text("alarmed"),
        ),
    )
    agent: str = Field(primary_key=True)
    trigger: str = Field(primary_key=True)
    detector: str = Field(primary_key=True)
    release: str = Field(primary_key=True)
    grouping: str = Field(primary_key=True)
    spec: str = ""
    alarmed: bool = False
    cycle: int = 0
    state: dict[str, Any] = Field(sa_column=_json())


class AgainstRow(SQLModel, table=True):
    """A piece of evidence that counts against the agent, as one row of the matrix counted it.

    `firing` is the one that claimed it, null until then; `consumed_at` when its improvement was released or refused.
    """

    __tablename__ = "against"
    __table_args__ = (_partly("ix_against_unclaimed", "firing IS NULL", "agent trigger grouping case_id"),)
    agent: str = Field(primary_key=True)
    trigger: str = Field(primary_key=True)
    case_id: str = Field(primary_key=True)
    piece: str = Field(primary_key=True)
    kind: str
    grouping: str = ""
    release: str = ""
    at: datetime = Field(sa_column=_time())
    firing: str | None = Field(default=None, index=True)
    consumed_at: datetime | None = Field(default=None, sa_column=_moment())


class FiringRow(SQLModel, table=True):
    """A trigger that fired. `body` is the message, as it was when it fired; `cost` what its improvement cost."""

    __tablename__ = "firing"
    __table_args__ = (Index("ix_firing_agent", "agent", "trigger", "cycle", unique=True),)
    id: str = Field(primary_key=True)
    agent: str
    trigger: str
    cycle: int
    status: str = Field(index=True)
    note: str = Field(default="", sa_column=_text())
    cost: float = 0
    fired_at: datetime = Field(sa_column=_time())
    ended_at: datetime | None = Field(default=None, sa_column=_moment())
    body: dict[str, Any] = Field(sa_column=_json())


class DatasetRow(SQLModel, table=True):
    """What a firing froze. `digest` is that of its rows; `accounts` says what became of every piece it had claimed.

    `diagnosis` is written from the rows alone, and anew where an erasure took some of them. `built` names what was
    made of it.
    """

    __tablename__ = "dataset"
    id: str = Field(primary_key=True)
    agent: str = Field(index=True)
    trigger: str
    digest: str
    redaction: str
    made_at: datetime = Field(sa_column=_time())
    accounts: list[dict[str, Any]] = Field(sa_column=_json())
    diagnosis: dict[str, Any] = Field(default={}, sa_column=_json())
    built: list[str] = Field(default=[], sa_column=_json())


class ExampleRow(SQLModel, table=True):
    """A case in a dataset, redacted. `problem` is shared by all cases of one customer's problem, `side` by all of it.

    `digest` is that of `body`; `provenance` says which pieces, settlement and book it was made of.
    """

    __tablename__ = "example"
    dataset: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    case_id: str = Field(index=True)
    problem: str
    side: str
    redaction: str
    digest: str
    body: dict[str, Any] = Field(sa_column=_json())
    provenance: dict[str, Any] = Field(sa_column=_json())


class ReviewRow(SQLModel, table=True):
    """Something for a person to look at and decide: `kind` is `audit` for a case drawn at random when it was opened."""

    __tablename__ = "review"
    id: str = Field(primary_key=True)
    kind: str = Field(index=True)
    case_id: str = Field(index=True)
    agent: str = Field(index=True)
    standing: str = Field(default="open", index=True)
    drawn_at: datetime = Field(sa_column=_time())
    decided_at: datetime | None = Field(default=None, sa_column=_moment())
    decided_by: str | None = None
    decision: dict[str, Any] = Field(default={}, sa_column=_json())
