"""Numbers a state knows a person by: where the check digits are right and it is clear what is spoken of."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from stdnum.au import tfn
from stdnum.be import nn
from stdnum.br import cpf
from stdnum.ca import sin
from stdnum.ch import ssn as ahv
from stdnum.de import idnr
from stdnum.es import dni, nie
from stdnum.fr import nir
from stdnum.gb import nhs
from stdnum.in_ import aadhaar
from stdnum.it import codicefiscale
from stdnum.nl import bsn
from stdnum.pl import pesel
from stdnum.se import personnummer
from stdnum.us import ssn

from aftercare.redaction.kinds import Kind, Span
from aftercare.redaction.words import SPEAKS_OF_THINGS, last_of


class _Number(NamedTuple):
    """How a number looks, what makes it valid, and the words for it; `alone` is the form that needs no word."""

    look: re.Pattern[str]
    is_valid: Callable[[str], bool]
    said: re.Pattern[str]
    alone: re.Pattern[str] | None = None


def _number(look: str, is_valid: Callable[[str], bool], said: str, alone: str | None = None) -> _Number:
    bounded = rf"(?<![\w#])(?<![\w#][-./]){look}(?![\w]|[-./]\w)"
    spoken = rf"(?<!\w)(?:{said})(?!\w)"
    return _Number(
        re.compile(bounded, re.IGNORECASE),
        is_valid,
        re.compile(spoken, re.IGNORECASE),
        re.compile(alone) if alone else None,
    )


_S = "[ .-]?"
_NINO = re.compile(r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]")
_NUMBERS = (
    _number(
        rf"\d{{3}}{_S}\d\d{_S}\d{{4}}",
        ssn.is_valid,
        r"ssn|social security(?: number| no\.?)?|social",
        r"\d{3}-\d\d-\d{4}",
    ),
    _number(
        rf"[A-Z]{{2}}{_S}\d\d{_S}\d\d{_S}\d\d{_S}[A-D]",
        lambda text: _NINO.fullmatch(re.sub(r"\W", "", text).upper()) is not None,
        r"nino|ni(?: number| no\.?)?|national insurance(?: number| no\.?)?",
    ),
    _number(rf"\d{{3}}{_S}\d{{3}}{_S}\d{{4}}", nhs.is_valid, r"nhs(?: number| no\.?)?"),
    _number(rf"\d\d{_S}\d{{3}}{_S}\d{{3}}{_S}\d{{3}}", idnr.is_valid, r"steuer-?id\w*|steuerliche \w+|idnr|tin"),
    _number(
        rf"[12]{_S}\d\d{_S}\d\d{_S}[\dAB]{{2}}{_S}\d{{3}}{_S}\d{{3}}{_S}\d\d",
        nir.is_valid,
        r"nir|s[ée]cu(?:rit[ée] sociale)?|insee",
    ),
    _number(rf"\d{{8}}{_S}[A-Z]", dni.is_valid, r"dni|nif|documento"),
    _number(rf"[XYZ]{_S}\d{{7}}{_S}[A-Z]", nie.is_valid, r"nie|nif|documento"),
    _number(r"[A-Z]{6}\d\d[A-Z]\d\d[A-Z]\d{3}[A-Z]", codicefiscale.is_valid, r"codice fiscale|c\.?f\.?", r"\w{16}"),
    _number(rf"\d{{3}}{_S}\d{{3}}{_S}\d{{3}}{_S}\d\d", cpf.is_valid, r"cpf", r"\d{3}\.\d{3}\.\d{3}-\d\d"),
    _number(rf"\d{{4}}{_S}\d{{2}}{_S}\d{{3}}", bsn.is_valid, r"bsn|burgerservicenummer|sofinummer"),
    _number(r"\d{11}", pesel.is_valid, r"pesel"),
    _number(r"(?:19|20)?\d{6}[-+ ]?\d{4}", personnummer.is_valid, r"personnummer|personnr", r"(?:19|20)\d{6}-\d{4}"),
    _number(rf"\d{{3}}{_S}\d{{3}}{_S}\d{{3}}", sin.is_valid, r"sin|social insurance(?: number| no\.?)?|nas"),
    _number(rf"\d{{3}}{_S}\d{{3}}{_S}\d{{3}}", tfn.is_valid, r"tfn|tax file number"),
    _number(
        rf"756{_S}\d{{4}}{_S}\d{{4}}{_S}\d\d",
        ahv.is_valid,
        r"ahv\w*|avs|sozialversicherung\w*",
        r"756\.\d{4}\.\d{4}\.\d\d",
    ),
    _number(rf"\d\d{_S}\d\d{_S}\d\d{_S}\d{{3}}{_S}\d\d", nn.is_valid, r"rijksregister\w*|registre national|nn"),
    _number(rf"\d{{4}}{_S}\d{{4}}{_S}\d{{4}}", aadhaar.is_valid, r"aadhaar|aadhar|uidai"),
)


def tax_ids(text: str) -> Iterator[Span]:
    """National ids that are valid and said to be one, or stand in a form that nothing else has."""
    for number in _NUMBERS:
        for found in number.look.finditer(text):
            if not number.is_valid(re.sub("[ .]", "", found[0])):
                continue
            said, thing = last_of(number.said, text, found.start()), last_of(SPEAKS_OF_THINGS, text, found.start())
            clear = said >= 0 and not 0 <= thing < said
            alone = number.alone is not None and number.alone.fullmatch(found[0]) is not None and thing < 0
            if clear or alone:
                yield Span(*found.span(), Kind.TAX_ID)
