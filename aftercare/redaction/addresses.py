"""Postal addresses in the forms of several countries: from the street to the town and the postal code beside it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from aftercare.redaction.kinds import Kind, Span
from aftercare.redaction.words import NOBODY_NAMES, SPEAKS_OF_THINGS, last_of

_CAP = r"[^\W\d_a-zß-öø-ÿ][\w'’.-]{0,30}"
_NUMBER = r"\d{1,5}(?:[A-Za-z]\b|-\d{1,4}|/\d{1,4})?"
_KINDS = (
    r"Street|St|Avenue|Ave|Road|Rd|Drive|Dr|Lane|Ln|Boulevard|Blvd|Court|Ct|Place|Pl|Square|Sq|Terrace|Parkway|Pkwy"
    r"|Highway|Hwy|Way|Circle|Cir|Trail|Close|Crescent|Gardens|Grove|Mews|Row|Walk|Quay|Wharf|Loop"
)
_IN_SMALL = (
    r"(?!(?:the|of|on|in|to|at|a|my|your|this|that|for|and|or|by|off|down|up|main|more|days?|hours?|minutes?)\b)"
)
_PARTICLES = (
    r"(?:(?:de la|de los|de las|de l'|del|della|dei|des|du|de|d'|di|da|dos|do|das|van de|van der|van)[ '])?(?:l')?"
)
_COMPOUND = (
    r"(?:stra(?:ß|ss)e|str\.|[^\W\d_]{2}allee|platz|gasse|damm|[^\W\d_]{2}weg|straat|laan|plein|gracht|kade|gatan"
    r"|vägen|vej|gade|veien|katu)"
)
_KINDS_IN_SMALL = "street|avenue|ave|road|rd|lane|boulevard|blvd|terrace|crescent"
_KINDS_FRENCH = r"rue|avenue|av\.|boulevard|bd|place|chemin|allée|impasse|quai|route|cours"
_KINDS_BEFORE = (
    r"calle|c/|avenida|avda\.?|av\.|plaza|paseo|carrera|via|viale|corso|piazza|largo|rua|praça|travessa|ul\.|ulica|al\."
)
_STATES = (
    r"A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY]"
    r"|NSW|VIC|QLD|TAS|ACT|ON|QC|BC|AB|MB|SK|NS|NB"
)
_POST_UK = r"[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}"
_POST_CANADA = r"[A-Z]\d[A-Z] \d[A-Z]\d"
_POST = (
    rf"(?:\d{{5}}(?:-\d{{4}}|-\d{{3}})?|\d{{4}}(?: [A-Z]{{2}})?|\d{{3}} \d\d|\d\d-\d{{3}}|{_POST_UK}|{_POST_CANADA})\b"
)
_TOWN = rf"{_CAP}(?:[ -]{_CAP}){{0,2}}"

_CODE_FIRST = r"(?:\d{5}|\d{3} \d\d|\d\d-\d{3}|\d{4} [A-Z]{2})"  # where the postal code stands before the town
_FREE = r"(?<![\w#.,/-])"
_NAMED = rf"{_PARTICLES}{_CAP}(?: {_PARTICLES}{_CAP}){{0,3}}"
_END = r"(?!\w|[.,]\d)"

_HOUSE = r"\d{1,4}(?: ?[a-zA-Z]\b)?(?:[-/]\d{1,4})?"

_STREETS = [
    re.compile(pattern)
    for pattern in (
        # 742 Maple Avenue; 18 old mill road; 763 Broadway
        rf"{_FREE}{_NUMBER},? (?:{_CAP} ){{1,4}}(?:{_KINDS})\b\.?",
        rf"{_FREE}{_NUMBER} (?:{_IN_SMALL}[a-z][a-z'’-]{{1,20}} ){{1,3}}(?i:{_KINDS_IN_SMALL})\b",
        rf"{_FREE}{_NUMBER} (?:Broadway|{_CAP}way)\b",
        # Lindenstraße 14a; Keizersgracht 174; Am Alten Markt 3, 50667 Köln
        rf"(?<!\w)(?:{_CAP} ){{0,2}}[^\W\d_][\w-]{{0,30}}(?i:{_COMPOUND}) {_HOUSE}{_END}",
        rf"(?<!\w)(?:{_CAP} ){{1,4}}\d{{1,4}}[a-z]?(?:/\d{{1,4}})?, {_CODE_FIRST} {_CAP}",
        # 27 rue des Martyrs; Calle de Alcalá 212; ul. Marszałkowska 99/4
        rf"{_FREE}\d{{1,4}}(?: ?(?:bis|ter))?,? (?i:{_KINDS_FRENCH}) {_NAMED}",
        rf"(?<!\w)(?i:{_KINDS_BEFORE}) ?{_NAMED},? (?:n\.?º? ?)?\d{{1,5}}[a-zA-Z]?(?:/\d{{1,4}})?{_END}",
    )
]
_BOX = re.compile(r"(?<!\w)(?i:p\. ?o\. ?box|po box|postfach|apartado(?: de correos)?) \d[\d ]{0,8}\d")
_CODES = [
    re.compile(pattern)
    for pattern in (
        rf"(?<![\w-]){_POST_UK}(?![\w-])",
        rf"(?<![\w-]){_POST_CANADA}(?![\w-])",
        rf"(?<=[a-z,] )(?:{_CAP},? )?(?:{_STATES}) \d{{5}}(?:-\d{{4}})?(?![\w-])",
    )
]
_BEFORE = re.compile(r"(?<!\w)(?i:flat|unit|apt\.?|apartment|suite) ?#?\w{1,5}, ?\Z")
_UNIT = re.compile(
    r",? (?i:apt|apartment|suite|ste|unit|flat|floor|room)\.? ?#?\w{1,6}\b|,? #\d{1,5}\b|, ?\d{1,2}º ?\w{0,4}"
)
_REST = [
    re.compile(pattern)
    for pattern in (
        rf",? (?:{_STATES})(?:,? \d{{4,5}}(?:-\d{{4}})?)?(?!\w)",
        rf",?\s{_POST} {_TOWN}",
        rf",?\s{_TOWN},? (?:{_STATES})(?:,? \d{{4,5}}(?:-\d{{4}})?)?(?!\w)",
        rf",?\s(?:{_TOWN}|[a-z]{{3,20}}),? (?:{_POST_UK}|{_POST_CANADA}|\d{{5}}(?:-\d{{3,4}})?)(?![\w-])",
        rf", ?{_POST}(?![\w-])",
        rf", {_TOWN}(?=[,.;:!?)\n]|$)",
    )
]
_CITY = re.compile(rf"(?mi:^\W{{0,6}}(?:city|town|stadt|ville|ciudad)\W{{1,6}})({_TOWN})")


def addresses(text: str) -> Iterator[Span]:
    """Streets with a number, boxes, and postal codes of an unmistakable form."""
    for pattern in (_BOX, *_STREETS, *_CODES):
        for found in pattern.finditer(text):
            if pattern is _BOX or last_of(SPEAKS_OF_THINGS, text, found.start(), 12) < 0:
                yield Span(*found.span(), Kind.ADDRESS)


def cities(text: str) -> Iterator[Span]:
    """A town on a line of its own that says so, where an address is told line by line."""
    yield from (Span(*found.span(1), Kind.ADDRESS) for found in _CITY.finditer(text))


def widened(text: str, span: Span, places: Collection[str]) -> Span:
    """A part of an address with what belongs to it: the flat before it, and after it town, state, postal code."""
    start, end = span.start, span.end
    if before := _BEFORE.search(text, max(0, start - 25), start):
        start = before.start()
    for _ in range(5):
        further = _further(text, end, places)
        if further == end:
            break
        end = further
    return Span(start, end, span.kind)


def _further(text: str, end: int, places: Collection[str]) -> int:
    if unit := _UNIT.match(text, end):
        return unit.end()
    if place := re.match(r"[,\s-]{1,3}", text[end : end + 3]):
        after = end + place.end()
        for known in places:
            if text[after : after + len(known)].casefold() == known and not text[after + len(known) :][:1].isalnum():
                return after + len(known)
    for pattern in _REST:
        found = pattern.match(text, end)
        if found and not (NOBODY_NAMES & set(re.findall(r"\w+", found[0].casefold()))):
            return found.end()
    return end
