"""`aftercare codec key` makes a key, and keys that cannot be used are told by every command in plain words."""

from __future__ import annotations

import json

import pytest

from aftercare.cli import command
from aftercare.codec import codec_of

BROKEN = "k1:c2VjcmV0"


async def test_a_key_is_printed_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """What stands on the standard output can be put into the variable; what to do with it is said beside."""
    assert await command(["codec", "key", "--id", "k7"]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("k7:")
    assert codec_of(told.out)
    assert "To rotate" in told.err
    assert told.out.strip() not in told.err


async def test_a_key_for_machines_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    """With the id and the entry."""
    assert await command(["codec", "key", "--json"]) == 0
    told = capsys.readouterr()
    made = json.loads(told.out)
    assert made["entry"].startswith(f"{made['id']}:")
    assert told.err == ""


async def test_an_id_that_cannot_be_one_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is made."""
    assert await command(["codec", "key", "--id", "k:1"]) == 2
    told = capsys.readouterr()
    assert (told.out, "1 to 20" in told.err) == ("", True)


@pytest.mark.parametrize("arguments", [["case", "list"], ["doctor"], ["demo", "--once"]])
async def test_keys_that_cannot_be_used_are_told(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable, the entry and what to do, and not the key."""
    monkeypatch.setenv("AFTERCARE_CODEC_KEYS", BROKEN)
    assert await command(arguments) != 0
    told = capsys.readouterr()
    said = " ".join((told.out + told.err).split())
    assert "AFTERCARE_CODEC_KEYS, entry 1 (k1): the key has 6 bytes instead of 32" in said
    assert BROKEN.partition(":")[2] not in said
