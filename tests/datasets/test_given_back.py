"""No evidence stands in two datasets of one row, wherever giving back is broken off."""

from __future__ import annotations

from temporalio.testing import ActivityEnvironment

from activities.matrices import Matrices
from activities.triggers import TriggerActivities
from aftercare.messages.improvement import FireTrigger
from aftercare.store.triggers import Triggers
from tests.datasets.shelf import AGENT, FIRING, NOW, Shelf, trace


async def test_what_was_frozen_before_a_break_goes_before_the_next_firing(shelf: Shelf) -> None:
    """The worker that gave the evidence back broke off before it removed the dataset, and nobody asked again."""
    triggers = Triggers(shelf.cases.database)
    await shelf.settled("c", trace("Cancel my order, please."))
    await shelf.claimed("c")
    await shelf.freeze()
    await shelf.started()
    await triggers.give_back(FIRING, None, NOW)
    assert await shelf.datasets.find(FIRING)
    supervising = TriggerActivities(triggers, Matrices(shelf.cases), shelf.datasets)
    asked = FireTrigger(agent=AGENT, trigger="override", cycle=2, by="mia", reason="once more", at=NOW)
    await ActivityEnvironment().run(supervising.fire_trigger, asked)
    assert await shelf.datasets.find(FIRING) is None
    assert await shelf.rows() == []
