"""The tables of what is learned and released. Those of cases and evidence are in `tables.py`, where it says how."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, LargeBinary
from sqlmodel import Field, SQLModel

from aftercare.store.tables import _json, _moment, _partly, _text, _time


class ArtifactRow(SQLModel, table=True):
    """A version of something an agent works with, whole, by the SHA-256 of its content: data, and never a program.

    `kind` is classifier, examples, playbook or the like; `manifest` says what it was made of, by which code, and what
    was measured of it.
    """

    __tablename__ = "artifact"
    digest: str = Field(primary_key=True)
    kind: str = Field(index=True)
    manifest: dict[str, Any] = Field(sa_column=_json())
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    made_at: datetime = Field(sa_column=_time())


class ReleaseRow(SQLModel, table=True):
    """A release of an agent. `key` is its proposer's own name for it; `body` holds what is not searched for."""

    __tablename__ = "release"
    __table_args__ = (
        Index("ix_release_number", "agent", "number", unique=True),
        Index("ix_release_stage", "agent", "stage"),
    )
    id: str = Field(primary_key=True)
    key: str = Field(unique=True)
    agent: str
    number: int
    stage: str
    share: float = 0
    champion: str = ""
    firing: str = Field(default="", index=True)
    made_at: datetime = Field(sa_column=_time())
    changed_at: datetime = Field(sa_column=_time())
    body: dict[str, Any] = Field(sa_column=_json())


class HappenedRow(SQLModel, table=True):
    """Something that happened to a release: who did what, and why."""

    __tablename__ = "release_event"
    release: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    what: str
    by: str = ""
    note: str = Field(default="", sa_column=_text())
    at: datetime = Field(sa_column=_time())


class WeighingRow(SQLModel, table=True):
    """What the gates of a step said of a release, with their figures: the last time counts.

    `subject` is a release, or a firing whose challenger never became one.
    """

    __tablename__ = "weighing"
    subject: str = Field(primary_key=True)
    step: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    verdict: str
    body: dict[str, Any] = Field(sa_column=_json())
    at: datetime = Field(sa_column=_time())


class AssignmentRow(SQLModel, table=True):
    """Which release handles a case, or which arm of an experiment: the first answer stands."""

    __tablename__ = "assignment"
    __table_args__ = (Index("ix_assignment_release", "release", "at"), Index("ix_assignment_arm", "experiment", "arm"))
    case_id: str = Field(primary_key=True)
    agent: str
    release: str = ""
    stage: str = ""
    shadow: str = ""
    experiment: str = ""
    arm: str = ""
    at: datetime = Field(sa_column=_time())


class AnswerRow(SQLModel, table=True):
    """What a release made of a case's first words. `seen` is false for an answer in the shadow.

    `score` says how unlike the words are to what the release was trained on. `agreed` is whether the shadow's intent
    was that of the release in force, null until both are known; `watched_at` is when the score was held against what
    is usual.
    """

    __tablename__ = "answer"
    __table_args__ = (
        Index("ix_answer_release", "release", "at"),
        _partly("ix_answer_unwatched", "watched_at IS NULL", "release at"),
    )
    case_id: str = Field(primary_key=True)
    release: str = Field(primary_key=True)
    agent: str
    intent: str
    confidence: float
    score: float | None = None
    autonomous: bool = False
    seen: bool = True
    agreed: bool | None = None
    watched_at: datetime | None = Field(default=None, sa_column=_moment())
    at: datetime = Field(sa_column=_time())


class GoldenRow(SQLModel, table=True):
    """A case of which it is sure what it was about: a challenger must not do worse on it, and never learns it."""

    __tablename__ = "golden"
    agent: str = Field(primary_key=True)
    case_id: str = Field(primary_key=True)
    intent: str = Field(index=True)
    source: str = ""
    at: datetime = Field(sa_column=_time())


class QuarantineRow(SQLModel, table=True):
    """A reviewer whose labels are not learned from: they disagree with others' beyond chance. `lifted_at` ends it."""

    __tablename__ = "quarantine"
    agent: str = Field(primary_key=True)
    reviewer: str = Field(primary_key=True)
    since: datetime = Field(sa_column=_time())
    figures: dict[str, Any] = Field(sa_column=_json())
    lifted_at: datetime | None = Field(default=None, sa_column=_moment())
    lifted_by: str = ""


class TuningRow(SQLModel, table=True):
    """A fine-tuning job of a firing: written before the provider is asked, so that it is asked for one job only.

    `job` is the provider's name for it, `files` those it was given, `body` the rest of what is known of it.
    """

    __tablename__ = "tuning"
    firing: str = Field(primary_key=True)
    job: str = ""
    status: str = "begun"
    model: str = ""
    cost: float = 0
    files: dict[str, Any] = Field(default={}, sa_column=_json())
    body: dict[str, Any] = Field(default={}, sa_column=_json())
    begun_at: datetime = Field(sa_column=_time())
    ended_at: datetime | None = Field(default=None, sa_column=_moment())


class ExperimentRow(SQLModel, table=True):
    """Arms of reasoning strategies that are tried on the cases of one intent. `body` is the message."""

    __tablename__ = "experiment"
    id: str = Field(primary_key=True)
    agent: str = Field(index=True)
    intent: str = ""
    standing: str = Field(index=True)
    begun_at: datetime = Field(sa_column=_time())
    ended_at: datetime | None = Field(default=None, sa_column=_moment())
    body: dict[str, Any] = Field(sa_column=_json())
    verdict: dict[str, Any] = Field(default={}, sa_column=_json())
