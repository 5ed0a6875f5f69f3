"""What the airline answers about its flights, reservations and customers; nothing here changes one.

Refusals are worded as the recorded airline worded them: what an agent did next depended on what it was told.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date as Date
from datetime import timedelta

from aftercare.demo.shop.domain import Arguments, Read, Record, Records, Refused

NOUNS = {"flights": "flight", "reservations": "reservation", "users": "user"}
AIRPORTS = {
    "SFO": "San Francisco",
    "JFK": "New York",
    "LAX": "Los Angeles",
    "ORD": "Chicago",
    "DFW": "Dallas",
    "DEN": "Denver",
    "SEA": "Seattle",
    "ATL": "Atlanta",
    "MIA": "Miami",
    "BOS": "Boston",
    "PHX": "Phoenix",
    "IAH": "Houston",
    "LAS": "Las Vegas",
    "MCO": "Orlando",
    "EWR": "Newark",
    "CLT": "Charlotte",
    "MSP": "Minneapolis",
    "DTW": "Detroit",
    "PHL": "Philadelphia",
    "LGA": "LaGuardia",
}


class Nothing(Arguments):
    pass


class ReservationId(Arguments):
    reservation_id: str


class CustomerId(Arguments):
    user_id: str


class Journey(Arguments):
    origin: str
    destination: str
    date: str


def existing(records: Records, kind: str, id: str) -> Record:
    """The record. Raises Refused."""
    record = records.find(kind, id)
    if record is None:
        raise Refused(f"{NOUNS[kind]} not found")
    return record


def reservation_details(records: Records, wanted: ReservationId) -> Record:
    """A reservation as it stands."""
    return existing(records, "reservations", wanted.reservation_id)


def customer_details(records: Records, wanted: CustomerId) -> Record:
    """A customer's profile."""
    return existing(records, "users", wanted.user_id)


def direct_flights(records: Records, wanted: Journey) -> list[Record]:
    """The flights that can be booked for that day, with seats and prices."""
    flights = records.all("flights").values()
    between = (f for f in flights if (f["origin"], f["destination"]) == (wanted.origin, wanted.destination))
    return [_on(flight, wanted.date) for flight in between if _bookable(flight, wanted.date)]


def flights_with_one_stop(records: Records, wanted: Journey) -> list[list[Record]]:
    """The pairs of flights that meet: the second leaves where the first arrives, and not before it."""
    flights = list(records.all("flights").values())
    pairs = ((one, two) for one in flights for two in flights if _meet(one, two, wanted))
    return [pair for one, two in pairs for pair in _bookable_pair(one, two, wanted.date)]


def airports(records: Records, wanted: Nothing) -> dict[str, str]:
    """Every airport and its city."""
    return AIRPORTS


def _meet(one: Record, two: Record, wanted: Journey) -> bool:
    ends = (one["origin"], two["destination"]) == (wanted.origin, wanted.destination)
    # An arrival on the next day reads 05:00:00+1, and the second flight is then one of that day.
    in_time = one["scheduled_arrival_time_est"] <= two["scheduled_departure_time_est"]
    return ends and one["destination"] == two["origin"] and in_time


def _bookable_pair(one: Record, two: Record, date: str) -> Iterator[list[Record]]:
    onwards = _day_after(date) if "+1" in one["scheduled_arrival_time_est"] else date
    if _bookable(one, date) and _bookable(two, onwards):
        # As recorded: seats and prices of the second flight are those of the first day, also when it is a day later.
        yield [{**_on(one, date), "date": date}, {**_on(two, date), "date": onwards}]


def _bookable(flight: Record, date: str) -> bool:
    return date in flight["dates"] and flight["dates"][date]["status"] == "available"


def _on(flight: Record, date: str) -> Record:
    return {**{name: value for name, value in flight.items() if name != "dates"}, **flight["dates"].get(date, {})}


def _day_after(date: str) -> str:
    return (Date.fromisoformat(date) + timedelta(days=1)).isoformat()


READS = {
    "get_reservation_details": Read(ReservationId, reservation_details),
    "get_user_details": Read(CustomerId, customer_details),
    "list_all_airports": Read(Nothing, airports),
    "search_direct_flight": Read(Journey, direct_flights),
    "search_onestop_flight": Read(Journey, flights_with_one_stop),
}
