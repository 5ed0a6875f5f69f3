"""The gateway's verbs over HTTP, for `aftercare bench chaos --by api`: the same words, the same errors."""

from __future__ import annotations

from typing import Any

import httpx

from aftercare.delivery import NoAnswerYet
from aftercare.lifecycle.state import Refused
from aftercare.messages.case import Case, Receipt, Resolution, Steps

WAIT = {"Prefer": "wait=10"}


class ThroughApi:
    """Sends what an agent, a person and a channel send. Raises Refused and NoAnswerYet, as the gateway does."""

    def __init__(self, address: str) -> None:
        self._http = httpx.AsyncClient(base_url=address, timeout=30, limits=httpx.Limits(max_connections=100))

    async def register(self, case: Case) -> Receipt:
        """An agent takes up a case."""
        return await self._answered("PUT", f"/v1/cases/{case.id}", case.model_dump(mode="json", exclude_unset=True))

    async def record_steps(self, case_id: str, batch: Steps) -> Receipt:
        """Decision points."""
        told = batch.model_dump(mode="json", exclude_unset=True)
        return await self._answered("POST", f"/v1/cases/{case_id}/steps", told)

    async def resolve(self, case_id: str, resolution: Resolution) -> Receipt:
        """The agent's claim."""
        told = resolution.model_dump(mode="json", exclude_unset=True)
        return await self._answered("POST", f"/v1/cases/{case_id}/resolution", told)

    async def override(self, case_id: str, raw: dict[str, Any]) -> Receipt:
        """A person's correction."""
        return await self._answered("POST", f"/v1/cases/{case_id}/override", raw)

    async def signal(self, case_id: str, kind: str, raw: dict[str, Any]) -> Receipt:
        """Evidence: acknowledged as soon as it is held."""
        paths = {"feedback": "feedback", "recontact": "recontacts", "reopen": "reopenings"}
        return _receipt(await self._sent("POST", f"/v1/cases/{case_id}/{paths[kind]}", raw, {}))

    async def _answered(self, method: str, path: str, body: Any) -> Receipt:
        answer = await self._sent(method, path, body, WAIT)
        if answer.status_code == 202:
            raise NoAnswerYet("held, and its case has not answered yet")
        return _receipt(answer)

    async def _sent(self, method: str, path: str, body: Any, headers: dict[str, str]) -> httpx.Response:
        try:
            answer = await self._http.request(method, path, json=body, headers=headers)
        except httpx.TransportError as error:
            raise NoAnswerYet(f"the API does not answer ({type(error).__name__})") from error
        if answer.status_code >= 500:
            raise NoAnswerYet(f"the API answers {answer.status_code}")
        if answer.status_code >= 400:
            raise Refused(answer.json()["reasons"])
        return answer


def _receipt(answer: httpx.Response) -> Receipt:
    told = answer.json()
    return Receipt(id=told["id"], case_id=told["case_id"])
