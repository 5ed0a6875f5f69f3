"""What the airline's tools promise an agent."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from aftercare.demo.shop.airline import AIRLINE
from tests.shop.conftest import app_on, client

FRI, SAT = "2024-05-17", "2024-05-18"
PRICES = {"basic_economy": 50, "economy": 100, "business": 300}
SEATS = {"basic_economy": 0, "economy": 2, "business": 9}


def flight(number: str, origin: str, destination: str, leaves: str, arrives: str, seats: int = 2) -> dict[str, Any]:
    open_day = {"status": "available", "available_seats": {**SEATS, "economy": seats}, "prices": PRICES}
    times = {"scheduled_departure_time_est": leaves, "scheduled_arrival_time_est": arrives}
    dates = {FRI: open_day, SAT: open_day, "2024-05-16": {"status": "flying"}}
    return {"flight_number": number, "origin": origin, "destination": destination, **times, "dates": dates}


BOB: dict[str, Any] = {"first_name": "Bob", "last_name": "Ray", "dob": "1990-01-01"}
LEG = {"flight_number": "F1", "date": FRI}
BOOKED = {**LEG, "origin": "JFK", "destination": "SEA", "price": 80}
RESERVATION = {
    "reservation_id": "R1",
    "user_id": "bob",
    "cabin": "economy",
    "flights": [BOOKED],
    "passengers": [BOB, BOB],
    "payment_history": [{"payment_id": "card_1", "amount": 160}],
    "total_baggages": 1,
    "nonfree_baggages": 0,
}
METHODS: dict[str, dict[str, Any]] = {
    "card_1": {"source": "credit_card", "id": "card_1"},
    "gift_1": {"source": "gift_card", "id": "gift_1", "amount": 90},
    "cert_1": {"source": "certificate", "id": "cert_1", "amount": 60},
}
SMALL: dict[str, dict[str, Any]] = {
    "flights": {
        "F1": flight("F1", "JFK", "SEA", "06:00:00", "09:00:00"),
        "F2": flight("F2", "SEA", "SFO", "10:00:00", "11:00:00"),
        "F3": flight("F3", "SEA", "SFO", "08:00:00", "09:00:00"),
        "F4": flight("F4", "JFK", "SEA", "20:00:00", "05:00:00+1", seats=1),
    },
    "reservations": {"R1": RESERVATION},
    "users": {"bob": {"payment_methods": METHODS, "reservations": ["R1"]}},
}
BOOK: dict[str, Any] = {
    "user_id": "bob",
    "origin": "JFK",
    "destination": "SEA",
    "flight_type": "one_way",
    "cabin": "economy",
    "flights": [LEG],
    "passengers": [BOB],
    "payment_methods": [{"payment_id": "cert_1", "amount": 50}, {"payment_id": "gift_1", "amount": 80}],
    "total_baggages": 0,
    "nonfree_baggages": 0,
    "insurance": "yes",
}
CHANGE = {"reservation_id": "R1", "cabin": "economy", "flights": [LEG], "payment_id": "gift_1"}
BAGS = {"reservation_id": "R1", "total_baggages": 3, "nonfree_baggages": 1, "payment_id": "gift_1"}


@pytest.fixture
async def airline(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    data = tmp_path / "small.json"
    data.write_text(json.dumps(SMALL))
    async with client(app_on(tmp_path / "airline.sqlite", data, AIRLINE), "http://shop/copies/one/") as speaking:
        yield speaking


async def used(airline: httpx.AsyncClient, tool: str, **arguments: Any) -> Any:
    answer = await airline.post(f"tools/{tool}", json=arguments)
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


async def customer(airline: httpx.AsyncClient) -> dict[str, Any]:
    found: dict[str, Any] = (await airline.get("records/users/bob")).json()
    return found


async def test_a_booking_is_paid_to_the_cent_and_uses_a_certificate_up(airline: httpx.AsyncClient) -> None:
    """100 the flight and 30 the insurance: the gift card has less, the certificate is gone with what was left on it."""
    reservation = await used(airline, "book_reservation", **BOOK)
    assert (reservation["reservation_id"], reservation["created_at"]) == ("HATHAT", "2024-05-15T15:00:00")
    assert reservation["flights"] == [{**LEG, "price": 100, "origin": "JFK", "destination": "SEA"}]
    assert reservation["payment_history"] == BOOK["payment_methods"]
    assert (await airline.get("records/reservations/HATHAT")).json() == reservation
    bob = await customer(airline)
    assert bob["reservations"] == ["R1", "HATHAT"]
    assert bob["payment_methods"] == {"card_1": METHODS["card_1"], "gift_1": {**METHODS["gift_1"], "amount": 10}}
    (entry,) = (await airline.get("operations")).json()
    assert entry["changed"] == ["reservations/HATHAT", "users/bob"]


async def test_a_booking_takes_no_seat(airline: httpx.AsyncClient) -> None:
    """The schedule is as it was: the recorded airline brings it up to date later."""
    await used(airline, "book_reservation", **BOOK)
    assert (await airline.get("records/flights/F1")).json() == SMALL["flights"]["F1"]


async def test_a_cancellation_is_noted_and_credits_no_gift_card(airline: httpx.AsyncClient) -> None:
    """What was paid is noted as money back; the customer's record does not change."""
    reservation = await used(airline, "cancel_reservation", reservation_id="R1")
    assert reservation["status"] == "cancelled"
    assert [paid["amount"] for paid in reservation["payment_history"]] == [160, -160]
    assert await customer(airline) == SMALL["users"]["bob"]


