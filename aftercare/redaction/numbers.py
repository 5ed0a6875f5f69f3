"""E-mail addresses, IBANs, payment cards and IP addresses, each held against what makes it one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address, ip_network

from stdnum import iban, luhn

from aftercare.redaction.kinds import Kind, Span
from aftercare.redaction.words import SPEAKS_OF_CARDS, SPEAKS_OF_THINGS, last_of

# Reading starts at the sign, to the left and to the right of it, so that long runs of letters cost nothing.
_AT = re.compile(r"@|%40|\s?[\[(]\s?at\s?[\])]\s?|\sat\s(?=[\w-]{1,63}\sdot\s)", re.IGNORECASE)
_LOCAL = re.compile(r"[\w.+'’-]{1,64}\Z")
_DOT = r"(?:\.|\s?[\[(]\s?dot\s?[\])]\s?|\sdot\s)"
_DOMAIN = re.compile(
    rf"[^\W_][\w-]{{0,62}}(?:{_DOT}[\w-]{{1,63}}){{0,5}}{_DOT}[^\W\d_]{{2,24}}(?![\w-])", re.IGNORECASE
)

_IBAN = re.compile(r"(?<![\w/])[A-Z]{2}\d{2}(?:[ \u00a0-]?[A-Z\d]){11,30}", re.IGNORECASE)
_BOUNDARY = re.compile(r"(?<=[A-Za-z\d])(?![A-Za-z\d])")
_IBAN_SAID = re.compile(r"(?i)\biban\W{0,3}(?:(?:number|nummer|is|ist|est|es|was|no\.?)\W{1,3})?\Z")

_RUN = re.compile(r"(?<![\d#_-])(?<![\d#]\.)\d(?:[ \u00a0-]?\d){11,39}(?:(?!\w|[-/]\w|\.\d)|(?= ?\d{1,2}/\d))")
_ISSUED = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}|35[2-8]\d{13}"
    r"|6(?:011|5\d\d|4[4-9]\d)\d{12}|62\d{14,17}|(?:50|5[6-9]|6\d)\d{10,17}"
)
_GROUPED = re.compile(r"\d{4}([ -])(?:\d{4}\1){2}\d{1,7}|\d{4}([ -])\d{6}\2\d{4,5}")

_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?!\w|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])")
_VERSION = re.compile(
    r"(?i)\b(?:v|ver|versions?|firmware|release|build|update|upgrade|driver|software|sdk|app|api|ios|android|windows)\b"
)
# These stand behind many a router and on every machine: they name nobody.
_LOCAL_NETWORKS = [
    ip_network(net)
    for net in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "0.0.0.0/8",
                "255.255.255.255/32", "::/127", "fe80::/10", "fc00::/7")
]  # fmt: skip


def emails(text: str) -> Iterator[Span]:
    """E-mail addresses, also as people write them for other people: `ann (at) example (dot) org`."""
    for sign in _AT.finditer(text):
        local = _LOCAL.search(text, max(0, sign.start() - 64), sign.start())
        domain = _DOMAIN.match(text, sign.end())
        if local and domain and (name := local[0].lstrip(".'’+-")):
            yield Span(sign.start() - len(name), domain.end(), Kind.EMAIL)


def ibans(text: str) -> Iterator[Span]:
    """IBANs whose check digits are right, and whatever looks like one after the word."""
    for found in _IBAN.finditer(text):
        start, end = found.span()
        ends = [e.start() for e in _BOUNDARY.finditer(text, start + 14, end + 1) if e.start() <= end][::-1]
        right = next(
            (e for e in ends if iban.is_valid(text[start:e].replace("\u00a0", " "), check_country=False)), None
        )
        if right is None and _IBAN_SAID.search(text, max(0, start - 25), start):
            right = _end_of_groups(text, start, end)
        if right is not None:
            yield Span(start, right, Kind.IBAN)


def _end_of_groups(text: str, start: int, end: int) -> int:
    """Where an IBAN with a slip in it ends: the groups after the first hold figures."""
    told = re.match(r"\w{4}(?:[ -]?(?=[A-Z]{0,4}\d)[A-Z\d]{1,26})*", text[start:end], re.IGNORECASE)
    return start + len(told[0]) if told else end


def cards(text: str) -> Iterator[Span]:
    """Numbers an issuer of cards gives out, with the right check digit, which are not said to be something else."""
    for run in _RUN.finditer(text):
        groups = [(run.start() + g.start(), run.start() + g.end()) for g in re.finditer(r"\d+", run[0])]
        for first, last in _windows(groups):
            start, end = groups[first][0], groups[last][1]
            if _is_card(text, start, end):
                yield Span(start, end, Kind.CARD)
                break


def _windows(groups: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Where in a run of groups a card may stand: a count may be before it, the expiry and the code behind it."""
    sizes = [end - start for start, end in groups]
    for first in range(2 if sizes[0] <= 2 else 1):
        for last in range(len(groups) - 1, max(len(groups) - 5, first - 1), -1):
            if 12 <= sum(sizes[first : last + 1]) <= 19 and all(size <= 4 for size in sizes[last + 1 :]):
                yield first, last


def _is_card(text: str, start: int, end: int) -> bool:
    written = text[start:end].replace("\u00a0", " ")
    number = re.sub(r"\D", "", written)
    if not _ISSUED.fullmatch(number) or not luhn.is_valid(number):
        return False
    card, thing = (last_of(words, text, start) for words in (SPEAKS_OF_CARDS, SPEAKS_OF_THINGS))
    if text[max(0, start - 1) : start].isalpha():
        return card == 0
    if card >= 0:
        return not 0 <= thing < card
    # Without a word for it, only in the form and of the length that cards have.
    return thing < 0 and len(number) in (14, 15, 16) and (written.isdigit() or _GROUPED.fullmatch(written) is not None)


def ips(text: str) -> Iterator[Span]:
    """Addresses on the public net. Versions have the same look, and are told by the word before them."""
    for pattern in (_IPV4, _IPV6):
        for found in pattern.finditer(text):
            if _is_public(found[0]) and last_of(_VERSION, text, found.start(), 30) < 0:
                yield Span(*found.span(), Kind.IP)


def _is_public(text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return not any(address in net for net in _LOCAL_NETWORKS if net.version == address.version)
