"""One request over HTTP, and whatever comes of it as an answer: the thin end of both clients."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx

from aftercare.client.answers import Answer
from aftercare.client.sending import Request


def settings(url: str, key: str, timeout: float) -> dict[str, Any]:
    """What an httpx client is made of. No redirection is followed: the key is for this address alone."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return {"base_url": url, "headers": headers, "timeout": timeout, "follow_redirects": False}


def snapshot_of(case_id: str) -> Request:
    """The request for a whole case."""
    return Request("GET", f"/v1/cases/{quote(case_id, safe='')}", "", 0.0)


def ask(http: httpx.Client, request: Request, timeout: float) -> Answer:
    """Send it. Never raises: that nothing came back is an answer too."""
    try:
        return _answer(http.request(**_parts(request, timeout)))
    except Exception as error:  # httpx has many, and so have the libraries below it
        return Answer(0, error=type(error).__name__)


async def ask_async(http: httpx.AsyncClient, request: Request, timeout: float) -> Answer:
    """The same."""
    try:
        return _answer(await http.request(**_parts(request, timeout)))
    except Exception as error:
        return Answer(0, error=type(error).__name__)


def _parts(request: Request, timeout: float) -> dict[str, Any]:
    body = {"content": request.body.encode(), "headers": request.headers} if request.body else {}
    return {"method": request.method, "url": request.path, "timeout": timeout + request.wait, **body}


def _answer(response: httpx.Response) -> Answer:
    return Answer(response.status_code, response.headers, response.content)
