"""The words around a name, a number or an address, in the languages of the countries whose formats are known."""

from __future__ import annotations

import re
from typing import Final

# Before a name of a known person, however it is spelt.
INTRODUCED: Final = re.compile(
    r"(?i)(?:\b(?:i am|i'm|im|this is|name is|name's|soy|je suis|ich bin|ik ben|jag är|sono|m'appelle|me llamo"
    r"|mi chiamo|hei(?:ß|ss)e)|\bname[:=])\W{1,3}$"
)
IT_IS: Final = re.compile(r"(?i)\b(?:it is|its|it's|by|for)\W{1,3}$")
GREETING: Final = re.compile(
    r"(?i)\b(?:dear|hi|hello|hey|hallo|liebe|lieber|bonjour|hola|ciao|thanks|thank you|good morning|good afternoon"
    r"|good evening)[ ,]{1,2}$"
)
HONORIFIC: Final = re.compile(
    r"\b(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Herr|Herrn|Frau|Monsieur|Madame|Mme|Señora?|Sra?|Signora?|Sig|Dhr|Mevr)\b\.? $"
)

# Capitalised words that stand where names do, and name nobody.
_NOBODY = """there all team everyone everybody folks sir madam sirs customer customers client guest user member
support agent service care friend valued please sorry yes no ok okay sure great good thanks thank hello hi hey dear
regards best kind sincerely cheers your our the this that it my we i you to for and of in on at so again just very
unable happy looking writing from still not really also being going trying calling getting having interested aware
glad afraid correct wrong here now then with a an is are was hmm umm um uh wow shall bien je tous monsieur madame
cordialement saludos saluti cliente damen herren kunde kundin kunden zusammen mit freundlichen grüssen gruss herr
frau sehr geehrte geehrter pozdrawiam spelled misspelled spelt wrongly incorrect missing listed printed written
shown changed different already"""
NOBODY_NAMES: Final = frozenset(_NOBODY.split())

# Words of ids and mail addresses of an office rather than of a person.
_OFFICE = """customer customers client user users guest member support service care help info sales team billing order
orders noreply no reply admin account accounts test demo mail contact shop store office return returns web dev id ref"""
NOT_IN_NAMES: Final = frozenset(_OFFICE.split())

# Names that are ordinary words, or towns, as well: told from them only by what stands beside.
_BOTH = """black blue brown gold gray green grey indigo ivory jade olive pink red rose ruby scarlet silver violet white
amber coral hazel april august june may summer autumn winter monday friday sunday art bill carol chance chase cliff cook
dawn earl faith fish frank gene grace grant guy hope iris ivy joy king lane lily long love major mark miles page park
parks pat pearl penny price ray rich rob robin rock rusty sandy sky star sterling stone storm street sue ward waters way
west will wood woods young angel banks bell bird brook brooks bush church cross day dean duke early fields flowers ford
fox glass hall heart hill holiday house hunter knight law little marsh mercy north post power root sharp short small
smart snow son spring swan sweet wells wise york berlin london austin boston dallas denver houston charlotte phoenix
lincoln florence sydney paris washington"""
ORDINARY: Final = frozenset(_BOTH.split())

# Words after which a number is no telephone number and no card, in the order of how they would be said.
_OF_THINGS = (
    r"orders?|items?|products?|articles?|artikel\w*|art|sku|tracking|track|parcels?|packages?|shipments?|sendung\w*"
    r"|invoices?|rechnung\w*|facture|fattura|factura|refs?|references?|referenz|tickets?|e-tickets?|cases?|serials?|imei"
    r"|ean|gtin|isbn|upc|lots?|batch|models?|rma|returns?|reservations?|bookings?|buchung\w*|pnr|claims?|coupons?"
    r"|vouchers?|gutschein\w*|gift|certificates?|bestell\w*|bestelnr|commande|pedido|ordine|auftrag\w*|kunden\w*"
    r"|positions?|rows?|txn|transactions?|codes?|seed|version|id|ids|nr|hash|request|req|trace|rma|po|so|inv|vin|box"
)
_OF_PHONES = (
    r"phones?|phoned|phone number|tel|telephone|telefon\w*|teléfono|téléphone|telefone|telefoon|tlf|mobile|mob|mobil"
    r"|mobiel|móvil|cell|cellular|cellulare|celular|handy\w*|portable|fax|call|called|calling|callback|ring|rang|dial"
    r"|dialed|reach|reached|text|txt|sms|whatsapp|voicemail"
    r"|appelez|appeler|llame|llámame|llámenme|ligue|anrufen|erreichbar|erreichen|landline|festnetz|puh|電話"
)
SPEAKS_OF_THINGS: Final = re.compile(rf"(?i)(?<!\w)(?:{_OF_THINGS})(?!\w)|#")
SPEAKS_OF_PHONES: Final = re.compile(rf"(?i)(?<![^\W\d_])(?:{_OF_PHONES})(?![^\W\d_])")
# These count only where no word says whose number it is: "the tracking number is".
SPEAKS_OF_NUMBERS: Final = re.compile(r"(?i)(?<!\w)(?:numbers?|numero|número|numéro|nummer|numer|contact)(?:'s)?(?!\w)")
SPEAKS_OF_CARDS: Final = re.compile(
    r"(?i)(?<!gift )(?<!gift)\b(?:cards?|visa|mastercard|mc|amex|american express|maestro|discover|diners\w*|jcb"
    r"|unionpay|pan|credit|debit|karte|kreditkarte|carte|tarjeta|carta)(?![^\W\d_])"
)


def last_of(pattern: re.Pattern[str], text: str, end: int, reach: int = 40) -> int:
    """How far before `end` the last word of a kind ends; -1 where none stands within reach, in the same line."""
    start = max(text.rfind("\n", 0, end) + 1, end - reach)
    last = -1
    for found in pattern.finditer(text, start, end):
        last = end - found.end()
    return last