async def test_a_kept_flight_keeps_its_price(airline: httpx.AsyncClient) -> None:
    """Nothing is due for a flight that stays, and nothing is noted."""
    assert await used(airline, "update_reservation_flights", **CHANGE) == RESERVATION


async def test_another_cabin_is_paid_for_and_not_noted(airline: httpx.AsyncClient) -> None:
    """The price of the day for everybody, the difference on the card; `cabin` stays, as in the recordings."""
    change = {**CHANGE, "cabin": "business", "payment_id": "card_1"}
    reservation = await used(airline, "update_reservation_flights", **change)
    assert reservation["flights"] == [{**LEG, "price": 300, "origin": "JFK", "destination": "SEA"}]
    assert reservation["payment_history"][1:] == [{"payment_id": "card_1", "amount": 440}]
    assert reservation["cabin"] == "economy"


async def test_another_flight_moves_the_difference_on_a_gift_card(airline: httpx.AsyncClient) -> None:
    """Two passengers, 20 more each."""
    later = {**LEG, "date": SAT, "origin": "XXX"}
    reservation = await used(airline, "update_reservation_flights", **{**CHANGE, "flights": [later]})
    assert reservation["flights"][0]["origin"] == "JFK"
    assert reservation["payment_history"][1:] == [{"payment_id": "gift_1", "amount": 40}]
    assert (await customer(airline))["payment_methods"]["gift_1"]["amount"] == 50


async def test_only_bags_that_are_not_free_cost(airline: httpx.AsyncClient) -> None:
    """50 for each more of them; fewer bring nothing back."""
    reservation = await used(airline, "update_reservation_baggages", **BAGS)
    assert (reservation["total_baggages"], reservation["nonfree_baggages"]) == (3, 1)
    assert (await customer(airline))["payment_methods"]["gift_1"]["amount"] == 40
    fewer = await used(airline, "update_reservation_baggages", **{**BAGS, "nonfree_baggages": 0})
    assert [paid["amount"] for paid in fewer["payment_history"]] == [160, 50]


async def test_passengers_change_in_number_never(airline: httpx.AsyncClient) -> None:
    """Others may fly, but as many."""
    ann = {**BOB, "first_name": "Ann"}
    wanted = {"reservation_id": "R1", "passengers": [ann, BOB]}
    assert (await used(airline, "update_reservation_passengers", **wanted))["passengers"] == [ann, BOB]


