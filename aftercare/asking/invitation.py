"""The invitation: who asks, one link, and until when; as plain text, as simple HTML, and as JSON."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from aftercare.asking.links import SurveyRef

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


@dataclass(frozen=True)
class Invitation:
    """What is sent to a customer, or to the system that asks them. It holds nothing of the customer."""

    ref: SurveyRef
    link: str
    organisation: str
    subject: str
    text: str
    html: str

    @property
    def id(self) -> str:
        """By what the same invitation is known again where it is sent twice."""
        return f"survey_{hashlib.sha256(f'{self.ref.case_id}/{self.ref.survey}'.encode()).hexdigest()[:40]}"

    def as_json(self) -> dict[str, Any]:
        """What a webhook is told."""
        return {
            "type": "survey.invitation",
            "id": self.id,
            "case_id": self.ref.case_id,
            "survey": self.ref.survey,
            "organisation": self.organisation,
            "link": self.link,
            "expires_at": self.ref.expires_at.isoformat(),
            "subject": self.subject,
            "text": self.text,
        }


def invitation_of(ref: SurveyRef, link: str, organisation: str) -> Invitation:
    """The invitation to a survey, in the name of an organisation."""
    name = " ".join(organisation.split())
    told = {"organisation": name, "link": link, "until": in_words(ref.expires_at)}
    return Invitation(
        ref=ref,
        link=link,
        organisation=name,
        subject=f"How did {name} do?",
        text=_TEMPLATES.get_template("invitation.txt").render(told),
        html=_TEMPLATES.get_template("invitation.html").render(told),
    )


def in_words(moment: datetime) -> str:
    """A moment as people write it, without a guess at their time zone."""
    utc = moment.astimezone(UTC)
    return f"{utc.day} {utc:%B %Y}, {utc:%H:%M} UTC"
