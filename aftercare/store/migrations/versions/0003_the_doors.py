"""the doors: feedback, outbox, keys, imported history, erasures; a case's standing, a message's sender"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from aftercare.store.tables import Utc

revision = "0003"
down_revision = "0002"

JSON = sa.JSON()


def upgrade() -> None:
    _cases()
    with op.batch_alter_table("evidence") as evidence:
        evidence.add_column(sa.Column("by", sa.String(), nullable=True))
    _feedback()
    _outbox()
    _keys()
    _history()
    op.create_table(
        "erasure",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("erased", JSON, nullable=False),
    )


def _cases() -> None:
    with op.batch_alter_table("support_case") as case:
        case.add_column(sa.Column("handled_by", sa.String(), nullable=False, server_default="agent"))
        case.add_column(sa.Column("ticket", sa.String(), nullable=True))
        case.add_column(sa.Column("stage", sa.String(), nullable=False, server_default="resolving"))
        case.add_column(sa.Column("outcome", sa.String(), nullable=True))
        case.add_column(sa.Column("verdict", sa.String(), nullable=True))
        case.add_column(sa.Column("confidence", sa.Float(), nullable=True))
        case.add_column(sa.Column("erased_at", Utc(), nullable=True))
    latest = "SELECT outcome FROM settlement s WHERE s.case_id = support_case.case_id ORDER BY revision DESC LIMIT 1"
    verdict = "SELECT policy_verdict FROM episode e WHERE e.case_id = support_case.case_id ORDER BY number DESC LIMIT 1"
    op.execute(f"UPDATE support_case SET outcome = ({latest}), verdict = ({verdict})")  # noqa: S608
    op.execute("UPDATE support_case SET stage = 'settled' WHERE outcome IS NOT NULL")
    with op.batch_alter_table("support_case") as case:
        case.alter_column("handled_by", server_default=None)
        case.alter_column("stage", server_default=None)
    for column in ("customer", "ticket", "opened_at"):
        op.create_index(f"ix_support_case_{column}", "support_case", [column])


def _feedback() -> None:
    op.create_table(
        "feedback",
        sa.Column("case_id", sa.String(), primary_key=True),
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("release", sa.String(), nullable=True),
        sa.Column("intent", sa.String(), nullable=False),
        sa.Column("handled_by", sa.String(), nullable=False),
        sa.Column("family", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=True),
        sa.Column("payload", JSON, nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("occurred_at", Utc(), nullable=False),
        sa.Column("received_at", Utc(), nullable=False),
        sa.Column("counted_at", Utc(), nullable=True),
        sa.Column("baseline", sa.Boolean(), nullable=False),
    )
    op.create_index("ix_feedback_kind", "feedback", ["kind"])
    op.create_index("ix_feedback_received_at", "feedback", ["received_at"])


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("case_id", sa.String(), primary_key=True),
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("standing", sa.String(), nullable=False),
        sa.Column("body", JSON, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("due_at", Utc(), nullable=False),
        sa.Column("sent_at", Utc(), nullable=True),
    )
    op.create_index("ix_outbox_standing", "outbox", ["standing"])


def _keys() -> None:
    op.create_table(
        "api_key",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=True),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("revoked_at", Utc(), nullable=True),
    )


def _history() -> None:
    moments = ("resolved_at", "reopened_at", "recontacted_at")
    op.create_table(
        "history",
        sa.Column("source", sa.String(), primary_key=True),
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("customer", sa.String(), nullable=True),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("handled_by", sa.String(), nullable=False),
        sa.Column("intent", sa.String(), nullable=False),
        sa.Column("opened_at", Utc(), nullable=False),
        *(sa.Column(name, Utc(), nullable=True) for name in moments),
        *(sa.Column(name, sa.Float(), nullable=True) for name in ("csat", "cost", "handling_time")),
        sa.Column("body", JSON, nullable=False),
    )
