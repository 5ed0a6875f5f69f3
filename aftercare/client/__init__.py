"""What an agent's author imports: httpx and the messages, and nothing else of Aftercare.

    from aftercare.client import Aftercare

    care = Aftercare("http://127.0.0.1:8080", key=..., agent="shop-assistant", domain="retail")
    with care.case("case-1", customer="c-17") as case:
        ...
        case.resolve(intent="cancel_pending_order")

docs/client.md has the rest.
"""

from aftercare.client.async_care import AsyncAftercare, AsyncCase
from aftercare.client.care import Aftercare, Case
from aftercare.client.problems import AftercareError, Problem
from aftercare.client.tools import current_case, tool
from aftercare.client.writes import RefusedWrite

__all__ = [
    "Aftercare",
    "AftercareError",
    "AsyncAftercare",
    "AsyncCase",
    "Case",
    "Problem",
    "RefusedWrite",
    "current_case",
    "tool",
]
