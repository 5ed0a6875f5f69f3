"""the first schema"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from aftercare.store.tables import Utc

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "episode",
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("handled_by", sa.String(), nullable=False),
        sa.Column("ending", sa.String(), nullable=True),
        sa.Column("intent", sa.String(), nullable=False),
        sa.Column("verification", sa.String(), nullable=True),
        sa.Column("policy_verdict", sa.String(), nullable=True),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "number"),
    )
    op.create_index("ix_episode_policy_verdict", "episode", ["policy_verdict"])
    op.create_index("ix_episode_verification", "episode", ["verification"])
    op.create_table(
        "evidence",
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "id"),
    )
    op.create_index("ix_evidence_kind", "evidence", ["kind"])
    op.create_table(
        "finding",
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("episode", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("clause", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "episode", "rule", "step"),
    )
    op.create_index("ix_finding_clause", "finding", ["clause"])
    op.create_index("ix_finding_verdict", "finding", ["verdict"])
    op.create_table(
        "policy_book",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("domain", sa.String(), nullable=False),
        sa.Column("texts", sa.Text(), nullable=False),
        sa.Column("stored_at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index("ix_policy_book_domain", "policy_book", ["domain"])
    op.create_table(
        "settlement",
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("settled_at", Utc(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("state", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "revision"),
    )
    op.create_index("ix_settlement_outcome", "settlement", ["outcome"])
    op.create_table(
        "step",
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "number"),
    )
    op.create_table(
        "support_case",
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("domain", sa.String(), nullable=False),
        sa.Column("release", sa.String(), nullable=True),
        sa.Column("customer", sa.String(), nullable=True),
        sa.Column("intent", sa.String(), nullable=False),
        sa.Column("book", sa.String(), nullable=False),
        sa.Column("opened_at", Utc(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("case_id"),
    )
    op.create_index("ix_support_case_agent", "support_case", ["agent"])
