"""Keys over HTTP: an admin makes them, lists them and revokes them."""

# Annotations are evaluated here: a route names the callers it lets in, which are known once it is made.

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel

from aftercare.keys import Caller, Keys, Role
from aftercare.messages.base import Id, Message, Name
from aftercare.store.tables import KeyRow
from aftercare.web.access import Access
from aftercare.web.problems import documented


class NewKey(Message):
    """A key to be made: what it is known by, its role, and the one agent it is for, where it is for one."""

    name: Name
    role: Role
    agent: Id | None = None


class KeyInfo(BaseModel):
    """A key, without its secret."""

    id: str
    name: str
    role: Role
    agent: str | None = None
    created_at: datetime
    created_by: str
    revoked_at: datetime | None = None


class MadeKey(KeyInfo):
    """A key that was just made: `key` is shown now and never again."""

    key: str


def key_routes(keys: Keys, access: Access) -> APIRouter:
    """Keys, for admins."""
    routes = APIRouter(prefix="/v1/keys", tags=["keys"])
    May = Annotated[Caller, Depends(access.needs(Role.ADMIN))]

    @routes.post("", status_code=201, responses=documented(422))
    async def make(wanted: NewKey, caller: May) -> MadeKey:
        """Make a key."""
        row, key = await keys.make(wanted.name, wanted.role, wanted.agent, caller.id)
        return MadeKey(**info(row).model_dump(), key=key)

    @routes.get("", responses=documented())
    async def listed(caller: May) -> list[KeyInfo]:
        """Every key there ever was."""
        return [info(row) for row in await keys.all()]

    @routes.delete("/{key_id}", responses=documented(422))
    async def revoke(key_id: Annotated[str, Path(pattern="^[a-z0-9]{8}$")], caller: May) -> KeyInfo:
        """Revoke a key for good; every process of the API refuses it within five seconds."""
        return info(await keys.revoke(key_id))

    return routes


def info(row: KeyRow) -> KeyInfo:
    """What may be shown of a key."""
    return KeyInfo(**row.model_dump(include=set(KeyInfo.model_fields)))
