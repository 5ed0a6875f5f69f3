"""learning: artifacts, releases and their trials, assignments, answers, golden cases, reviewers, tuning, experiments"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from aftercare.store.tables import Utc

revision = "0005"
down_revision = "0004"

JSON = sa.JSON()


def upgrade() -> None:
    _releases()
    _cases()
    _learning()


def _releases() -> None:
    op.create_table(
        "artifact",
        _key("digest"),
        _text("kind"),
        sa.Column("manifest", JSON, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        _time("made_at"),
    )
    op.create_index("ix_artifact_kind", "artifact", ["kind"])
    op.create_table(
        "release",
        _key("id"),
        sa.Column("key", sa.String(), nullable=False, unique=True),
        _text("agent"),
        sa.Column("number", sa.Integer(), nullable=False),
        _text("stage"),
        sa.Column("share", sa.Float(), nullable=False),
        _text("champion"),
        _text("firing"),
        _time("made_at"),
        _time("changed_at"),
        sa.Column("body", JSON, nullable=False),
    )
    op.create_index("ix_release_number", "release", ["agent", "number"], unique=True)
    op.create_index("ix_release_stage", "release", ["agent", "stage"])
    op.create_index("ix_release_firing", "release", ["firing"])
    op.create_table(
        "release_event",
        _key("release"),
        sa.Column("number", sa.Integer(), primary_key=True),
        _text("what"),
        _text("by"),
        sa.Column("note", sa.Text(), nullable=False),
        _time("at"),
    )
    op.create_table(
        "weighing",
        _key("subject"),
        _key("step"),
        sa.Column("number", sa.Integer(), primary_key=True),
        _text("verdict"),
        sa.Column("body", JSON, nullable=False),
        _time("at"),
    )
    op.create_table(
        "experiment",
        _key("id"),
        _text("agent"),
        _text("intent"),
        _text("standing"),
        _time("begun_at"),
        _time("ended_at", nullable=True),
        sa.Column("body", JSON, nullable=False),
        sa.Column("verdict", JSON, nullable=False),
    )
    for column in ("agent", "standing"):
        op.create_index(f"ix_experiment_{column}", "experiment", [column])


def _cases() -> None:
    op.create_table(
        "assignment",
        _key("case_id"),
        *map(_text, ("agent", "release", "stage", "shadow", "experiment", "arm")),
        _time("at"),
    )
    op.create_index("ix_assignment_release", "assignment", ["release", "at"])
    op.create_index("ix_assignment_arm", "assignment", ["experiment", "arm"])
    op.create_table(
        "answer",
        _key("case_id"),
        _key("release"),
        _text("agent"),
        _text("intent"),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("autonomous", sa.Boolean(), nullable=False),
        sa.Column("seen", sa.Boolean(), nullable=False),
        sa.Column("agreed", sa.Boolean(), nullable=True),
        _time("watched_at", nullable=True),
        _time("at"),
    )
    op.create_index("ix_answer_release", "answer", ["release", "at"])
    unwatched = sa.text("watched_at IS NULL")
    op.create_index(
        "ix_answer_unwatched", "answer", ["release", "at"], sqlite_where=unwatched, postgresql_where=unwatched
    )
    op.create_table("golden", _key("agent"), _key("case_id"), _text("intent"), _text("source"), _time("at"))
    op.create_index("ix_golden_intent", "golden", ["intent"])


def _learning() -> None:
    op.create_table(
        "quarantine",
        _key("agent"),
        _key("reviewer"),
        _time("since"),
        sa.Column("figures", JSON, nullable=False),
        _time("lifted_at", nullable=True),
        _text("lifted_by"),
    )
    op.create_table(
        "tuning",
        _key("firing"),
        *map(_text, ("job", "status", "model")),
        sa.Column("cost", sa.Float(), nullable=False),
        sa.Column("files", JSON, nullable=False),
        sa.Column("body", JSON, nullable=False),
        _time("begun_at"),
        _time("ended_at", nullable=True),
    )


def _key(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), primary_key=True)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=False)


def _time(name: str, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, Utc(), nullable=nullable)
