"""Telephone numbers: international ones, those in a form of their country, and any that is said to be one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

import phonenumbers
from phonenumbers import Leniency, PhoneNumberMatcher, PhoneNumberType

from aftercare.redaction.kinds import Kind, Span
from aftercare.redaction.words import SPEAKS_OF_NUMBERS, SPEAKS_OF_PHONES, SPEAKS_OF_THINGS, last_of

# Where numbers are dialled with a 0 before them, or stand in three groups of a fixed form: without a word that says so,
# only these are told from other numbers.
REGIONS = ("US", "GB", "DE", "FR", "AU", "NL", "SE", "CH", "AT", "IT", "BR", "JP", "IN", "IE")
_NEAR = 25  # within so many characters "order" speaks of the number, and not of something said before
_MOBILE = {"07": "GB", "01": "DE", "06": "FR"}

_PARTS = r"[ \u00a0./()\u2010-\u2013-]"  # what stands between the figures of a number
_CANDIDATE = re.compile(
    rf"(?<![\w#$€£])(?<![\w#][-_/.])(?<!\d:)(?:\+|\()?\d(?:{_PARTS}{{0,3}}\d){{5,18}}(?![\w%€$£]|[-_/:]\w|[ .,]?\d)"
)
_IN_AMERICA = re.compile(r"(?:1[ .-]?)?(?:\([2-9]\d\d\) ?|[2-9]\d\d([ .-]))[2-9]\d\d[ .-]\d{4}")
_DATE = re.compile(r"(?:(?:19|20)\d\d([-./])\d{1,2}\1\d{1,2}|\d{1,2}([-./])\d{1,2}\2(?:19|20)?\d\d)(?:[ T,].*)?")
_SAID_AFTER = re.compile(
    r"(?i)\W{0,3}(?:(?:is|ist|est|es|è|är)\W(?:my|meine?|mon|mi|the|our)\W)?[\w ]{0,12}"
    r"\b(?:phone|cell|mobile|handy|landline)\b"
)


def phones(text: str) -> Iterator[Span]:
    """Telephone numbers, but no dates, amounts, or numbers said to be an order's, an item's, a parcel's."""
    for found in _CANDIDATE.finditer(text):
        number = found[0]
        start, end = found.span()
        if number.count("(") < number.count(")"):
            continue
        if number[0] == "(" and ")" not in number:
            start += 1
        if _is_phone(text, start, end):
            yield Span(start, end, Kind.PHONE)


def _is_phone(text: str, start: int, end: int) -> bool:
    number = text[start:end]
    digits = sum(c.isdigit() for c in number)
    if number[0] == "+":
        return _is_possible(number)
    if not 7 <= digits <= 15 or _DATE.fullmatch(number):
        return False
    phone, thing = last_of(SPEAKS_OF_PHONES, text, start), last_of(SPEAKS_OF_THINGS, text, start, 80)
    if phone >= 0:
        return not 0 <= thing < phone
    if _has_form_of_country(number):
        return not 0 <= thing <= _NEAR
    said = last_of(SPEAKS_OF_NUMBERS, text, start) >= 0 or _SAID_AFTER.match(text, end) is not None
    return said and thing < 0


@lru_cache(maxsize=2048)
def _is_possible(number: str) -> bool:
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_possible_number(parsed)


@lru_cache(maxsize=2048)
def _has_form_of_country(number: str) -> bool:
    if number.startswith("00"):
        return _is_possible("+" + number[2:])
    if number.isdigit():
        return _is_mobile(number)
    if _IN_AMERICA.fullmatch(number):
        return True
    if number[:1] not in "0(":
        return False
    return any(PhoneNumberMatcher(number, region, leniency=Leniency.STRICT_GROUPING).has_next() for region in REGIONS)


def _is_mobile(number: str) -> bool:
    region = _MOBILE.get(number[:2])
    if region is None:
        return False
    parsed = phonenumbers.parse(number, region)
    return phonenumbers.is_valid_number(parsed) and phonenumbers.number_type(parsed) == PhoneNumberType.MOBILE
