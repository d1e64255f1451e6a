"""Every setting an installation can make, read once from the environment.

A variable that cannot be used stops the start with its name and what it wants. Nothing
needs to be set for the embedded default.
"""

from __future__ import annotations

import secrets
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from portal import secrets_manager

PROJECT = Path(__file__).resolve().parent.parent


class Price(BaseModel):
    """What an engine costs: a minute of sound, a million tokens read, read from the server's cache
    (unset: as any other) and written."""

    model_config = ConfigDict(extra="forbid")

    minute: Decimal = Field(Decimal(0), ge=0)
    input: Decimal = Field(Decimal(0), ge=0)
    cached: Decimal | None = Field(None, ge=0)
    output: Decimal = Field(Decimal(0), ge=0)


class Environment(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="PORTAL_", extra="forbid")

    data: Path = Field(PROJECT / "var", description="Folder for recordings, models, database")
    database_url: str | None = Field(
        None,
        pattern=r"^postgres(ql)?://",
        description="postgresql://user:password@host/name; unset: the embedded server",
    )
    secret_key: str | None = Field(None, min_length=32, description="unset: made and kept in data")
    debug: bool = False
    hosts: Annotated[list[str], NoDecode] = Field(
        ["127.0.0.1", "localhost", "[::1]"], description="comma-separated host names served"
    )
    origin: str = Field(
        "http://127.0.0.1:8000",
        pattern=r"^https?://[^/]+$",
        description="where browsers reach the portal; https turns on secure cookies and HSTS",
    )
    language: str = Field("es", pattern="^(es|en)$", description="language of the pages")
    organisation: str = Field("Portal de conversaciones", max_length=60)

    s3_bucket: str | None = Field(
        None, min_length=3, description="recordings are kept there; unset: in data/recordings"
    )
    s3_region: str = Field("eu-south-2", pattern="^[a-z0-9-]+$")
    s3_endpoint: str | None = Field(
        None,
        pattern=r"^https?://[^/]+$",
        description="of another service that speaks S3",
    )
    s3_key_id: str | None = Field(None, description="unset: the role of the machine")
    s3_secret_key: str | None = None

    search_url: str | None = Field(
        None,
        pattern=r"^https?://",
        description="https://user:password@host:9200 of an OpenSearch; unset: PostgreSQL searches",
    )

    mail_from: str = "portal@localhost"
    smtp_host: str | None = Field(None, description="unset: mail is kept in data/mail")
    smtp_port: int = 587
    smtp_user: str = ""
    smtp_password: str = ""

    whisper_model: str = Field(
        "auto",
        description="auto: the best one found; or a name (base, large-v3-turbo), or a folder",
    )
    cpu_threads: int = Field(2, ge=1, le=64, description="threads a worker may use for speech")

    aws_transcribe_bucket: str | None = Field(
        None,
        min_length=3,
        description="AWS Transcribe gets recordings and leaves results there; unset: not used",
    )
    aws_transcribe_region: str = Field(
        "eu-west-3", pattern="^[a-z0-9-]+$", description="of that bucket and of the service"
    )
    aws_transcribe_kms_key: str | None = Field(
        None, description="id or ARN of the key for what lies in that bucket; unset: the bucket's"
    )
    aws_transcribe_vocabulary: str | None = Field(
        None, description="name of a custom vocabulary, in Spanish"
    )
    deepgram_api_key: str | None = Field(None, min_length=8, repr=False)
    deepgram_url: str = Field(
        "https://api.eu.deepgram.com", pattern=r"^https?://[^/]+$", description="the European one"
    )
    deepgram_model: str = "nova-3"
    openai_api_key: str | None = Field(None, min_length=1, repr=False)
    openai_base_url: str | None = Field(
        None,
        pattern="^https?://.+",
        description="of a server that takes /audio/transcriptions as OpenAI does; unset: OpenAI's",
    )
    openai_model: str = Field("whisper-1", description="of transcription")
    llm_model: str = Field("", description="of a language model; unset: there is none")
    llm_base_url: str | None = Field(
        None,
        pattern=r"^https?://",
        description="of a server that speaks OpenAI's API; unset: OpenAI's own",
    )
    llm_api_key: str = Field("", description="servers of one's own often want none")
    llm_inside: bool = Field(
        False, description="that server is the organisation's: nothing leaves it by asking there"
    )
    llm_pseudonyms: bool = Field(
        True, description="names, numbers, addresses are put for others before they leave"
    )
    llm_context_tokens: int = Field(
        32_000, ge=9_000, description="what the model takes at once, question and answer together"
    )
    llm_live_seconds: float = Field(
        25.0,
        ge=1.0,
        description="least time between two requests for a recording being made",
    )
    llm_local_port: int = Field(
        8377,
        ge=1,
        le=65535,
        description="of the language model on this machine",
    )
    prices: dict[str, Price] = Field(
        {},
        description='JSON: {"llm/MODEL": {"input": 2, "output": 8}, "deepgram": {"minute": 0.01}}',
    )
    currency: str = Field("EUR", pattern="^[A-Z]{3}$", description="of the prices")

    upload_max_bytes: int = Field(2 * 1024**3, ge=1)
    live_max_seconds: int = Field(
        4 * 3600, ge=1, le=4 * 3600, description="a live recording stops by itself at this length"
    )

    consent_days: int = Field(
        730, ge=0, description="how long a consent is good for new recordings; 0: without end"
    )
    redaction_undo_minutes: int = Field(
        30, ge=0, le=7 * 24 * 60, description="how long a redaction can be undone; 0: not at all"
    )

    @field_validator("data")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return (
            [v.strip() for v in value.split(",") if v.strip()] if isinstance(value, str) else value
        )

    @property
    def secure(self) -> bool:
        return self.origin.startswith("https://")

    @property
    def s3_origin(self) -> str | None:
        """Where browsers are sent to listen, when recordings are in S3."""
        if self.s3_bucket is None:
            return None
        return self.s3_endpoint or f"https://{self.s3_bucket}.s3.{self.s3_region}.amazonaws.com"

    def load_secret_key(self) -> str:
        """The configured key, or one made at the first start and readable by its owner only."""
        if self.secret_key:
            return self.secret_key
        path = self.data / "secret_key"
        if not path.exists():
            self.data.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(48))
        return path.read_text().strip()


def read() -> Environment:
    """Raises SystemExit with a readable list when a variable is wrong, or a secret out of reach."""
    try:
        return Environment(**secrets_manager.fetched(Environment.model_fields))
    except secrets_manager.OutOfReach as error:
        raise SystemExit(str(error)) from None
    except ValidationError as error:
        lines = [
            f"  PORTAL_{'_'.join(str(part) for part in item['loc']).upper()}: {item['msg']}"
            for item in error.errors()
        ]
        raise SystemExit("Hay variables de entorno que no sirven:\n" + "\n".join(lines)) from None
