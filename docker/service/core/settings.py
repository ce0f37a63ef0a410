"""Every setting of the service, read from the environment once."""

import socket
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

Network = IPv4Network | IPv6Network


CANARY = "canary"
"""The queue of workers on trial; a model's name has a slash."""


class LoraSource(BaseModel):
    """Where a LoRA's file is, and what it has to be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    repository: str
    """Of the hub."""
    revision: str
    """Commit of the repository."""
    file: str
    """Its path there."""
    sha256: str


class Companion(BaseModel):
    """A small model that looks at pictures or works on them: a configuration and its weights."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    repository: str
    """Of the hub."""
    revision: str
    """Commit of the repository."""
    sha256: str
    """Of its model.safetensors."""

    @property
    def folder(self) -> str:
        return f"{self.repository}@{self.revision}"


class Sampling(BaseModel):
    """What a request is given that names none of it, and the most that it may name: SDXL's own, or
    those of a model that was distilled to few steps."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    steps: int = 30
    max_steps: int = 100
    guidance_scale: float = 5
    max_guidance_scale: float = 30
    side: int = 1024
    """Width and height."""


class Settings(BaseSettings):
    model_config = SettingsConfigDict(frozen=True)

    api_secret: SecretStr | None = None
    """The operator's key. Standalone mode makes one up when it is unset."""

    database_url: str | None = None
    """postgresql://user:password@host:5432/name; unset means standalone mode on SQLite."""
    database_connections: int = 10
    """The most that this process opens; who finds none free for three seconds answers 503."""
    redis_url: str | None = None

    s3_bucket: str | None = None
    s3_endpoint_url: str | None = None
    """Unset means AWS."""
    aws_region: str = "us-east-1"

    data_dir: Path = Path("data")
    """Where standalone mode keeps its database and pictures."""

    model_dir: Path = Path("/models")
    model_id: str = "stabilityai/stable-diffusion-xl-base-1.0"
    named_only: bool = False
    """Whether a worker leaves tasks that name no model to others."""
    canary_share: float = 0
    """Of the tasks that name no model, those that workers on trial draw: from 0 to 1."""
    canary: bool = False
    """Whether a worker is on trial: it takes that share, and nothing else."""
    other_models: Annotated[tuple[str, ...], NoDecode] = ()
    """Of the API, with commas between: what tasks may name besides `model_id`."""
    model_revision: str = ""
    """Commit of the model's repository; empty: the one of SDXL base 1.0 that is known here."""
    hf_endpoint: str = "https://huggingface.co"
    """Where the model is fetched: the hub, a mirror of it, or a bucket of AWS as
    s3://BUCKET/FOLDER."""
    hf_token: SecretStr | None = None
    """The hub's token of somebody whom a gated repository lets in."""
    sampling: dict[str, Sampling] = {}
    """Of the API: by the names of models that are not sampled as SDXL is, as JSON."""
    loras: tuple[LoraSource, ...] = ()
    """What requests may name besides a model: a list of objects as JSON."""
    safety_checker: Companion | None = None
    """Looks at each picture before it is stored; unset, nobody does. An object as JSON."""
    upscaler: Companion | None = None
    """Enlarges pictures; unset, none can be. An object as JSON."""
    precision: Literal["half", "fp8"] = "half"
    """fp8 is quicker on GPUs since Hopper and Ada, and changes the picture."""
    step_cache: bool = False
    """Every other step runs a small part of the model: quicker, and changes the picture."""
    prompt_weights: bool = False
    """(word:1.3) in a prompt makes the word count more; else it is a text like any other."""
    worker_id: str = Field(default_factory=socket.gethostname)
    compiled_sizes: Annotated[tuple[tuple[int, int], ...], NoDecode] = ((1024, 1024),)
    """WIDTHxHEIGHT, with commas between: the quickest to draw, once they are compiled. Each takes
    minutes, in which the worker draws uncompiled; empty compiles none."""
    compile: Literal["regional", "whole", "off"] = "regional"
    """regional compiles each sort of block once; whole takes longer."""
    compile_seconds: float = 900
    """A compiler that is not done by then is ended, and the worker goes on without."""

    gpu_price: float = 0
    """What an hour of this worker costs, its GPU and node, in whatever currency; 0: not known."""
    gpu_prices: dict[str, float] = {}
    """Of the API: the same for the workers of each model, as JSON."""

    max_wait_seconds: float = 300
    """The longest time that a request waits for its picture."""
    task_seconds: float = 900
    """A task that is not done this long after it was accepted fails."""
    worker_start_seconds: float = 0
    """So much longer may it take where no worker may be there at first."""
    picture_seconds: float = 5
    """What a picture of 1024x1024 in 30 steps is thought to take until some have been drawn."""
    lease_seconds: float = 30
    heartbeat_seconds: float = 5
    relay_seconds: float = 2
    stall_seconds: float = 600
    """A worker whose model makes no step for so long ends itself."""
    max_attempts: int = 3
    queue_limit: int = 1000

    rate_limit: str = "10/minute"
    """Requests for pictures from one client address."""
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode] = ()
    """Networks, with commas between, whose X-Real-IP is believed."""
    certificate_server: str | None = None
    """HOST:PORT that shows clients of `public_url` its certificate; unset, nobody looks at it."""
    certificate_proxied: bool = False
    """Connections there begin with a PROXY header."""
    public_url: str | None = None
    """Where clients reach the service; by default what their Host header says."""

    max_input_bytes: int = 10 * 2**20
    """The largest file of a picture to draw from."""
    max_input_pixels: int = 4096 * 4096
    """The largest such picture; JPEGs may be several times as large."""

    webhook_secret: SecretStr | None = None
    """Signs what webhooks are told: whsec_ and 24 to 64 bytes in base64. Unset, there are none."""
    uploads: bool = False
    """Whether requests may name addresses that their pictures are sent to."""
    fetches: bool = False
    """Whether requests may name addresses that pictures to draw from are fetched from."""
    private_networks: Annotated[tuple[Network, ...], NoDecode] = ()
    """With commas between, those that webhooks, uploads and pictures' addresses may lead to."""

    c2pa_certificates: SecretStr | None = None
    """PEM of the certificate that signs pictures, and of those that lead to its root; unset, none
    does."""
    c2pa_key: SecretStr | None = None
    """PEM of its key, in PKCS 8."""

    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    """Web pages that may call from a browser, with commas between, like https://app.example;
    * for all."""

    metrics_port: int = 9090
    otel_exporter_otlp_endpoint: str | None = None
    """URL of an OpenTelemetry collector that takes spans by HTTP, like http://collector:4318;
    unset, nothing is traced. OpenTelemetry's SDK reads its other variables, OTEL_*, itself."""

    @field_validator("trusted_proxies", "private_networks", mode="before")
    @classmethod
    def _networks(cls, value: str | tuple[Network, ...]) -> tuple[Network, ...]:
        if isinstance(value, str):
            return tuple(ip_network(part.strip()) for part in value.split(",") if part.strip())
        return value

    @field_validator("cors_origins", "other_models", mode="before")
    @classmethod
    def _parts(cls, value: str | tuple[str, ...]) -> tuple[str, ...]:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("compiled_sizes", mode="before")
    @classmethod
    def _sizes(cls, value: str | tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
        if not isinstance(value, str):
            return value
        sizes = []
        for part in filter(None, (part.strip() for part in value.split(","))):
            width, separator, height = part.partition("x")
            if not (separator and width.isdigit() and height.isdigit()):
                raise ValueError(f"{part!r} is not WIDTHxHEIGHT, such as 1024x1024")
            sizes.append((int(width), int(height)))
        return tuple(sizes)

    def price_of(self, model: str | None) -> float:
        """Of an hour of its workers. @param model as `Task.model`"""
        return self.gpu_prices.get(model or self.model_id, self.gpu_price)

    @property
    def deadline_seconds(self) -> float:
        return self.task_seconds + self.worker_start_seconds

    @property
    def queue(self) -> str | None:
        """Where a worker's tasks wait: as `Task.model`, or `CANARY`."""
        if self.canary:
            return CANARY
        return self.model_id if self.named_only else None

    @property
    def queues(self) -> list[str | None]:
        """Where tasks of any worker wait."""
        return [None, *self.other_models, *([CANARY] if self.canary_share else [])]

    @cached_property
    def standalone(self) -> bool:
        return self.database_url is None

    @cached_property
    def avoid_seconds(self) -> float:
        """How long a worker leaves what it failed to the others; standalone mode has none."""
        return 0 if self.standalone else self.lease_seconds / 3

    @property
    def lora_dir(self) -> Path:
        return self.model_dir / "loras"

    @property
    def companions(self) -> list[Companion]:
        return [it for it in (self.safety_checker, self.upscaler) if it]

    @cached_property
    def model_path(self) -> Path:
        suffix = f"@{self.model_revision}" if self.model_revision else ""
        return self.model_dir / f"{self.model_id}{suffix}"
