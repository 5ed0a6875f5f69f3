"""triggers: supervisors, detectors, what counts against the agent, firings, datasets, reviews"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from aftercare.store.tables import Utc

revision = "0004"
down_revision = "0003"

JSON = sa.JSON()
UNCOUNTED = ("agent", "handled_by", "baseline", "kind", "received_at", "case_id", "id")


def upgrade() -> None:
    _counting()
    _firings()
    _datasets()
    op.create_table(
        "review",
        sa.Column("id", sa.String(), primary_key=True),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("kind", "case_id", "agent", "standing")),
        sa.Column("drawn_at", Utc(), nullable=False),
        sa.Column("decided_at", Utc(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decision", JSON, nullable=False),
    )
    for column in ("kind", "case_id", "agent", "standing"):
        op.create_index(f"ix_review_{column}", "review", [column])


def _counting() -> None:
    # What is new is found without passing over what was counted: a check costs what it counts.
    uncounted = sa.text("counted_at IS NULL")
    op.create_index(
        "ix_feedback_uncounted", "feedback", [*UNCOUNTED], sqlite_where=uncounted, postgresql_where=uncounted
    )
    op.create_table(
        "supervisor",
        sa.Column("agent", sa.String(), primary_key=True),
        sa.Column("trigger", sa.String(), primary_key=True),
        sa.Column("book", sa.String(), nullable=False),
        sa.Column("checked_at", Utc(), nullable=True),
        sa.Column("paused_by", sa.String(), nullable=False),
        sa.Column("pause_reason", sa.Text(), nullable=False),
        sa.Column("paused_at", Utc(), nullable=True),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("anew", sa.Integer(), nullable=False),
        sa.Column("releases", JSON, nullable=False),
    )
    op.create_table(
        "detector",
        *(
            sa.Column(name, sa.String(), primary_key=True)
            for name in ("agent", "trigger", "detector", "release", "grouping")
        ),
        sa.Column("spec", sa.String(), nullable=False),
        sa.Column("alarmed", sa.Boolean(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("state", JSON, nullable=False),
    )
    op.create_index(
        "ix_detector_alarmed",
        "detector",
        ["agent", "trigger"],
        sqlite_where=sa.text("alarmed = 1"),
        postgresql_where=sa.text("alarmed"),
    )
    op.create_table(
        "against",
        *(sa.Column(name, sa.String(), primary_key=True) for name in ("agent", "trigger", "case_id", "piece")),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("kind", "grouping", "release")),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("firing", sa.String(), nullable=True),
        sa.Column("consumed_at", Utc(), nullable=True),
    )
    op.create_index("ix_against_firing", "against", ["firing"])
    unclaimed = sa.text("firing IS NULL")
    op.create_index(
        "ix_against_unclaimed",
        "against",
        ["agent", "trigger", "grouping", "case_id"],
        sqlite_where=unclaimed,
        postgresql_where=unclaimed,
    )


def _firings() -> None:
    op.create_table(
        "firing",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("trigger", sa.String(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("cost", sa.Float(), nullable=False),
        sa.Column("fired_at", Utc(), nullable=False),
        sa.Column("ended_at", Utc(), nullable=True),
        sa.Column("body", JSON, nullable=False),
    )
    op.create_index("ix_firing_agent", "firing", ["agent", "trigger", "cycle"], unique=True)
    op.create_index("ix_firing_status", "firing", ["status"])


def _datasets() -> None:
    op.create_table(
        "dataset",
        sa.Column("id", sa.String(), primary_key=True),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("agent", "trigger", "digest", "redaction")),
        sa.Column("made_at", Utc(), nullable=False),
        *(sa.Column(name, JSON, nullable=False) for name in ("accounts", "diagnosis", "built")),
    )
    op.create_index("ix_dataset_agent", "dataset", ["agent"])
    op.create_table(
        "example",
        sa.Column("dataset", sa.String(), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True),
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in ("case_id", "problem", "side", "redaction", "digest")
        ),
        *(sa.Column(name, JSON, nullable=False) for name in ("body", "provenance")),
    )
    op.create_index("ix_example_case_id", "example", ["case_id"])
