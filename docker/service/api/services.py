"""What the request handlers work with."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from api.events import EventHub
from tasks.pictures import PictureStore
from tasks.queue import Queue
from tasks.settings import Settings
from tasks.store import TaskStore


@dataclass(frozen=True)
class Services:
    settings: Settings
    store: TaskStore
    queue: Queue
    pictures: PictureStore
    events: EventHub


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


Provided = Annotated[Services, Depends(_services)]
