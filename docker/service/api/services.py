"""What the request handlers work with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

from tasks.events import EventHub
from tasks.history import History
from tasks.pictures import PictureStore
from tasks.queue import Queue
from tasks.settings import Settings
from tasks.store import TaskStore

if TYPE_CHECKING:
    from api.admission import Admission
    from api.auth import KeyRing
    from api.departures import Departures
    from api.health import Readiness
    from api.links import Links
    from api.ratelimit import RateLimiter


@dataclass(frozen=True)
class Services:
    settings: Settings
    store: TaskStore
    history: History
    queue: Queue
    events: EventHub
    pictures: PictureStore
    keyring: KeyRing
    limiter: RateLimiter
    admission: Admission
    links: Links
    departures: Departures
    ready: Readiness


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


Provided = Annotated[Services, Depends(_services)]
