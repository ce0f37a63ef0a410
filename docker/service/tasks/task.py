"""A task as the API and the workers see it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel

from tasks.parameters import ImageFormat, Parameters
from tasks.schema import Status


class Image(BaseModel):
    """One finished picture: where it lies and how it was made."""

    object_key: str
    seed: int
    format: ImageFormat
    sha256: str
    prompt_tokens: int = 0
    """How many of the model's tokens it was made from."""


@dataclass(frozen=True)
class Task:
    id: UUID
    key_id: int
    idempotency_key: str | None
    request_hash: bytes | None
    request_id: str
    parameters: Parameters
    status: Status
    priority: int
    rank: int
    attempt: int
    """Grows with every claim: the fencing token of the claim that holds the task."""
    attempts_left: int
    worker_id: str | None
    lease_until: datetime | None
    step: int
    images: list[Image]
    error_code: str | None
    error: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    deadline_at: datetime

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        values = dict(row)
        values["parameters"] = Parameters.model_validate(values["parameters"])
        values["status"] = Status(values["status"])
        values["images"] = [Image.model_validate(image) for image in values["images"] or []]
        return cls(**values)

    @cached_property
    def total_steps(self) -> int:
        return self.parameters.steps * self.parameters.num_images

    @cached_property
    def queued_seconds(self) -> float | None:
        return (self.started_at - self.created_at).total_seconds() if self.started_at else None

    @cached_property
    def generation_seconds(self) -> float | None:
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()
