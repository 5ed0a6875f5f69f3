"""Encryption of what Temporal keeps: every payload is sealed with AES-256-GCM, under a key that is known by an id.

A sealed payload has the encoding `binary/encrypted` and the key's id in its metadata; its data are a nonce of 12 bytes,
then the whole payload as protobuf, encrypted and authenticated together with the id.
"""

from __future__ import annotations

import binascii
import os
import re
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.protobuf.message import DecodeError
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec
from temporalio.exceptions import TemporalError

VARIABLE = "AFTERCARE_CODEC_KEYS"
ENCRYPTED = b"binary/encrypted"
KEY_ID = "encryption-key-id"
KEY_BYTES, NONCE_BYTES = 32, 12
MAKE_ONE = "`aftercare codec key` makes one"
_ID = re.compile(r"[A-Za-z0-9._-]{1,20}")  # too short for a key to be taken for an id, and shown


class BadKeys(ValueError):
    """Keys that cannot be used: which entry, why, and what to do. No key ever stands in it."""


class Unreadable(TemporalError):
    """A payload that cannot be decrypted: its key is not there, or it was tampered with."""


class Keys:
    """Keys by their ids: the first one encrypts, all of them decrypt. Nothing of a key shows when this is printed."""

    def __init__(self, by_id: Mapping[str, bytes]) -> None:
        """`by_id`: 32 bytes each; without one nothing can be encrypted."""
        self._ciphers = {id: AESGCM(key) for id, key in by_id.items()}
        self.first = next(iter(self._ciphers), "")

    @classmethod
    def from_text(cls, text: str) -> Keys:
        """Keys as the environment gives them, `k2:base64,k1:base64`. Raises BadKeys."""
        by_id: dict[str, bytes] = {}
        for number, entry in enumerate(text.split(","), 1):
            id, key = _read(number, entry.strip())
            if id in by_id:
                raise BadKeys(f"{VARIABLE} has two keys {id!r}; give each an id of its own")
            by_id[id] = key
        return cls(by_id)

    def cipher(self, id: str) -> AESGCM:
        """The cipher of a key. Raises Unreadable where there is no such key."""
        if id not in self._ciphers:
            raise Unreadable(
                f"a payload is encrypted with the key {id[:20]!r}, which is not in {VARIABLE}; add it there"
            )
        return self._ciphers[id]

    def __repr__(self) -> str:
        return f"Keys({', '.join(self._ciphers)})"


class EncryptionCodec(PayloadCodec):
    """Seals every payload; opens what is sealed, and leaves alone what was written before encryption was on."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Sealed with the first key, each under a nonce of its own."""
        return [self._sealed(p) for p in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Opened with the key each names. Raises Unreadable."""
        return [self._opened(p) if p.metadata.get("encoding") == ENCRYPTED else p for p in payloads]

    def _sealed(self, payload: Payload) -> Payload:
        id, nonce = self._keys.first, os.urandom(NONCE_BYTES)
        sealed = self._keys.cipher(id).encrypt(nonce, payload.SerializeToString(), id.encode())
        return Payload(metadata={"encoding": ENCRYPTED, KEY_ID: id.encode()}, data=nonce + sealed)

    def _opened(self, payload: Payload) -> Payload:
        id = payload.metadata.get(KEY_ID, b"").decode("ascii", "replace")
        cipher, nonce = self._keys.cipher(id), payload.data[:NONCE_BYTES]
        try:
            return Payload.FromString(cipher.decrypt(nonce, payload.data[NONCE_BYTES:], id.encode()))
        except (InvalidTag, ValueError, DecodeError):  # ValueError: too short to hold a nonce
            told = f"a payload does not open with the key {id!r}: it was tampered with, or another key had this id"
            raise Unreadable(told) from None


class WithoutKeys(PayloadCodec):
    """Of a caller that has no keys: leaves alone what is in clear, and says which key would open what is sealed."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """As they are."""
        return list(payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """As they are. Raises Unreadable where one is sealed."""
        for payload in payloads:
            if payload.metadata.get("encoding") == ENCRYPTED:
                Keys({}).cipher(payload.metadata.get(KEY_ID, b"").decode("ascii", "replace"))
        return list(payloads)


def codec_of(keys: str) -> EncryptionCodec | None:
    """The codec for the keys of a deployment, as AFTERCARE_CODEC_KEYS has them; None where it has none."""
    return EncryptionCodec(Keys.from_text(keys)) if keys.strip() else None


def new_key(id: str | None = None) -> str:
    """A new key as an entry of AFTERCARE_CODEC_KEYS, `id:base64`. Raises BadKeys for an id that cannot be one."""
    id = f"k{secrets.token_hex(3)}" if id is None else id
    if not _ID.fullmatch(id):
        raise BadKeys("a key's id is 1 to 20 of A-Z a-z 0-9 . _ -")
    return f"{id}:{b64encode(secrets.token_bytes(KEY_BYTES)).decode()}"


def _read(number: int, entry: str) -> tuple[str, bytes]:
    where = f"{VARIABLE}, entry {number}"
    if not entry:
        raise BadKeys(f"{where} is empty; write id:key, {MAKE_ONE}")
    id, _, text = entry.partition(":")
    if not text or not _ID.fullmatch(id):
        raise BadKeys(f"{where} has no id (1 to 20 of A-Z a-z 0-9 . _ -) before its key; write id:key, {MAKE_ONE}")
    try:
        key = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadKeys(f"{where} ({id}): the key is no base64; {MAKE_ONE}") from None
    if len(key) != KEY_BYTES:
        raise BadKeys(f"{where} ({id}): the key has {len(key)} bytes instead of {KEY_BYTES}; {MAKE_ONE}")
    return id, key
