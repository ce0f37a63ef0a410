"""A task as the API and the workers see it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel

from core import tracing
from core.schema import Status
from tasks.parameters import Parameters


class StoredImage(BaseModel):
    """One finished picture: where it lies and how it was made. Its format may be one that only
    other releases draw."""

    object_key: str
    seed: int
    format: str
    sha256: str
    prompt_tokens: int = 0
    """How many of the model's tokens it was made from."""
    size: tuple[int, int] | None = None
    """Width and height; None in rows of releases that enlarged none."""
    flagged: bool | None = None
    """Whether it was found unfit to be shown, and is black; None where nobody looked."""

    @property
    def media_type(self) -> str:
        return f"image/{self.format}"


@dataclass(frozen=True)
class Task:
    id: UUID
    key_id: int
    idempotency_key: str | None
    request_hash: bytes | None
    request_id: str
    stored_parameters: Mapping[str, Any]
    status: Status
    priority: int
    rank: int
    attempt: int
    """Grows with every claim: the fencing token of the claim that holds the task."""
    attempts_left: int
    worker_id: str | None
    lease_until: datetime | None
    step: int
    stored_images: Sequence[Mapping[str, Any]]
    error_code: str | None
    error: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    deadline_at: datetime
    retry_at: datetime | None
    model: str | None
    """The model that has to draw it; None: the service's default one."""
    work: float | None
    """`Parameters.work`; None in rows of older releases."""
    trace: tracing.Carrier | None
    """Where in its request's trace it began; None where that was not traced."""

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        values = dict(row)
        values["stored_parameters"] = values.pop("parameters")
        values["stored_images"] = values.pop("images") or []
        values["status"] = Status(values["status"])
        return cls(**values)

    @property
    def subject(self) -> dict[str, str]:
        """What a line of the log says it is about."""
        named = {"request_id": self.request_id, "task_id": str(self.id)}
        return named | tracing.subject(self.trace)

    # Decoded when asked for: what can't be read is an error of whoever works on this task alone.

    @cached_property
    def parameters(self) -> Parameters:
        return Parameters.stored(self.stored_parameters)

    @cached_property
    def images(self) -> list[StoredImage]:
        return [StoredImage.model_validate(image) for image in self.stored_images]

    def size_of(self, image: StoredImage) -> tuple[int, int]:
        """Width and height."""
        return image.size or (self.parameters.width, self.parameters.height)

    @cached_property
    def total_steps(self) -> int:
        return self.parameters.drawn_steps * self.parameters.num_images

    @cached_property
    def queued_seconds(self) -> float | None:
        return (self.started_at - self.created_at).total_seconds() if self.started_at else None

    @cached_property
    def generation_seconds(self) -> float | None:
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()
