"""What is sealed opens with its key, as it was, and not at all otherwise."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload

from aftercare.codec import (
    ENCRYPTED,
    KEY_ID,
    BadKeys,
    EncryptionCodec,
    Keys,
    Unreadable,
    WithoutKeys,
    codec_of,
    new_key,
)
from aftercare.settings import Settings

OLD, NEW, OTHER_OLD = new_key("old"), new_key("new"), new_key("old")
WORDS = Payload(metadata={"encoding": b"json/plain"}, data=b'"Cancel my order, says Ann."')
PAYLOADS = st.builds(
    Payload, metadata=st.dictionaries(st.text(max_size=20), st.binary(max_size=40)), data=st.binary(max_size=3_000)
)


def codec(*entries: str) -> EncryptionCodec:
    return EncryptionCodec(Keys.from_text(",".join(entries)))


def sealed(payload: Payload = WORDS, by: EncryptionCodec | None = None) -> Payload:
    (one,) = asyncio.run((by or codec(OLD)).encode([payload]))
    return one


def opened(payload: Payload, by: EncryptionCodec | None = None) -> Payload:
    (one,) = asyncio.run((by or codec(OLD)).decode([payload]))
    return one


@given(PAYLOADS)
def test_what_is_sealed_opens_as_it_was(payload: Payload) -> None:
    """Data and metadata, whatever they are, one that looks encrypted included."""
    assert opened(sealed(payload)) == payload


def test_nothing_of_a_payload_can_be_read() -> None:
    """Only that it is encrypted, and with which key; twice the same does not look the same."""
    once, again = sealed(), sealed()
    assert dict(once.metadata) == {"encoding": ENCRYPTED, KEY_ID: b"old"}
    assert b"Ann" not in once.SerializeToString()
    assert b"json" not in once.SerializeToString()
    assert once.data != again.data


@given(st.integers(0, len(WORDS.SerializeToString()) + 27), st.integers(0, 7))
def test_a_payload_with_one_bit_changed_does_not_open(byte: int, bit: int) -> None:
    """Wherever it is: in the nonce, in the words, in the seal."""
    payload = sealed()
    data = bytearray(payload.data)
    data[byte] ^= 1 << bit
    with pytest.raises(Unreadable, match="tampered with"):
        opened(Payload(metadata=dict(payload.metadata), data=bytes(data)))


@given(st.integers(0, len(WORDS.SerializeToString()) + 27))
def test_a_payload_cut_short_does_not_open(length: int) -> None:
    """Not even to nothing."""
    payload = sealed()
    with pytest.raises(Unreadable, match="tampered with"):
        opened(Payload(metadata=dict(payload.metadata), data=payload.data[:length]))


def test_a_payload_of_another_key_of_the_same_id_does_not_open() -> None:
    """It is refused, and never decrypted into something."""
    with pytest.raises(Unreadable, match="another key had this id"):
        opened(sealed(), codec(OTHER_OLD))


def test_the_key_id_is_sealed_with_the_payload() -> None:
    """The same key under another id opens nothing: what a payload says of itself cannot be changed."""
    payload = sealed()
    renamed = Payload(metadata={"encoding": ENCRYPTED, KEY_ID: b"new"}, data=payload.data)
    with pytest.raises(Unreadable):
        opened(renamed, codec(OLD.replace("old:", "new:")))


@pytest.mark.parametrize("id", [b"gone", b"", b"\xff\xfe", b"x" * 1_000])
def test_a_payload_of_an_unknown_key_says_which(id: bytes) -> None:
    """The id that is missing, and where to add it."""
    payload = Payload(metadata={"encoding": ENCRYPTED, KEY_ID: id}, data=sealed().data)
    with pytest.raises(Unreadable, match="not in AFTERCARE_CODEC_KEYS") as error:
        opened(payload)
    assert repr(id.decode("ascii", "replace")[:20]) in str(error.value)


def test_the_first_key_encrypts_and_all_of_them_decrypt() -> None:
    """So that keys can be rotated: what the old one sealed is read, what is written anew is under the new one."""
    both = codec(NEW, OLD)
    assert opened(sealed(by=codec(OLD)), both) == WORDS
    assert sealed(by=both).metadata[KEY_ID] == b"new"
    assert opened(sealed(by=both), codec(NEW)) == WORDS


@given(PAYLOADS.filter(lambda p: p.metadata.get("encoding") != ENCRYPTED))
def test_what_was_written_before_encryption_stays_as_it_is(payload: Payload) -> None:
    """Histories from before are read on."""
    assert opened(payload) == payload


SHORT = "a1:c2hvcnQgYW5kIHNlY3JldA=="


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "entry 1 is empty"),
        (f"{OLD},", "entry 2 is empty"),
        (f"{OLD},,{NEW}", "entry 2 is empty"),
        (OLD.partition(":")[2], "entry 1 has no id"),
        (OLD.partition(":")[2] + ":old", "entry 1 has no id"),
        ("old:", "entry 1 has no id"),
        ("an id:" + OLD.partition(":")[2], "entry 1 has no id"),
        (f"{OLD},b2:c2hvcnQ!gYW5kIHNlY3JldA", r"entry 2 \(b2\): the key is no base64"),
        ("b2:ü", r"entry 1 \(b2\): the key is no base64"),
        (SHORT, r"entry 1 \(a1\): the key has 16 bytes instead of 32"),
        (f"{OLD},{OTHER_OLD}", "two keys 'old'"),
    ],
    ids=range(11),  # keys are made anew each time, and name no test
)
def test_keys_that_cannot_be_used_are_named_and_never_shown(text: str, why: str) -> None:
    """Which entry, and what to do; not a piece of any key."""
    with pytest.raises(BadKeys, match=why) as error:
        Keys.from_text(text)
    told = str(error.value)
    assert "AFTERCARE_CODEC_KEYS" in told
    assert not any(part in told for key in (OLD, OTHER_OLD, SHORT, "b2:c2hvcnQ") for part in key.split(":")[1:])


def test_a_key_shows_nowhere() -> None:
    """Neither where keys are printed, nor where settings are."""
    secret = OLD.partition(":")[2]
    for shown in (repr(Keys.from_text(OLD)), repr(codec(OLD)), repr(Settings(codec_keys=OLD))):
        assert secret not in shown


def test_a_new_key_is_an_entry_as_it_stands() -> None:
    """Under an id of its own, and never the same twice."""
    made = [new_key() for _ in range(20)]
    assert len({part for entry in made for part in entry.split(":")}) == 40
    assert opened(sealed(by=codec(*made)), codec(made[0])) == WORDS
    with pytest.raises(BadKeys, match="1 to 20"):
        new_key("no:colon")


def test_whoever_has_no_keys_is_told_which_one_is_missing() -> None:
    """What is in clear is read; what is sealed says under which key, and where to put it."""
    clear = Payload(metadata={"encoding": b"json/plain"}, data=b"{}")
    assert asyncio.run(WithoutKeys().decode([clear])) == asyncio.run(WithoutKeys().encode([clear])) == [clear]
    with pytest.raises(Unreadable, match="the key 'old', which is not in AFTERCARE_CODEC_KEYS"):
        asyncio.run(WithoutKeys().decode(asyncio.run(codec(OLD).encode([clear]))))


@pytest.mark.parametrize("keys", ["", "  "])
def test_no_keys_are_no_codec(keys: str) -> None:
    """Encryption is off unless somebody turned it on."""
    assert codec_of(keys) is None
