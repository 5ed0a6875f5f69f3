"""What is told by the words right before it: dates of birth, accounts, customer numbers, postal codes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from aftercare.redaction.kinds import Kind, Span

_IS = r"[\"'*]{0,3}\s{0,2}(?:(?:is|ist|est|es|è|was|no|nr|number|nummer)\b\.?|[:=#])?[\s:=#\"'*]{0,4}"
_MONTH = r"[^\W\d_]{3,10}\.?"
_DATE = (
    rf"(?:\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}|\d{{1,2}}[-/.]\d{{1,2}}[-/.](?:\d{{4}}|\d\d)"
    rf"|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}}"
    rf"|\d{{1,2}}(?:st|nd|rd|th|\.)? (?:of |de )?{_MONTH},?(?: de)? \d{{4}})"
)
_BORN = (
    r"d\.?o\.?b\.?|dates? of birth|birth ?(?:date|day)|born(?: on)?|geboren(?: am)?|geburtsdatum|née?(?: le)?"
    r"|date de naissance|fecha de nacimiento|nacid[oa](?: el)?|data di nascita|nat[oa](?: il)?|geboortedatum"
)
_POSTAL = r"zip(?:[ -]?code)?|post(?:al)?[ -]?code|postleitzahl|plz|code postal|c[óo]digo postal|cap|postnummer"
_CODE = (
    r"(?:\d{5}(?:-\d{4}|-\d{3})?|\d{4}(?: ?[A-Z]{2}\b)?|\d{3} \d{2}|\d\d-\d{3}|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}"
    r"|[A-Z]\d[A-Z] ?\d[A-Z]\d)"
)
_ACCOUNT = r"(?:bank )?account(?: no\.?| nr\.?| number| #)|kontonummer|konto-?nr\.?|rekeningnummer|n[úu]mero de cuenta"
_CUSTOMER = r"(?:user|customer|client|member|profile)(?: ?id| number| no\.?)|kunden-?(?:nummer|nr\.?)|klantnummer"


def _after(words: str, value: str) -> re.Pattern[str]:
    return re.compile(rf"(?i:(?<![\w-])(?:{words})){_IS}({value})(?![\w]|[-.,]\d)", re.IGNORECASE)


_LABELLED = (
    (Kind.BIRTH_DATE, _after(_BORN, _DATE)),
    (Kind.ADDRESS, _after(_POSTAL, _CODE)),
    (Kind.ACCOUNT, _after(_ACCOUNT, r"\d[\d -]{4,20}\d")),
    (Kind.ACCOUNT, _after("sort ?code", r"\d\d[- ]?\d\d[- ]?\d\d")),
    (Kind.CUSTOMER, _after(_CUSTOMER, r"(?=[\w.-]{0,40}\d)(?!(?-i:[A-Z\d]{5,7}\b))[\w][\w.-]{2,40}[^\W_]")),
)


def labelled(text: str) -> Iterator[Span]:
    """Values right after the word that says what they are."""
    for kind, pattern in _LABELLED:
        yield from (Span(*found.span(1), kind) for found in pattern.finditer(text))
