"""The kinds of personal data, and what is written in their place."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """What a value tells of a person; its placeholder is the kind in brackets."""

    CUSTOMER = "customer"  # the customer's id
    NAME = "name"
    EMAIL = "email"
    PHONE = "phone"
    CARD = "card"
    IBAN = "iban"
    ACCOUNT = "account"  # a number at a bank that is no IBAN
    ADDRESS = "address"
    BIRTH_DATE = "birth date"
    IP = "ip"
    TAX_ID = "tax id"  # and other numbers a state knows a person by

    @property
    def placeholder(self) -> str:
        """What is written instead of a value of this kind."""
        return f"[{self}]"


PLACEHOLDER = re.compile("|".join(re.escape(kind.placeholder) for kind in Kind))


class Span(NamedTuple):
    """A part of a text that tells of a person."""

    start: int
    end: int
    kind: Kind
