"""Erasure over HTTP: an admin has a customer erased, and gets the receipt."""

# Annotations are evaluated here: the routes name the callers they let in, which are known once they are made.

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Response

from aftercare.erasure import Erasure, NotErased
from aftercare.messages.erasure import ErasureReceipt, ErasureRequest
from aftercare.web.problems import Problem, documented

UNFINISHED: dict[int | str, dict[str, Any]] = {
    202: {"model": ErasureReceipt, "description": "Begun, and not finished: `left` says what to do."}
}


def erasure_routes(erasure: Erasure, admin: Callable[..., Any]) -> APIRouter:
    """Erasures, for whom the dependency `admin` lets in; it gives who it is (str)."""
    routes = APIRouter(prefix="/v1/erasures", tags=["erasures"])
    By = Annotated[str, Depends(admin)]

    @routes.post("", responses=documented(422) | UNFINISHED)
    async def erase(asked: ErasureRequest, by: By, response: Response) -> ErasureReceipt:
        """Erase a customer: running cases are ended, every trace goes, the figures stay. The same again is welcome."""
        try:
            receipt = await erasure.erase(asked, by)
        except NotErased as error:
            raise Problem(503, "not-erased", str(error), headers={"Retry-After": "5"}) from error
        response.status_code = 200 if receipt.complete else 202
        return receipt

    @routes.get("/{erasure_id}", responses=documented(404, 422))
    async def receipt(erasure_id: Annotated[str, Path(pattern="^erasure-[0-9a-f]{12}$")], by: By) -> ErasureReceipt:
        """The receipt of an earlier erasure."""
        found = await erasure.receipt(erasure_id)
        if found is None:
            raise Problem(404, "no-such-erasure", f"there is no receipt {erasure_id}")
        return found

    return routes
