"""What is sent next: in order within a case, and nothing that is refused or late holds up what is not."""

from __future__ import annotations

from typing import Any

import pytest

from aftercare.client.answers import Answer
from aftercare.client.buffer import MOST_REFUSED, Buffer
from aftercare.client.problems import Problems
from aftercare.client.sending import IDLE, IMPATIENT, Sending
from aftercare.client.writes import Entry, Write

TAKEN = Answer(202, {}, b'{"standing": "waiting"}')


class Desk:
    """A sender over a buffer in memory, on a clock of its own."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.buffer, self.problems = Buffer(None, 10**9, 50), Problems()
        self.sending = Sending(self.buffer, self.problems, 10.0, lambda: self.now, lambda: 1.0)

    def write(self, case_id: str, id: str, kind: str = "feedback") -> None:
        self.buffer.add(Write(case_id, kind, id, "{}"))

    def due(self) -> Entry:
        entry = self.sending.due()
        assert isinstance(entry, Entry), entry
        return entry

    def answer(self, answer: Answer) -> str:
        entry = self.due()
        self.sending.heard(entry, answer)
        return entry.id

    def wait(self) -> float:
        pause = self.sending.due()
        assert isinstance(pause, float), pause
        return pause


@pytest.fixture
def desk() -> Desk:
    """A sender with three messages about two cases."""
    desk = Desk()
    for case_id, id in (("a", "a1"), ("b", "b1"), ("a", "a2")):
        desk.write(case_id, id)
    return desk


def refusing(status: int, **headers: str) -> Answer:
    return Answer(status, {"content-type": "application/problem+json", **headers}, b'{"reasons": ["no"]}')


def test_what_was_taken_in_is_forgotten_and_the_next_is_sent(desk: Desk) -> None:
    """In the order in which it was written; then there is nothing to do."""
    assert [desk.answer(TAKEN) for _ in range(3)] == ["a1", "b1", "a2"]
    assert desk.wait() == IDLE


def test_a_server_that_is_down_is_left_alone_longer_and_longer(desk: Desk) -> None:
    """And the order stays."""
    pauses = []
    for _ in range(4):
        assert desk.answer(Answer(0, error="ConnectError")) == "a1"
        pauses.append(desk.wait())
        desk.now += pauses[-1]
    assert pauses == [0.5, 1.0, 2.0, 4.0]
    assert [desk.answer(TAKEN) for _ in range(3)] == ["a1", "b1", "a2"]


def test_trouble_is_told_once_and_not_at_every_try(desk: Desk) -> None:
    """Until it is another trouble."""
    for answer in (Answer(0, error="ConnectError"), Answer(0, error="ConnectError"), refusing(401)):
        desk.answer(answer)
        desk.sending.hurry()
    assert [(p.what, p.reasons) for p in desk.problems.latest()] == [
        ("not_sent_yet", ("Aftercare does not answer (ConnectError)",)),
        ("not_sent_yet", ("the key is not accepted (401); see AFTERCARE_KEY",)),
    ]


def test_a_busy_server_says_how_long_to_wait(desk: Desk) -> None:
    """And it is waited that long, by every case."""
    desk.answer(refusing(429, **{"retry-after": "17"}))
    assert desk.wait() == 17.0


def test_a_refused_message_is_set_apart_and_holds_nothing_up(desk: Desk) -> None:
    """With the reasons, and told."""
    assert desk.answer(refusing(422)) == "a1"
    assert [desk.answer(TAKEN) for _ in range(2)] == ["b1", "a2"]
    [refused] = desk.buffer.refused()
    assert (refused.id, refused.status, refused.reasons, refused.body) == ("a1", 422, ("no",), "{}")
    assert [(p.what, p.case_id) for p in desk.problems.latest()] == [("refused", "a")]


def test_of_an_erased_case_nothing_is_kept(desk: Desk) -> None:
    """The customer's words go with it."""
    desk.answer(refusing(410))
    assert [(r.id, r.body) for r in desk.buffer.refused()] == [("a1", None)]


def test_the_latest_refusals_are_kept(desk: Desk) -> None:
    """A thousand of them, however many other messages came between."""
    for number in range(MOST_REFUSED + 5):
        desk.write("c", f"c{number}")
    ids = [desk.answer(refusing(422)) for _ in range(MOST_REFUSED + 8)]
    assert [r.id for r in desk.buffer.refused()] == ids[-MOST_REFUSED:]


@pytest.mark.parametrize("status", [403, 500])
def test_a_case_in_trouble_is_held_back_alone(desk: Desk, status: int) -> None:
    """Its later messages wait behind the one in trouble; another case's go on."""
    assert [desk.answer(refusing(status)), desk.answer(TAKEN)] == ["a1", "b1"]
    desk.now += desk.wait()
    assert [desk.answer(TAKEN), desk.answer(TAKEN)] == ["a1", "a2"]


def test_a_case_in_trouble_waits_longer_each_time_whatever_others_do(desk: Desk) -> None:
    """Success elsewhere is no reason to ask again at once."""
    pauses = []
    for number in range(3):
        desk.answer(refusing(403))
        desk.write("b", f"b{number + 2}")
        while isinstance(due := desk.sending.due(), Entry):
            desk.sending.heard(due, TAKEN)
        pauses.append(due)
        desk.now += due
    assert pauses == [0.5, 1.0, 2.0]


def test_it_is_asked_for_a_refusal_until_nobody_answers(desk: Desk) -> None:
    """Then what a case makes of a message is not waited for, for a minute."""

    def wait_for(id: str, answer: Answer) -> Any:
        desk.write("c", id, "resolution")
        entry = desk.due()
        wait = desk.sending.request(entry).wait
        desk.sending.heard(entry, answer)
        return wait

    for _ in range(3):
        desk.answer(TAKEN)
    delivered = Answer(200, {}, b'{"standing": "delivered"}')
    assert [wait_for("1", delivered), wait_for("2", TAKEN), wait_for("3", TAKEN)] == [2.0, 2.0, 0.0]
    desk.now += IMPATIENT
    assert wait_for("4", TAKEN) == 2.0


def test_steps_wait_for_their_batch(desk: Desk) -> None:
    """Until it is old enough, or something else is said of the case."""
    for _ in range(3):
        desk.answer(TAKEN)
    desk.buffer.add_step("a", 1, "{}", None)
    assert 0 < desk.wait() <= 10.0
    desk.write("a", "a3")
    assert [desk.answer(TAKEN), desk.answer(TAKEN)] == ["a.steps.1", "a3"]


def test_old_steps_are_sent_by_themselves() -> None:
    """So that a case that takes its time shows signs of life."""
    desk = Desk()
    desk.sending = Sending(desk.buffer, desk.problems, 0.0, lambda: desk.now)
    desk.buffer.add_step("a", 1, '{"number":1}', None)
    entry = desk.due()
    assert (entry.kind, entry.body) == ("steps", '{"id":"a.steps.1","steps":[{"number":1}]}')
