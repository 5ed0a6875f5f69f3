"""What of the store may be a person's trace: one decision for every column that holds text or JSON.

Of a person's own rows each column is kept, blanked, or reduced to what the figures need. In the rows of others known
values are replaced, but for the columns that by contract hold none: there they are reported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from aftercare.lifecycle.personal import ERASED

Reduction = Callable[[Any], Any]

_CASE = ("id", "agent", "domain", "release", "channel", "handled_by", "intent", "opened_at")
_MEASURED = ("latency", "tokens", "cost", "model", "input_tokens", "output_tokens", "fallback")
_STEP = ("number", "kind", "name", "confidence", "at", *_MEASURED)
_ENDED = ("handled_by", "ending", "intent", "confidence", "override", "steps_from", "steps_to", "watch_until")
_FINDING = ("rule", "clause", "verdict", "severity", "step")
_SETTLEMENT = ("case_id", "outcome", "verification", "policy_verdict", "label", "overrides", "reopens")


class Elsewhere(Enum):
    """What becomes of a known value in a row that is not the person's own."""

    REPLACED = "replaced"
    REPORTED = "reported"
    REPORTED_IF_ALL = "reported if it is all there is"


@dataclass(frozen=True)
class Decision:
    """What becomes of a column: of the person's `own` rows, and `elsewhere`."""

    own: Reduction
    elsewhere: Elsewhere


def _blank(value: Any) -> Decision:
    return Decision(lambda _: value, Elsewhere.REPLACED)


def _reduced(to: Reduction) -> Decision:
    return Decision(to, Elsewhere.REPLACED)


def _same(value: Any) -> Any:
    return value


KEPT = Decision(_same, Elsewhere.REPORTED)
SEARCHED = Decision(_same, Elsewhere.REPLACED)
WHOSE = Decision(lambda _: None, Elsewhere.REPORTED_IF_ALL)  # the ids of other customers may look alike


def case(body: dict[str, Any]) -> dict[str, Any]:
    """A case without its customer."""
    return _only(_CASE, body)


def step(body: dict[str, Any]) -> dict[str, Any]:
    """A decision point that was taken, what it took, and that it failed where it did; nothing of what was said."""
    failed = {"error": ERASED} if body.get("error") else {}
    return _only(_STEP, body) | failed


def message(body: Any) -> dict[str, Any]:
    """That there was a message; of a second contact also whether it was about the same issue, which figures need."""
    return {"erased": True} | (_only(("same_issue",), body) if isinstance(body, dict) else {})


def episode(body: dict[str, Any]) -> dict[str, Any]:
    """How an attempt ended, and what verification and audit made of it."""
    began = str(body.get("began", ""))
    kept = {"number": body.get("number", 1), "began": "override" if began.startswith("override") else began}
    for name, reduce in (("verification", _verification), ("audit", _audit)):
        if body.get(name):
            kept[name] = reduce(body[name])
    return kept | _only(_ENDED, body)


def settlement(body: dict[str, Any]) -> dict[str, Any]:
    """The outcome, and what the case teaches."""
    return _only(_SETTLEMENT, body)


def state(whole: dict[str, Any]) -> dict[str, Any]:
    """The state of a settled case that nobody will go on from; it can be read as one all the same."""
    steps = {"steps": _only(("count", "last"), whole["steps"])} if whole.get("steps") else {}
    told = {"case": case(whole["case"])} if whole.get("case") else {}
    episodes = {"episodes": [episode(e) for e in whole.get("episodes", ())]}
    return _only(("case_id", "book", "stage", "revision"), whole) | told | steps | episodes


def imported(body: dict[str, Any]) -> dict[str, Any]:
    """What is known of the case coming back, yes or no."""
    return {name: known for name, known in body.items() if isinstance(known, bool)}


def _verification(result: dict[str, Any]) -> dict[str, Any]:
    return _only(("status", "checked"), result)


def _audit(result: dict[str, Any]) -> dict[str, Any]:
    findings = [_only(_FINDING, f) for f in result.get("findings", ())]
    return _only(("verdict", "compliant", "undetermined"), result) | {"findings": findings}


def _only(names: tuple[str, ...], body: dict[str, Any]) -> dict[str, Any]:
    return {name: body[name] for name in names if name in body}


def _dropped(standing: str) -> str:
    return "dropped" if standing == "waiting" else standing


def _closed(standing: str) -> str:
    return "erased" if standing == "open" else standing


def _table(kept: str = "", **others: Decision) -> Mapping[str, Decision]:
    return dict.fromkeys(kept.split(), KEPT) | others


# Policy books and keys are the deployment's own; what names a row, an agent, a clause or an outcome names no customer.
DECISIONS: Mapping[str, Mapping[str, Decision]] = {
    "policy_book": _table("digest domain texts"),
    "support_case": _table(
        "case_id agent domain release book handled_by stage outcome verdict",
        customer=WHOSE,
        intent=SEARCHED,
        ticket=_blank(None),
        body=_reduced(case),
    ),
    "step": _table("case_id kind batch", name=SEARCHED, body=_reduced(step)),
    "evidence": _table("case_id id kind standing by", digest=_blank(""), reasons=_blank([]), body=_reduced(message)),
    "episode": _table("case_id handled_by ending verification policy_verdict", intent=SEARCHED, body=_reduced(episode)),
    "finding": _table("case_id rule clause verdict severity", sentence=_blank(""), facts=_blank({})),
    "settlement": _table("case_id run_id outcome", body=_reduced(settlement), state=_reduced(state)),
    "feedback": _table(
        "case_id id agent release handled_by family kind",
        intent=SEARCHED,
        unit=SEARCHED,
        payload=_blank({}),
        source=_blank(""),
    ),
    "outbox": _table(
        "case_id id kind",
        standing=Decision(_dropped, Elsewhere.REPORTED),
        body=_blank({}),
        reason=_blank(""),
    ),
    "api_key": _table("id name role agent digest created_by"),
    "history": _table("source id agent handled_by", customer=WHOSE, intent=SEARCHED, body=_reduced(imported)),
    "erasure": _table("id by erased"),
    "supervisor": _table("agent trigger book paused_by releases", pause_reason=SEARCHED),
    "detector": _table("agent trigger detector release spec", grouping=SEARCHED, state=SEARCHED),
    "against": _table("agent trigger case_id piece kind release firing", grouping=SEARCHED),
    "firing": _table("id agent trigger status", note=SEARCHED, body=SEARCHED),
    "dataset": _table("id agent trigger digest redaction accounts", diagnosis=SEARCHED, built=SEARCHED),
    # The person's own examples are deleted.
    "example": _table("dataset case_id problem side redaction digest", body=_blank({}), provenance=_blank({})),
    "review": _table(
        "id kind case_id agent decided_by", standing=Decision(_closed, Elsewhere.REPORTED), decision=_blank({})
    ),
    # What is learned from, and what is learned: examples are redacted before they get here.
    "artifact": _table("digest kind", manifest=SEARCHED),
    "release": _table("id key agent stage champion firing", body=SEARCHED),
    "release_event": _table("release what by", note=SEARCHED),
    "weighing": _table("subject step verdict", body=SEARCHED),
    "assignment": _table("case_id agent release stage shadow experiment arm"),
    "answer": _table("case_id release agent", intent=SEARCHED),
    "golden": _table("agent case_id source", intent=SEARCHED),
    "quarantine": _table("agent reviewer lifted_by", figures=SEARCHED),
    "tuning": _table("firing job status model", files=SEARCHED, body=SEARCHED),
    "experiment": _table("id agent standing", intent=SEARCHED, body=SEARCHED, verdict=SEARCHED),
}
