"""What a deployment may set, from AFTERCARE_* variables. Temporal's own settings come from its profiles."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Settings of the worker and the doors.

    `systems` maps each system of record to its address, with `{environment}` where a case's own copy is named.
    The three waits replace those of every policy book, for rehearsals that must not take a day.
    `build_id` turns worker versioning on: a case stays with the build that began it, and a new build takes new cases
    once `temporal worker deployment set-current-version --deployment-name aftercare --build-id ...` says so.
    Customers are asked how it went where `survey_secret` (one, or several from the newest on: `new,old`) and
    `public_url` are set: through `smtp_url` from the mailbox `survey_from`, by webhook to one of
    `survey_webhook_hosts`, or by the agent; for `organisation`, answered within `survey_open_for` (docs/asking.md).
    `rate` is how much one sender may ask of the API, empty for no limit; `webhooks` a folder of webhook sources of
    your own.
    `sentiment` is `local`, `off`, or the name of a model at `model_url`, which speaks OpenAI's protocol.
    `codec_keys` encrypts everything in Temporal's histories (docs/codec.md): `id:base64,...`, the newest key first; the
    pages of Temporal's UI at `ui_origins` may have them opened.
    `audit_share` of all cases is drawn for a person to look at, when they are opened.
    """

    model_config = SettingsConfigDict(env_prefix="AFTERCARE_", extra="ignore")

    home: Path = Path.home() / ".aftercare"
    database: str = ""
    policies: Path | None = None
    systems: dict[str, str] = {}
    resolve_within: timedelta | None = None
    verify_within: timedelta | None = None
    watch: timedelta | None = None
    build_id: str = ""
    survey_secret: SecretStr = SecretStr("")
    public_url: str = ""
    organisation: str = "our support team"
    survey_open_for: timedelta = timedelta(days=14)
    smtp_url: SecretStr = SecretStr("")
    survey_from: str = ""
    survey_webhook_secret: SecretStr = SecretStr("")
    survey_webhook_hosts: tuple[str, ...] = ()
    rate: str = "500/second"
    webhooks: Path | None = None
    sentiment: str = "local"
    model_url: str = ""
    model_key: SecretStr = SecretStr("")
    ui_origins: tuple[str, ...] = ("http://localhost:8233", "http://127.0.0.1:8233")
    codec_keys: SecretStr = SecretStr("")
    audit_share: float = Field(default=0.05, ge=0, le=1)

    @property
    def database_url(self) -> str:
        """The store's address: SQLite under `home` unless told otherwise."""
        return self.database or f"sqlite+aiosqlite:///{self.home.expanduser() / 'aftercare.db'}"

    @property
    def waits(self) -> dict[str, timedelta]:
        """The waits that replace the policy's, where any were set."""
        named = {"resolve_within": self.resolve_within, "verify_within": self.verify_within, "watch": self.watch}
        return {name: wait for name, wait in named.items() if wait is not None}

    @property
    def asks(self) -> bool:
        """Whether customers are asked how it went."""
        return bool(self.survey_secret.get_secret_value().strip() and self.public_url)
