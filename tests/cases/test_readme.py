"""The README's program runs as it stands."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest

from aftercare.messages.outcome import Outcome, Stage
from aftercare.store.database import Database
from tests.cases.desk import Desk

README = Path(__file__).parents[2] / "README.md"


def program() -> CodeType:
    """The README's program that goes through the gateway, which may await at its top."""
    found = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    (block,) = [block for block in found if "Gateway" in block]
    compiled: CodeType = compile(block, README.name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    return compiled


async def test_the_program_in_the_readme_reports_a_case(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pasted into an async program, it opens a case; the order it claims to have cancelled is not in the shop."""
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'aftercare.db'}")
    await database.migrate()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TEMPORAL_ADDRESS", desk.env.client.service_client.config.target_host)
    names: dict[str, Any] = {}
    running = FunctionType(program(), names)()
    assert inspect.iscoroutine(running)
    await running
    seen = await desk.gateway.snapshot("case-1")
    while seen.stage is not Stage.WATCHING:
        await desk.env.fast_forward(desk.gateway.handle("case-1"), 10)
        seen = await desk.gateway.snapshot("case-1")
    assert seen.outcome is Outcome.FAILED
    await database.close()
