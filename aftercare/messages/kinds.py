"""The kinds of evidence: for each its family, the values it takes, and their unit."""

from __future__ import annotations

from dataclasses import dataclass

from aftercare.messages.evidence import Family


@dataclass(frozen=True)
class Kind:
    """A kind of evidence. `lowest` and `highest` bound its value; null where nothing does."""

    name: str
    family: Family
    unit: str
    lowest: float | None = None
    highest: float | None = None
    whole: bool = False

    def problem(self, value: float | None) -> str | None:
        """What is wrong with a value; unknown is always an answer."""
        if value is None:
            return None
        if (self.lowest is not None and value < self.lowest) or (self.highest is not None and value > self.highest):
            return f"{self.name} is {self.between()}, and this is {value:g}"
        if self.whole and value != int(value):
            return f"{self.name} is a whole number {self.between()}, and this is {value:g}"
        return None

    def between(self) -> str:
        """Its bounds, in words."""
        if self.highest is None:
            return f"at least {self.lowest:g}" if self.lowest is not None else "any number"
        return f"from {self.lowest:g} to {self.highest:g}"


def _yes_no(name: str, family: Family) -> Kind:
    return Kind(name, family, "yes/no", 0, 1, whole=True)


def _share(name: str, family: Family) -> Kind:
    return Kind(name, family, "share", 0, 1)


def _count(name: str, family: Family) -> Kind:
    return Kind(name, family, "count", 0, whole=True)


E, I, O, T, P, C = (  # noqa: E741
    Family.EXPLICIT,
    Family.IMPLICIT,
    Family.OUTCOME,
    Family.TRACE,
    Family.OPERATIONAL,
    Family.COMPARATIVE,
)

KINDS = {
    kind.name: kind
    for kind in (
        Kind("csat", E, "1-5", 1, 5),
        Kind("ces", E, "1-7", 1, 7),
        _yes_no("resolved", E),
        Kind("thumbs", E, "up/down", -1, 1, whole=True),
        _yes_no("override", E),
        _yes_no("escalation", E),
        _yes_no("audit_label", E),
        _yes_no("recontact", I),
        Kind("dwell", I, "s", 0),
        _share("scroll", I),
        _yes_no("dismissal", I),
        _yes_no("action_completed", I),
        _count("backtrack", I),
        _yes_no("verification", O),
        _yes_no("reopen", O),
        _yes_no("policy_audit", O),
        _yes_no("first_contact_resolution", O),
        _count("dead_end", T),
        _count("loop", T),
        _count("irrelevant_retrieval", T),
        _count("low_confidence", T),
        Kind("sentiment", T, "-1..1", -1, 1),
        Kind("sentiment_slope", T, "per turn"),
        Kind("latency", P, "s", 0),
        _count("error", P),
        _count("fallback", P),
        Kind("tokens", P, "tokens", 0),
        Kind("cost", P, "currency", 0),
        Kind("energy", P, "Wh", 0),
        Kind("handling_time", P, "s", 0),
        _share("shadow_agreement", C),
    )
}


def family_of(kind: str, told: Family) -> Family:
    """The family of a kind: its own where it is known, else the one its sender told."""
    return KINDS[kind].family if kind in KINDS else told
