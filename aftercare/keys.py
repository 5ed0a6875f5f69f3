"""API keys and roles: who may do what. A key is `ak_{id}_{secret}`; the store keeps only the secret's SHA-256."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from aftercare.lifecycle.state import Refused
from aftercare.store.keys import KeyStore
from aftercare.store.tables import KeyRow

KNOWN_FOR = 5.0  # seconds: a revoked key is refused by every API process within them
MOST_KNOWN = 10_000
_KEY = re.compile(r"ak_([a-z0-9]{8})_([A-Za-z0-9_-]{43})")


class Role(StrEnum):
    """Who holds a key. An admin may do everything."""

    AGENT = "agent"
    CUSTOMER_CHANNEL = "customer-channel"
    REVIEWER = "reviewer"
    OPERATOR = "operator"
    ADMIN = "admin"


@dataclass(frozen=True)
class Caller:
    """Who sends a request: by which key, in which role, and for which agent alone, where the key is one agent's."""

    id: str
    role: Role
    agent: str | None = None

    @property
    def by(self) -> str:
        """Who it is, as it is written down with every message; with the agent, where the key is one agent's."""
        return f"{self.id}@{self.agent}" if self.agent else self.id

    def may(self, *roles: Role) -> bool:
        """Whether a caller of this role may do what these roles may."""
        return self.role is Role.ADMIN or self.role in roles


LOCAL = Caller("local", Role.ADMIN)


class Keys:
    """Makes, checks and revokes keys."""

    def __init__(self, store: KeyStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._clock = store, clock
        self._known: dict[str, tuple[float, KeyRow]] = {}

    async def make(self, name: str, role: Role, agent: str | None = None, by: str = "cli") -> tuple[KeyRow, str]:
        """A new key and its secret form, which is shown now and never again. Raises Refused."""
        if agent and role is not Role.AGENT:
            raise Refused([f"only a key of the role agent is limited to one agent, and this one is for {role}"])
        if not re.fullmatch(r"[^\x00-\x1f\x7f]{1,120}", name):
            raise Refused(["name: a line of 1 to 120 characters, to know the key again by"])
        id, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
        row = KeyRow(
            id=id,
            name=name,
            role=role,
            agent=agent,
            digest=_digest(secret),
            created_at=datetime.now(UTC),
            created_by=by,
        )
        await self._store.add(row)
        return row, f"ak_{id}_{secret}"

    async def caller(self, token: str) -> Caller | None:
        """Whose key this is; None for one that was never made, is wrong, or was revoked."""
        shape = _KEY.fullmatch(token)
        row = await self._row(shape[1]) if shape else None
        secret = shape[2] if shape else ""
        # Compared in any case, so that the time it takes tells nothing.
        right = hmac.compare_digest(_digest(secret), row.digest if row else _digest("no key"))
        if row is None or not right or row.revoked_at:
            return None
        return Caller(row.id, Role(row.role), row.agent)

    async def all(self) -> list[KeyRow]:
        """Every key there ever was."""
        return await self._store.all()

    async def revoke(self, id: str) -> KeyRow:
        """Revoke a key for good. Raises Refused where there is none."""
        row = await self._store.revoke(id, datetime.now(UTC))
        if row is None:
            raise Refused([f"there is no key {id!r}; `aftercare key list` shows them"])
        self._known.pop(id, None)
        return row

    async def _row(self, id: str) -> KeyRow | None:
        now = self._clock()
        if (known := self._known.get(id)) and known[0] > now:
            return known[1]
        row = await self._store.find(id)
        if row:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[id] = (now + KNOWN_FOR, row)
        return row


def _digest(secret: str) -> str:
    """A secret of 256 random bits needs no salt and no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()
