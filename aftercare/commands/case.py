"""`aftercare case`: everything that can be done to a case, or seen of it."""

from __future__ import annotations

from cyclopts import App

from aftercare.commands.answering import CODES
from aftercare.commands.case_agent import agent_verbs
from aftercare.commands.case_look import look_verbs
from aftercare.commands.case_people import people_verbs

case = App(name="case", help=f"Report a case, correct it, look at it.\n\n{CODES}")
for verbs in (agent_verbs, people_verbs, look_verbs):
    case.update(verbs)
