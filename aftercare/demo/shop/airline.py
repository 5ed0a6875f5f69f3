"""The airline's operations: reservations, flights and certificates, and the little that the airline itself forbids.

It is the airline of the recordings, with what is odd about it: most of its policy is the agent's to keep; a change of
cabin changes the prices and not the reservation's `cabin`; no seat is taken off a flight; a cancellation is noted as
money back, and no gift card is credited.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from aftercare.demo.shop.airline_payments import Payment, cents, entry, paid_for_booking, paid_for_change
from aftercare.demo.shop.airline_reads import READS, ReservationId, existing
from aftercare.demo.shop.domain import Arguments, Changed, Domain, Record, Records, Refused, Write

Cabin = Literal["basic_economy", "economy", "business"]

# In every recording the clock stands at this moment, and new reservations and certificates get these names in turn.
NOW = "2024-05-15T15:00:00"
RESERVATION_IDS = ("HATHAT", "HATHAU", "HATHAV")
CERTIFICATE_IDS = ("certificate_3221322", "certificate_3221323", "certificate_3221324")
A_BAG, AN_INSURANCE = 50, 30


class Leg(Arguments):
    """One flight of a reservation. Agents may repeat where it goes; the schedule decides."""

    flight_number: str
    date: str
    origin: str | None = None
    destination: str | None = None


class Passenger(Arguments):
    first_name: str
    last_name: str
    dob: str


class Booking(Arguments):
    user_id: str
    origin: str
    destination: str
    flight_type: Literal["one_way", "round_trip"]
    cabin: Cabin
    flights: list[Leg]
    passengers: list[Passenger]
    payment_methods: list[Payment]
    total_baggages: int
    nonfree_baggages: int
    insurance: Literal["yes", "no"]


class FlightsChange(Arguments):
    reservation_id: str
    cabin: Cabin
    flights: list[Leg]
    payment_id: str


class BaggagesChange(Arguments):
    reservation_id: str
    total_baggages: int
    nonfree_baggages: int
    payment_id: str


class PassengersChange(Arguments):
    reservation_id: str
    passengers: list[Passenger]


class Certificate(Arguments):
    user_id: str
    amount: int | float


def book(records: Records, wanted: Booking) -> Changed:
    customer = existing(records, "users", wanted.user_id)
    flights = [_available(records, leg, wanted.cabin, len(wanted.passengers)) for leg in wanted.flights]
    insured = AN_INSURANCE if wanted.insurance == "yes" else 0
    price = _fare(flights, wanted.passengers) + insured * len(wanted.passengers) + A_BAG * wanted.nonfree_baggages
    customer = paid_for_booking(customer, wanted.payment_methods, price)
    id = _first_free(RESERVATION_IDS, lambda name: records.find("reservations", name) is None)
    asked = wanted.model_dump()
    paid = asked.pop("payment_methods")
    reservation = {"reservation_id": id, **asked, "flights": flights, "payment_history": paid, "created_at": NOW}
    return _changed(reservation, {**customer, "reservations": [*customer["reservations"], id]})


def cancel(records: Records, wanted: ReservationId) -> Changed:
    reservation = existing(records, "reservations", wanted.reservation_id)
    history = reservation["payment_history"]
    refunds = [{"payment_id": paid["payment_id"], "amount": -paid["amount"]} for paid in history]
    return _changed({**reservation, "payment_history": [*history, *refunds], "status": "cancelled"})


def change_flights(records: Records, wanted: FlightsChange) -> Changed:
    reservation = existing(records, "reservations", wanted.reservation_id)
    passengers = reservation["passengers"]
    flights = [
        _kept(reservation, leg, wanted.cabin) or _available(records, leg, wanted.cabin, len(passengers))
        for leg in wanted.flights
    ]
    price = cents(_fare(flights, passengers) - _fare(reservation["flights"], passengers))
    return _paid(records, {**reservation, "flights": flights}, wanted.payment_id, price)


def change_baggages(records: Records, wanted: BaggagesChange) -> Changed:
    reservation = existing(records, "reservations", wanted.reservation_id)
    price = A_BAG * max(0, wanted.nonfree_baggages - reservation["nonfree_baggages"])
    bags = wanted.model_dump(include={"total_baggages", "nonfree_baggages"})
    return _paid(records, {**reservation, **bags}, wanted.payment_id, price)


def change_passengers(records: Records, wanted: PassengersChange) -> Changed:
    reservation = existing(records, "reservations", wanted.reservation_id)
    if len(wanted.passengers) != len(reservation["passengers"]):
        raise Refused("number of passengers does not match")
    return _changed({**reservation, **wanted.model_dump(include={"passengers"})})


def send_certificate(records: Records, wanted: Certificate) -> Changed:
    customer = existing(records, "users", wanted.user_id)
    methods = customer["payment_methods"]
    id = _first_free(CERTIFICATE_IDS, lambda name: name not in methods)
    given = {"source": "certificate", "amount": wanted.amount, "id": id}
    told = f"Certificate {id} added to user {wanted.user_id} with amount {wanted.amount}."
    return Changed(told, {("users", wanted.user_id): {**customer, "payment_methods": {**methods, id: given}}})


def _kept(reservation: Record, leg: Leg, cabin: Cabin) -> Record | None:
    """A flight of the reservation that stays in its cabin keeps the price it was booked at."""
    if cabin != reservation["cabin"]:
        return None
    same = (f for f in reservation["flights"] if (f["flight_number"], f["date"]) == (leg.flight_number, leg.date))
    return next(same, None)


def _available(records: Records, leg: Leg, cabin: Cabin, seats: int) -> Record:
    """A flight with seats left for everybody, at the price of the day."""
    flight = records.find("flights", leg.flight_number)
    if flight is None:
        raise Refused(f"flight {leg.flight_number} not found")
    day = flight["dates"].get(leg.date)
    if day is None:
        raise Refused(f"flight {leg.flight_number} not found on date {leg.date}")
    if day["status"] != "available":
        raise Refused(f"flight {leg.flight_number} not available on date {leg.date}")
    if day["available_seats"][cabin] < seats:
        raise Refused(f"not enough seats on flight {leg.flight_number}")
    named = {"flight_number": leg.flight_number, "date": leg.date}
    return {**named, "price": day["prices"][cabin], "origin": flight["origin"], "destination": flight["destination"]}


def _fare(flights: list[Record], passengers: list[Passenger] | list[Record]) -> float:
    fare: float = sum(flight["price"] for flight in flights) * len(passengers)
    return fare


def _paid(records: Records, reservation: Record, payment_id: str, price: float) -> Changed:
    customer = paid_for_change(existing(records, "users", reservation["user_id"]), payment_id, price)
    history = [*reservation["payment_history"], *entry(payment_id, price)]
    return _changed({**reservation, "payment_history": history}, customer)


def _changed(reservation: Record, customer: Record | None = None) -> Changed:
    records = {("reservations", reservation["reservation_id"]): reservation}
    if customer is not None:
        records["users", reservation["user_id"]] = customer
    return Changed(reservation, records)


def _first_free(names: tuple[str, ...], is_free: Callable[[str], bool]) -> str:
    free = next(filter(is_free, names), None)
    if free is None:
        raise Refused("no more of these can be made in one case")
    return free


WRITES = {
    "book_reservation": Write(Booking, book),
    "cancel_reservation": Write(ReservationId, cancel),
    "send_certificate": Write(Certificate, send_certificate),
    "update_reservation_baggages": Write(BaggagesChange, change_baggages),
    "update_reservation_flights": Write(FlightsChange, change_flights),
    "update_reservation_passengers": Write(PassengersChange, change_passengers),
}
AIRLINE = Domain(kinds=frozenset({"flights", "reservations", "users"}), tools={**READS, **WRITES})
