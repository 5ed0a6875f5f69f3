"""the inbox: where each message stands, and which batch brought a step"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from aftercare.store.tables import Utc

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    with op.batch_alter_table("evidence") as evidence:
        evidence.add_column(sa.Column("standing", sa.String(), nullable=False, server_default="delivered"))
        evidence.add_column(sa.Column("digest", sa.String(), nullable=False, server_default=""))
        evidence.add_column(sa.Column("sent_at", Utc(), nullable=True))
    op.execute("UPDATE evidence SET standing = 'refused' WHERE NOT accepted")
    with op.batch_alter_table("evidence") as evidence:
        evidence.alter_column("standing", server_default=None)
        evidence.alter_column("digest", server_default=None)
        evidence.drop_column("accepted")
    op.create_index("ix_evidence_standing", "evidence", ["standing"])
    with op.batch_alter_table("step") as step:
        step.add_column(sa.Column("batch", sa.String(), nullable=True))
