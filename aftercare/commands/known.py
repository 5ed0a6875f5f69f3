"""Names that somebody typed, held against those there are: a slip is refused, and is no empty answer."""

from __future__ import annotations

from aftercare.lifecycle.state import Refused
from aftercare.store.cases import Cases
from aftercare.store.looking import intents_of
from aftercare.store.triggers import Triggers
from policies.triggers import nearest


async def known_agent(cases: Cases, agent: str | None) -> None:
    """Raises Refused where an agent was named that has no cases."""
    if agent is None:
        return
    agents = await Triggers(cases.database).agents()
    if agent not in agents:
        raise Refused([no_agent(agent, agents)])


async def known_intent(cases: Cases, agent: str, intent: str) -> None:
    """Raises Refused where no case of the agent has this intent: a slip would become a label."""
    known = await intents_of(cases.database, agent)
    if intent not in known:
        told = f"no case of agent {agent} has the intent {intent}"
        raise Refused([f"{told}; {nearest(intent, known)}" if known else told, "--new-intent takes it all the same"])


def no_agent(agent: str, agents: list[str]) -> str:
    """That an agent has no cases, and which have."""
    return f"no case of agent {agent} is registered; there are cases of {', '.join(agents) or 'no agent'}"
