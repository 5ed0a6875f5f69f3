"""Where a message that cannot be taken in turns into an answer for the caller."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from aftercare.lifecycle.state import Conflict, Refused


@contextmanager
def refusals() -> Iterator[None]:
    """What is refused inside the block becomes the error a caller hears, with every reason in its details."""
    try:
        yield
    except Refused as refused:
        kind = "Conflict" if isinstance(refused, Conflict) else "Refused"
        raise ApplicationError(str(refused), refused.reasons, type=kind, non_retryable=True) from refused


def as_text(payloads: Sequence[RawValue]) -> list[str]:
    """What came in, as text, for the record of a message that cannot even be decoded."""
    return [p.payload.data.decode("utf-8", "backslashreplace") for p in payloads]


def decoded(kind: str, payloads: Sequence[RawValue]) -> Any:
    """The one JSON value of a raw Signal. Raises Refused, where the SDK would have dropped the message unseen."""
    if len(payloads) != 1:
        raise Refused([f"{kind!r} takes one JSON object, and {len(payloads)} payloads came"])
    if payloads[0].payload.metadata.get("encoding") == b"binary/encrypted":
        # No fault of the sender's: this worker lacks the key. The task fails, and is done by a worker that has it.
        raise RuntimeError("a Signal is encrypted and this worker has no key for it: set AFTERCARE_CODEC_KEYS")
    try:
        return workflow.payload_converter().from_payload(payloads[0].payload)
    except Exception as error:  # whatever a converter raises, the payload is not JSON
        raise Refused([f"the payload cannot be read as JSON: {error}"]) from error
