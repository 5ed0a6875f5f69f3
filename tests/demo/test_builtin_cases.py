"""The built-in cases: what they show, and that the shop and people decide how they end."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from aftercare.demo.recorded.files import read
from aftercare.demo.recorded.format import RecordedCase
from aftercare.demo.story import CASES, SHOP
from aftercare.messages.outcome import Outcome
from tests.shop.conftest import app_on, client

BUILT_IN = tuple(read(CASES))
each_case = pytest.mark.parametrize("case", BUILT_IN, ids=lambda case: case.agent.case.id)


@pytest.fixture(scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    path: Path = tmp_path_factory.mktemp("demo") / "shop.sqlite"
    async with client(app_on(path, SHOP), "http://shop/copies/") as speaking:
        yield speaking


def test_there_are_about_twenty_cases_each_with_a_title_and_an_id_of_its_own() -> None:
    """Every case can be told apart and told in a line."""
    ids = {case.agent.case.id for case in BUILT_IN}
    assert len(ids) == len(BUILT_IN) == 20
    assert all(case.title for case in BUILT_IN)


@each_case
async def test_the_shop_answers_each_write_as_recorded(shop: httpx.AsyncClient, case: RecordedCase) -> None:
    """A write is refused by the shop exactly where the recording says so, and corrections go through."""
    copy = case.agent.case.environment
    for step in (s for s in case.agent.steps if s.number in case.agent.writes):
        answer = await shop.post(f"{copy}/tools/{step.name}", json=step.input)
        assert answer.json().get("detail") == step.error
    for correction in case.afterwards.corrections:
        body = {**correction.model_dump(mode="json"), "by": "support-1", "reason": "put right"}
        assert (await shop.post(f"{copy}/staff/correct", json=body)).is_success


@each_case
async def test_what_the_agent_looked_up_is_there(shop: httpx.AsyncClient, case: RecordedCase) -> None:
    """Orders, customers and products that an agent looks up exist in the shop."""
    for step in case.agent.steps:
        if step.name.startswith(("find_", "get_")):
            answer = await shop.post(f"untouched/tools/{step.name}", json=step.input)
            assert answer.is_success
            assert not step.name.startswith("find_") or answer.json()["result"] == step.output


def test_the_cases_show_everything_that_can_be_reported() -> None:
    """All endings, ways of reporting, final actions, deciding things, and kinds of second contact."""
    agents, people = [c.agent for c in BUILT_IN], [c.afterwards for c in BUILT_IN]
    assert {a.ending for a in agents} == {"resolves", "escalates", "falls_silent"}
    assert {a.reported for a in agents} == {"live", "whole"}
    assert {a.confidence == "not_reported" for a in agents} == {True, False}
    assert {p.final.kind for p in people if p.final} == {"actions", "undo", "nothing_to_do"}
    assert {p.deciding.kind for p in people if p.deciding} == {"clause", "step", "fact"}
    assert {p.asks_again for p in people} == {None, "same_issue", "other_issue"}
    assert any(p.csat for p in people)
    assert any(p.comes_back and not p.final for p in people)


@each_case
def test_nothing_the_agent_is_given_says_how_the_case_ends(case: RecordedCase) -> None:
    """No outcome, no title, and no word of what people do later reaches the agent."""
    given = case.agent.model_dump_json()
    assert not re.search(rf"\b({'|'.join(Outcome)})\b", given)
    later = case.afterwards
    assert not any(text and text in given for text in (case.title, later.says, later.rationale, later.comment))
    assert not {"afterwards", "outcome", "title", "csat"} & set(case.agent.model_dump())
