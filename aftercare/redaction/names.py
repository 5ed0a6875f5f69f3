"""Names that stand where only a name does: after `my name is`, `Mr.`, `Dear`, under a letter, in its head."""

from __future__ import annotations

import re
from collections.abc import Iterator

from aftercare.redaction.kinds import Kind, Span
from aftercare.redaction.words import NOBODY_NAMES

_WORD = r"[^\W\d_](?:[\w'’-]{0,30}\w|\.)?"
_PARTICLES = "de|da|di|del|van|von|der|den|la|el|al|bin|ten"
_NAME = rf"({_WORD}(?: (?:(?:{_PARTICLES}) ){{0,2}}{_WORD}){{0,3}})"
_HONORIFICS = r"(?:Mrs?|Ms|Miss|Mx|Dr|Prof|Herrn?|Frau|Monsieur|Madame|Mme|Señora?|Sra?|Signora?|Dhr|Mevr)"

_NAMED = re.compile(
    r"(?i:\b(?:my name is|my name's|name's|the name is|je m'appelle|me llamo|mi chiamo|ich hei(?:ß|ss)e|mein name ist"
    rf"|jag heter|ik heet|meu nome é|nazywam się|mi nombre es))[:,]? {_NAME}"
)
_HONOURED = re.compile(rf"(?<![\w.])(?:{_HONORIFICS}\b\.? ){{1,2}}(?!{_HONORIFICS}\b){_NAME}")
_GREETED = re.compile(
    rf"(?i:\b(?:dear|hi|hello|hey|hallo|liebe|lieber|bonjour|hola|ciao|thank you|thanks)),? {_NAME}(?=[,.!?:;\n]|$)"
)
_I_AM = re.compile(rf"(?:\b(?i:i am|i'm|this is|soy|je suis|ich bin|ik ben|sono)) {_NAME}")
_SIGNED = re.compile(
    r"(?i:regards|sincerely|cheers|thanks|best|wishes|grüßen|grüße|gruß|gruss|cordialement|saludos|saluti|groeten|hälsningar"
    rf"|pozdrawiam)[,!.]?[ \t]*\n\s{{0,4}}{_NAME}(?=[ \t]*(?:\n|$))"
)
_IN_HEAD = re.compile(rf"(?:^|[\n:,;])[ \t]{{0,3}}[\"']?{_NAME}[\"']? {{0,2}}<(?=[^<>\s]{{1,64}}@|\[email\])")
_LABELLED = re.compile(
    r"(?i:\b(?:first|last|full|given|family|middle|customer(?:'s)?|passenger(?:'s)?|contact|recipient|cardholder"
    rf"|account holder)[ _]?name)[\"'*]{{0,3}}\s{{0,2}}(?:is\b|[:=])[\s\"'*]{{1,4}}{_NAME}"
)


# How many words of it have to be capitalised, for it to be a name; 0: two in small letters will do.
_TOLD = ((_NAMED, 0), (_HONOURED, 1), (_GREETED, 1), (_I_AM, 2), (_SIGNED, 1), (_IN_HEAD, 1), (_LABELLED, 1))


def names(text: str) -> Iterator[Span]:
    """Names told by what stands around them. Most names are told by nothing: those take the model."""
    for pattern, fewest in _TOLD:
        for found in pattern.finditer(text):
            if length := _length(found[1], fewest):
                yield Span(found.start(1), found.start(1) + length, Kind.NAME)


def introduced(text: str) -> Iterator[str]:
    """Whole names that somebody is said to have: they are looked for in everything else of the case."""
    for pattern in (_NAMED, _LABELLED, _IN_HEAD):
        for found in pattern.finditer(text):
            name = found[1][: _length(found[1], 2)]
            if name:
                yield name


def _length(words: str, fewest: int) -> int:
    """How much of some words is a name: as far as they are capitalised; `fewest` 0 takes two in lower case too."""
    told = 0
    for count, word in enumerate(re.finditer(r"[^\s]+", words)):
        plain = word[0].strip(".").casefold()
        is_small = word[0].islower() and word[0] not in _PARTICLES.split("|")
        if plain in NOBODY_NAMES or (is_small and (fewest or count > 1)):
            break
        told = word.end()
    return told if len(words[:told].split()) >= max(fewest, 1) else 0
