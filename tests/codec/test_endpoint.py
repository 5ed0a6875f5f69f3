"""The endpoint opens payloads for those who may read them, and tells nobody else anything."""

from __future__ import annotations

from base64 import b64encode
from typing import Annotated, Any

import httpx
import pytest
from fastapi import FastAPI, Header, HTTPException
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload

from aftercare.codec import EncryptionCodec, Keys, new_key
from aftercare.web.codec import codec_routes
from aftercare.web.problems import MEDIA_TYPE, answer_with_problems
from tests.codec.conftest import CODEC
from tests.codec.raw import UI, endpoint

REVIEWER = {"authorization": "Bearer reviewer"}
WORDS = Payload(metadata={"encoding": b"json/plain"}, data=b'"Cancel my order, says Ann."')


def reviewers(authorization: Annotated[str, Header()] = "") -> None:
    """As the API's roles do it: a dependency that raises where somebody may not."""
    if authorization != REVIEWER["authorization"]:
        raise HTTPException(401, "say who you are")


def guarded() -> httpx.AsyncClient:
    app = FastAPI()
    app.include_router(codec_routes(CODEC, reviewers, [UI]), prefix="/v1/codec")
    answer_with_problems(app)
    http = endpoint(app)
    http.base_url = httpx.URL("http://codec/v1/codec")
    return http


async def sealed(payload: Payload = WORDS, by: EncryptionCodec = CODEC) -> dict[str, Any]:
    return MessageToDict((await by.encode([payload]))[0])


async def answer(path: str = "/decode", **request: Any) -> httpx.Response:
    async with guarded() as http:
        return await http.post(path, headers=REVIEWER | request.pop("headers", {}), **request)


async def test_what_was_sealed_comes_back_in_clear_and_in_order() -> None:
    """A payload that was never encrypted stays as it is."""
    told = await answer(json={"payloads": [await sealed(), MessageToDict(WORDS)]})
    assert told.status_code == 200
    assert told.json() == {"payloads": [MessageToDict(WORDS)] * 2}


@given(st.lists(st.builds(dict, data=st.binary().map(lambda b: b64encode(b).decode())), max_size=5))
async def test_what_is_encoded_can_be_decoded(payloads: list[dict[str, Any]]) -> None:
    """As the UI does it before it sends an Update or a Signal."""
    encoded = (await answer("/encode", json={"payloads": payloads})).json()
    assert all(p["metadata"]["encoding"] == b64encode(b"binary/encrypted").decode() for p in encoded["payloads"])
    assert (await answer(json=encoded)).json()["payloads"] == [{"metadata": {}, **p} for p in payloads]


@pytest.mark.parametrize("path", ["/decode", "/encode"])
async def test_who_may_not_read_is_told_nothing(path: str) -> None:
    """The given dependency decides, before anything is opened."""
    async with guarded() as http:
        told = await http.post(path, json={"payloads": [await sealed()]}, headers={"origin": UI})
    assert told.status_code == 401
    assert "Ann" not in told.text


async def test_the_ui_of_our_origin_may_call() -> None:
    """The browser asks first, and may read the answer, an error too."""
    asked = {
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,x-namespace",
    }
    async with guarded() as http:
        preflight = await http.options("/decode", headers={"origin": UI, **asked})
        refused = await http.post("/decode", json={"payloads": []}, headers={"origin": UI})
    assert preflight.status_code == 200
    for told in (preflight, refused):
        assert told.headers["access-control-allow-origin"] == UI
        assert told.headers["access-control-allow-credentials"] == "true"


async def test_a_page_of_another_origin_may_not() -> None:
    """Its browser keeps the answer from it."""
    async with guarded() as http:
        evil = {"origin": "http://evil.example", "access-control-request-method": "POST"}
        assert (await http.options("/decode", headers=evil)).status_code == 400
        told = await http.post("/decode", json={"payloads": []}, headers=REVIEWER | evil)
    assert "access-control-allow-origin" not in told.headers


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{not json",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"payloads": {}}',
        b'{"payloads": ["x"]}',
        b'{"payloads": [{"data": "no base64!"}]}',
        b'{"payloads": [{"data": "YQ"}]}',
        b'{"payloads": [{"data": "YQ==\\n"}]}',
        b'{"payloads": [{"data": 7}]}',
        b'{"payloads": [{"metadata": {"encoding": "?"}}]}',
        b'{"payloads": [{"metadata": []}]}',
        b'{"payloads": [{"metadata": {"\\ud800": "YQ=="}}]}',
        b'{"payloads": [{"metadata": {"\\ud800": "?"}}]}',
        b'{"payloads": [{"data": "\\ud800"}]}',
    ],
)
@pytest.mark.parametrize("path", ["/decode", "/encode"])
async def test_what_is_no_list_of_payloads_is_a_problem(path: str, body: bytes) -> None:
    """Whatever it is instead."""
    told = await answer(path, content=body, headers={"content-type": "application/json"})
    assert told.status_code in (400, 422)
    assert told.headers["content-type"] == MEDIA_TYPE


async def test_null_is_empty() -> None:
    """As protobuf's JSON may write it."""
    told = await answer(json={"payloads": [{"metadata": None, "data": None}, {}]})
    assert told.json() == {"payloads": [{"metadata": {}, "data": ""}] * 2}


async def test_a_payload_that_does_not_open_says_which_key_is_missing() -> None:
    """And nothing of the others that would have opened."""
    other = await sealed(by=EncryptionCodec(Keys.from_text(new_key("k2"))))
    told = await answer(json={"payloads": [await sealed(), other]})
    assert told.status_code == 400
    assert "'k2', which is not in AFTERCARE_CODEC_KEYS" in told.json()["detail"]
    assert "Ann" not in told.text


async def test_a_payload_that_was_tampered_with_is_refused() -> None:
    """It is never shown as something."""
    broken = await sealed()
    broken["data"] = b64encode(b"0" * 60).decode()
    told = await answer(json={"payloads": [broken]})
    assert (told.status_code, "tampered with" in told.text) == (400, True)
