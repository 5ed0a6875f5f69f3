"""The survey: what a customer is asked, what may be answered, and the feedback that comes of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from aftercare.messages.evidence import Feedback
from aftercare.messages.kinds import KINDS

LONGEST_COMMENT = 2_000  # characters
COMMENT = "comment"
SOURCE = "survey"

_NO_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")  # all controls but tab and line end; half characters


@dataclass(frozen=True)
class Option:
    """One answer that may be chosen: what it counts as, and what it says. Without words its number speaks."""

    value: int
    says: str = ""


@dataclass(frozen=True)
class Question:
    """One question, whose answer becomes feedback of its kind. Every question may be left unanswered."""

    kind: str
    asks: str
    options: tuple[Option, ...]

    @property
    def is_scale(self) -> bool:
        """Whether the options are steps of a scale, and not words."""
        return len(self.options) > 2


QUESTIONS = (
    Question("resolved", "Is your issue solved?", (Option(1, "Yes"), Option(0, "No"))),
    Question(
        "csat",
        "How satisfied are you with the help you got?",
        (
            Option(1, "Very dissatisfied"),
            Option(2, "Dissatisfied"),
            Option(3, "Neither"),
            Option(4, "Satisfied"),
            Option(5, "Very satisfied"),
        ),
    ),
    Question(
        "ces",
        "How easy was it to get help?",
        (Option(1, "Very difficult"), *(Option(n) for n in range(2, 7)), Option(7, "Very easy")),
    ),
)


@dataclass(frozen=True)
class Answers:
    """What a customer answered: the chosen value of each question by its kind, absent where none was; a comment."""

    chosen: Mapping[str, int] = field(default_factory=dict)
    comment: str = ""


class NotAnswered(ValueError):
    """A form that cannot be taken: what is wrong, by the name of the field; under `` what is wrong with the whole."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__("; ".join(problems.values()))
        self.problems = problems


def survey_id(episode: int) -> str:
    """The id of the survey about an episode of a case."""
    return f"survey-{episode}"


def evidence_ids(survey: str) -> list[str]:
    """Every id under which an answer to a survey may lie in the inbox."""
    return [f"{survey}-{kind}" for kind in (*(q.kind for q in QUESTIONS), COMMENT)]


def answers_in(form: Mapping[str, str]) -> Answers:
    """The answers in a form's fields. Raises NotAnswered with every problem."""
    problems, chosen = {}, {}
    for question in QUESTIONS:
        given = form.get(question.kind, "")
        known = {str(option.value): option.value for option in question.options}
        if given in known:
            chosen[question.kind] = known[given]
        elif given:
            problems[question.kind] = "Choose one of the answers shown."
    comment = plain_text(form.get(COMMENT, ""))
    if len(comment) > LONGEST_COMMENT:
        over = len(comment) - LONGEST_COMMENT
        problems[COMMENT] = f"Your comment may have {LONGEST_COMMENT:,} characters. It has {over:,} too many."
    if not (problems or chosen or comment):
        problems[""] = "Answer at least one question, or write a comment."
    if problems:
        raise NotAnswered(problems)
    return Answers(chosen, comment)


def feedback_of(answers: Answers, survey: str) -> list[Feedback]:
    """The answers as evidence: one piece for each question answered, the comment on the first of them.

    A comment alone is a piece of its own, of the kind `comment` and without a value. Every piece names all that were
    answered together, so that the same answers sent again are known from others.
    """
    pieces = [*answers.chosen] or [COMMENT]
    told = [*answers.chosen, *([COMMENT] if answers.comment else [])]
    return [
        Feedback(
            id=f"{survey}-{kind}",
            kind=kind,
            value=answers.chosen.get(kind),
            unit=KINDS[kind].unit if kind in KINDS else "",
            comment=answers.comment if kind == pieces[0] else "",
            payload={"survey": survey, "answered": told},
            source=SOURCE,
        )
        for kind in pieces
    ]


def plain_text(text: str) -> str:
    """A comment as it is kept: lines end one way, and nothing that is no text is in it."""
    return _NO_TEXT.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
