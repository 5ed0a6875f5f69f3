"""Keys of JSON objects that say what their value tells of a person: `email`, `first_name`, `zip` of an address."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from aftercare.lifecycle.personal import parsed
from aftercare.messages.base import Json
from aftercare.redaction.kinds import PLACEHOLDER, Kind

# What a leaf of a JSON value becomes: the leaf, the kind its key tells, and whether the key names an id or a figure.
Leaf = Callable[[Json, "Kind | None", bool], Json]

_KEYS: dict[Kind, str] = {
    Kind.CUSTOMER: "customer customerid userid username",
    Kind.NAME: "firstname lastname fullname givenname familyname surname middlename maidenname nickname personname"
    " cardholder cardholdername nameoncard accountholder",
    Kind.EMAIL: "email emails emailaddress mail mailaddress",
    Kind.PHONE: "phone phones phonenumber phoneno mobile mobilephone mobilenumber telephone telephonenumber tel cell"
    " cellphone fax faxnumber msisdn callerid whatsapp",
    Kind.CARD: "cardnumber cardno creditcard creditcardnumber pan cc ccnumber cvv cvc",
    Kind.IBAN: "iban",
    Kind.ACCOUNT: "bankaccount bankaccountnumber accountnumber accountno sortcode",
    Kind.ADDRESS: "address addressline street streetaddress streetname streetline housenumber postalcode postcode"
    " zip zipcode postaladdress pobox apartment",
    Kind.BIRTH_DATE: "dob dateofbirth birthdate birthday birthdayon",
    Kind.IP: "ip ipaddress ipaddr clientip remoteip remoteaddr remoteaddress sourceip xforwardedfor",
    Kind.TAX_ID: "ssn socialsecuritynumber socialsecurity taxid taxnumber nationalid nationalidnumber nin nino dni nie"
    " nif cpf bsn pesel personnummer steuerid codicefiscale aadhaar passport passportnumber driverslicense idcard",
}
_KIND = {key: kind for kind, keys in _KEYS.items() for key in keys.split()}
# Of whom or what for a value is: `billing_email`, `passenger_name`. A product's name is nobody's.
_OF_WHOM = re.compile(
    r"^(?:customer|user|client|guest|passenger|traveller|traveler|recipient|contact|billing|shipping|delivery|sender"
    r"|buyer|payer|payee|debtor|account|home|work|primary|secondary|old|new|alternate|emergency|invoice|guardian)+"
)
_TOWNS = frozenset({"city", "town", "suburb", "locality", "village"})
_LINES = frozenset({"line", "lines", "number", "house", "unit", "apt", "building"})  # of an address
_PEOPLE = frozenset(
    {"customer", "user", "passenger", "passengers", "traveler", "travelers", "traveller", "travellers", "guest"}
    | {"guests", "recipient", "contact", "cardholder", "sender", "buyer"}
)
_NAMES = frozenset({"name", "first", "last", "middle", "given", "family"})
_BESIDE_A_NAME = frozenset({Kind.EMAIL, Kind.PHONE, Kind.ADDRESS, Kind.BIRTH_DATE})
# The last word of keys that name ids, codes and figures, which no pattern of digits may eat.
_CODES_AND_FIGURES = (
    "id ids no nr number numbers ref reference code sku ean gtin isbn imei serial uuid guid token key hash digest"
    " version build tracking rma order orders invoice price prices amount amounts total qty quantity count score seed"
    " created updated at date time timestamp lat lon lng reservation reservations fingerprint etag"
)
_FIGURES = frozenset(_CODES_AND_FIGURES.split())
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")


def walked(value: Json, leaf: Leaf, kind: Kind | None = None, is_figure: bool = False) -> Json:
    """A JSON value with each leaf replaced; keys stay, and JSON within a text is walked as JSON."""
    match value:
        case dict():
            kinds = kinds_in(value, kind)
            return {
                key: walked(part, leaf, kinds.get(key), is_figure=_names_figures(key)) for key, part in value.items()
            }
        case list() | tuple():
            return [walked(part, leaf, kind, is_figure) for part in value]
        case str() if isinstance(told := parsed(value), dict | list):
            inside = walked(told, leaf, kind, is_figure)
            return value if inside == told else _rewritten(inside, value)
        case _:
            return leaf(value, kind, is_figure)


def fits(value: Json, kind: Kind) -> bool:
    """Whether a value can be what its key says: `phone` may hold a number, or the name of a product."""
    if isinstance(value, bool) or not isinstance(value, str | int) or PLACEHOLDER.search(str(value)):
        return False
    text = str(value).strip()
    digits = sum(c.isdigit() for c in text)
    match kind:
        case Kind.EMAIL:
            return "@" in text and " " not in text
        case Kind.PHONE:
            return 6 <= digits <= 15 and digits * 2 >= len(text)
        case Kind.CARD:
            return 12 <= digits <= 19 or (digits == len(text) and digits in (3, 4))
        case Kind.IP:
            return text.count(".") == 3 or text.count(":") >= 2
        case Kind.IBAN | Kind.ACCOUNT | Kind.TAX_ID | Kind.BIRTH_DATE:
            return digits >= 4
        case Kind.CUSTOMER:
            return bool(text) and not any(c.isspace() for c in text)
        case _:
            return bool(text) and len(text) <= 200 and (digits > 0 or any(c.isalpha() for c in text))


def kinds_in(record: Mapping[str, Json], under: Kind | None) -> dict[str, Kind]:
    """What each key of an object tells; `under` is what the key of the object itself told."""
    kinds = {key: kind for key in record if (kind := _kind(key)) is not None}
    told = {kind for key, kind in kinds.items() if record[key] not in (None, "", [], {})}
    for key in record:
        plain = _plain(key)
        if plain in _PEOPLE and isinstance(record[key], dict | list):
            kinds[key] = Kind.NAME
        if plain in _TOWNS and (Kind.ADDRESS in told or under is Kind.ADDRESS):
            kinds[key] = Kind.ADDRESS
        if plain in _LINES and under is Kind.ADDRESS:
            kinds[key] = Kind.ADDRESS
        if plain in _NAMES and (under is Kind.NAME or (plain == "name" and told & _BESIDE_A_NAME)):
            kinds[key] = Kind.NAME
    return kinds


def _kind(key: str) -> Kind | None:
    plain = _plain(key)
    rest = _OF_WHOM.sub("", plain)
    if rest == "name" and rest != plain and plain != "accountname":
        return Kind.NAME
    return _KIND.get(plain) or _KIND.get(rest)


def _plain(key: str) -> str:
    return re.sub(r"[^a-z]", "", key.casefold())


def _names_figures(key: str) -> bool:
    words = _WORDS.findall(key)
    return bool(words) and words[-1].casefold() in _FIGURES and words != ["number"]


def _rewritten(value: Json, was: str) -> str:
    """JSON as text, in the manner it was written in."""
    indent = len(found[1]) if (found := re.search(r"^[{\[]\s*\n( +)", was)) else None
    separators = (",", ": ") if indent else (", " if ", " in was else ",", ": " if '": ' in was else ":")
    return json.dumps(value, ensure_ascii=was.isascii(), indent=indent, separators=separators)
