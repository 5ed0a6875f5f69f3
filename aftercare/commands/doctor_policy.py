"""The doctor on what cases are judged by: the policy books, and the systems of record they name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping

import httpx

from aftercare.commands.checks import Check, problem, untold, well
from aftercare.commands.policy_check import check_one, check_triggers, domains
from aftercare.settings import Settings
from aftercare.systems.records import RecordsOverHttp, SystemMisconfigured, SystemUnavailable
from policies.book import BookInvalid, PolicyBook, load
from policies.facts import RecordRef

NOWHERE = "aftercare-doctor-asks-for-no-such-record"
ANSWERS_WITHIN = 5
SET = "set its address in AFTERCARE_SYSTEMS, for the worker too; or leave that book out (AFTERCARE_POLICIES)"


def books(settings: Settings) -> Iterator[Check]:
    """Every policy book, with its examples."""
    found = domains(settings.policies)
    if not found:
        told = f"there is no policy book in {settings.policies or 'the shipped folder'}"
        yield problem("policy", "books", told, "set AFTERCARE_POLICIES to a folder that holds one folder per domain")
    for domain in found:
        checked = check_one(domain, settings.policies)
        if checked.problems:
            first, rest = checked.problems[0], len(checked.problems) - 1
            more = f" (and {rest} more)" if rest else ""
            yield problem("policy", domain, f"{first}{more}", "`aftercare policy check` lists all that is wrong")
        else:
            digest = (checked.digest or "")[:12]
            yield well("policy", domain, f"{digest}: {checked.rules} rules, {checked.examples} examples hold")
    yield _triggers(settings)


def _triggers(settings: Settings) -> Check:
    checked = check_triggers(settings.policies)
    if not checked.problems:
        return well("policy", "triggers", f"{checked.file} {(checked.digest or '')[:12]}: {checked.rows} rows")
    more = f" (and {len(checked.problems) - 1} more)" if len(checked.problems) > 1 else ""
    return problem("policy", "triggers", f"{checked.problems[0]}{more}", "`aftercare policy check` lists all of it")


async def systems(settings: Settings) -> AsyncIterator[Check]:
    """Every system of record that a book names, or that has an address."""
    named = _named(settings)
    async with httpx.AsyncClient(timeout=ANSWERS_WITHIN) as http:
        for name in sorted(named.keys() | settings.systems.keys()):
            address = settings.systems.get(name)
            if address is None:
                told = f"the {' and '.join(sorted(named[name]))} book names it, and it has no address"
                yield problem("systems", name, told, SET)
                continue
            yield await _probe(name, address, http, min(named.get(name, {}).values(), default="records"))


def _named(settings: Settings) -> Mapping[str, dict[str, str]]:
    """Systems by name: the domains whose book names each, with a kind of record it keeps."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for domain in domains(settings.policies):
        try:
            book = load(domain, settings.policies)
        except BookInvalid:  # said already
            continue
        for system, kind in _kept(book):
            found[system].setdefault(domain, kind)
    return found


def _kept(book: PolicyBook) -> Iterator[tuple[str, str]]:
    yield from ((r.entry.system, r.entry.kind) for r in book.records)
    yield from ((a.system, e.record.split("/")[0]) for a in book.outcomes.actions.values() for e in a.effects)
    yield from ((a.system, "records") for a in book.outcomes.actions.values())


async def _probe(name: str, address: str, http: httpx.AsyncClient, kind: str) -> Check:
    """Ask for a record that cannot be there. A wrong path answers 404 as well, which is said."""
    try:
        at = masked(address)
        found = await RecordsOverHttp(name, address, http).read(RecordRef(system=name, kind=kind, id=NOWHERE), "")
    except (SystemUnavailable, SystemMisconfigured) as error:
        return problem("systems", name, f"{at}: {error}", "start it, or put its address right in AFTERCARE_SYSTEMS")
    except (httpx.InvalidURL, ValueError):
        return problem("systems", name, "its address is no URL", "put it right in AFTERCARE_SYSTEMS")
    if found is not None:
        told = f"{at} answers, with a record for an id that cannot exist"
        return untold("systems", name, told, "look at what serves GET {address}/records/{kind}/{id} there")
    return well("systems", name, f"{at} answers; that it serves records cannot be told from here")


def masked(address: str) -> str:
    """An address without what somebody may have put into it as a secret."""
    url = httpx.URL(address.replace("{environment}", "ENVIRONMENT"))
    port = f":{url.port}" if url.port else ""
    return f"{url.scheme}://{'***@' if url.userinfo else ''}{url.host}{port}{url.path}{'?***' if url.query else ''}"
