"""Why a webhook is not taken in. Whatever is refused has changed nothing."""

from __future__ import annotations

from collections.abc import Sequence


class WebhookRefused(Exception):
    """A request that is not taken in: an HTTP status, a name for the kind of problem, and reasons for people.

    The reasons name files, rules and fields, never what a body says nor what a signature should have been.
    """

    def __init__(self, status: int, slug: str, reasons: Sequence[str]) -> None:
        super().__init__("; ".join(reasons))
        self.status, self.slug, self.reasons = status, slug, list(reasons)


class SignatureMissing(WebhookRefused):
    """A header that the source signs with is not there."""

    def __init__(self, header: str) -> None:
        super().__init__(401, "signature-missing", [f"the header {header} is missing"])


class SignatureMalformed(WebhookRefused):
    """A header of the signature is there and cannot be read."""

    def __init__(self, header: str, form: str) -> None:
        super().__init__(401, "signature-malformed", [f"the header {header} is not {form}"])


class SignatureWrong(WebhookRefused):
    """The signature is of another body, or made with another secret."""

    def __init__(self) -> None:
        told = "the signature does not fit the body; look whether both sides have the same secret"
        super().__init__(401, "signature-wrong", [told])


class Stale(WebhookRefused):
    """Signed, and too old (or too early) to be more than a replay."""

    def __init__(self, seconds: float) -> None:
        told = f"this was sent more than {seconds:g} seconds ago, or the clocks differ by as much"
        super().__init__(401, "signature-stale", [told])


class Unreadable(WebhookRefused):
    """The bytes are not a JSON object that could be kept."""

    def __init__(self, reason: str) -> None:
        super().__init__(400, "body-unreadable", [reason])


class Unmapped(WebhookRefused):
    """The source's own mapping has no answer for this body: the file, the rule and the field that have none."""

    def __init__(self, reason: str) -> None:
        super().__init__(422, "webhook-unmapped", [reason])
