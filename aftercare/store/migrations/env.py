"""Alembic's entry point: migrates over the connection it is given."""

from __future__ import annotations

from alembic import context
from sqlmodel import SQLModel

from aftercare.store import release_tables, tables

assert tables.CaseRow.metadata is release_tables.ReleaseRow.metadata is SQLModel.metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
