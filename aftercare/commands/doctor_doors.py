"""The doctor on the doors: prices, surveys, webhooks, encryption; each is off, on, or set wrongly."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx

from activities.measuring import measures_of
from aftercare.codec import codec_of
from aftercare.commands.checks import Check, problem, well
from aftercare.evidence.prices import PricesInvalid
from aftercare.moods import scorer_of
from aftercare.settings import Settings
from aftercare.store.cases import Cases
from aftercare.store.database import Database
from aftercare.surveys import surveys_of
from aftercare.web.webhooks.mapping import SourcesInvalid, load_sources


def doors(settings: Settings) -> Iterator[Check]:
    """Every door that is switched by a setting."""
    yield _checked("prices", lambda: _prices(settings), "put policies/prices.yaml right")
    yield _checked("surveys", lambda: _surveys(settings), "put the AFTERCARE_SURVEY_* variables right (docs/asking.md)")
    yield _checked("sentiment", lambda: _sentiment(settings), "AFTERCARE_SENTIMENT is local, off, or a model's name")
    yield _checked("webhooks", lambda: _webhooks(settings), "put the source right (docs/webhooks.md)")
    yield well("doors", "encryption", _encryption(settings))


def _checked(name: str, look: Callable[[], str], advice: str) -> Check:
    try:
        return well("doors", name, look())
    except (PricesInvalid, SourcesInvalid) as error:
        return problem("doors", name, "; ".join(error.problems[:3]), advice)
    except ValueError as error:
        return problem("doors", name, str(error), advice)


def _prices(settings: Settings) -> str:
    prices = measures_of(settings).prices
    return f"{len(prices.prices)} rows, in {prices.currency}" if prices else "no prices.yaml: cost is what agents tell"


def _surveys(settings: Settings) -> str:
    asks = surveys_of(settings, Cases(Database("sqlite+aiosqlite://")), httpx.AsyncClient())
    return "customers are asked how it went" if asks else "nobody is asked: AFTERCARE_SURVEY_SECRET is not set"


def _sentiment(settings: Settings) -> str:
    scorer = scorer_of(settings)
    return f"scored by {scorer.source}" if scorer else "not scored"


def _webhooks(settings: Settings) -> str:
    open_to = [name for name, source in load_sources(settings.webhooks).items() if source.secrets]
    return f"open to {', '.join(open_to)}" if open_to else "closed: no source has a secret"


def _encryption(settings: Settings) -> str:
    codec = codec_of(settings.codec_keys.get_secret_value())
    off = "off here: what is sent stands in clear, and what others encrypted cannot be read"
    return "histories are encrypted" if codec else off
