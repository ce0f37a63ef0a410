"""What the request handlers work with."""

from dataclasses import dataclass

from api.admission import Admission
from api.certificate import Certificate
from api.departures import Departures
from api.estimates import Estimates
from api.inputs import Inputs
from api.keyring import KeyRing
from api.links import Links
from api.ratelimit import RateLimiter
from api.readiness import Readiness
from core.settings import Settings
from tasks.broker import Broker
from tasks.events import EventHub
from tasks.history import History
from tasks.images import ImageStore
from tasks.operations import Operations
from tasks.store import TaskStore
from tasks.uploads import UploadStore
from tasks.webhooks import WebhookStore
from tasks.workload import Workload


@dataclass(frozen=True)
class Services:
    settings: Settings
    store: TaskStore
    history: History
    broker: Broker
    certificate: Certificate
    events: EventHub
    images: ImageStore
    inputs: Inputs
    webhooks: WebhookStore
    sent: UploadStore
    keyring: KeyRing
    limiter: RateLimiter
    uploads: RateLimiter
    admission: Admission
    links: Links
    departures: Departures
    workload: Workload
    estimates: Estimates
    operations: Operations
    ready: Readiness