async def test_certificates_get_their_names_in_turn(airline: httpx.AsyncClient) -> None:
    """The answer is a sentence; a fourth is refused rather than lost."""
    for last in (2, 3, 4):
        told = await used(airline, "send_certificate", user_id="bob", amount=100)
        assert told == f"Certificate certificate_322132{last} added to user bob with amount 100."
    methods = (await customer(airline))["payment_methods"]
    given = {"source": "certificate", "amount": 100, "id": "certificate_3221324"}
    assert methods["certificate_3221324"] == given
    assert (await airline.post("tools/send_certificate", json={"user_id": "bob", "amount": 1})).status_code == 409


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("book_reservation", {**BOOK, "user_id": "ann"}, "user not found"),
    ("book_reservation", {**BOOK, "insurance": "no"}, "does not add up, total price is 100, but paid 130"),
    ("book_reservation", {**BOOK, "cabin": "basic_economy"}, "not enough seats on flight F1"),
    ("book_reservation", {**BOOK, "flights": [{**LEG, "flight_number": "F9"}]}, "flight F9 not found"),
    ("book_reservation", {**BOOK, "flights": [{**LEG, "date": "2024-06-01"}]}, "F1 not found on date 2024-06-01"),
    ("book_reservation", {**BOOK, "payment_methods": [{"payment_id": "x", "amount": 130}]}, "method x not found"),
    ("book_reservation", {**BOOK, "payment_methods": [{"payment_id": "gift_1", "amount": 130}]}, "not enough balance"),
    ("cancel_reservation", {"reservation_id": "R9"}, "reservation not found"),
    ("update_reservation_flights", {**CHANGE, "flights": [{**LEG, "date": "2024-05-16"}]}, "not available on date"),
    ("update_reservation_flights", {**CHANGE, "flights": [{**LEG, "flight_number": "F4"}]}, "not enough seats"),
    ("update_reservation_flights", {**CHANGE, "cabin": "business"}, "gift card balance is not enough"),
    ("update_reservation_flights", {**CHANGE, "payment_id": "cert_1"}, "certificate cannot be used"),
    ("update_reservation_baggages", {**BAGS, "payment_id": "card_9"}, "payment method not found"),
    ("update_reservation_passengers", {"reservation_id": "R1", "passengers": [BOB]}, "number of passengers"),
    ("send_certificate", {"user_id": "ann", "amount": 1}, "user not found"),
]


@pytest.mark.parametrize(("tool", "arguments", "told"), REFUSED)
async def test_a_refusal_says_why_and_changes_nothing(
    airline: httpx.AsyncClient, tool: str, arguments: dict[str, Any], told: str
) -> None:
    """What the airline forbids is a 409 with the recorded airline's words, journalled, and without effect."""
    answer = await airline.post(f"tools/{tool}", json=arguments)
    assert answer.status_code == 409
    assert told in answer.json()["detail"]
    (entry,) = (await airline.get("operations")).json()
    assert (entry["accepted"], entry["changed"]) == (False, [])


async def test_flights_are_found_for_a_day(airline: httpx.AsyncClient) -> None:
    """Those that can be booked, with that day's seats and prices in place of all days."""
    found = await used(airline, "search_direct_flight", origin="JFK", destination="SEA", date=FRI)
    assert [f["flight_number"] for f in found] == ["F1", "F4"]
    assert (found[0]["prices"], "dates" in found[0]) == (PRICES, False)
    assert await used(airline, "search_direct_flight", origin="JFK", destination="SEA", date="2024-05-16") == []


async def test_flights_with_one_stop_meet(airline: httpx.AsyncClient) -> None:
    """The second leaves after the first has arrived: the same day, or the next after a night flight."""
    pairs = await used(airline, "search_onestop_flight", origin="JFK", destination="SFO", date=FRI)
    told = [[(f["flight_number"], f["date"]) for f in pair] for pair in pairs]
    assert told == [
        [("F1", FRI), ("F2", FRI)],
        [("F4", FRI), ("F2", SAT)],
        [("F4", FRI), ("F3", SAT)],
    ]


async def test_look_ups_are_no_operations(airline: httpx.AsyncClient) -> None:
    """A reservation, a customer, the airports: read without a trace; what is not there is a 404."""
    assert await used(airline, "get_reservation_details", reservation_id="R1") == RESERVATION
    assert await used(airline, "get_user_details", user_id="bob") == SMALL["users"]["bob"]
    assert len(await used(airline, "list_all_airports")) == 20
    assert (await airline.post("tools/get_user_details", json={"user_id": "ann"})).status_code == 404
    assert (await airline.get("operations")).json() == []
