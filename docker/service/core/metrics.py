"""Every metric of the service. docs/reference/metrics.md is rendered from this table
(python -m tests.metrics_page), and a process serves those that it is said here to have."""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import product
from typing import Any, Final, Literal, TypeVar

import prometheus_client
from prometheus_client import (
    GC_COLLECTOR,
    PLATFORM_COLLECTOR,
    PROCESS_COLLECTOR,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
)
from prometheus_client.metrics import MetricWrapperBase

prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]

Process = Literal["api", "worker"]


@dataclass(frozen=True)
class Open:
    """Values of a label that are not listed here, but are few all the same."""

    what: str
    at_most: int


Values = tuple[str, ...] | Open


@dataclass(frozen=True)
class Metric:
    name: str
    meaning: str
    processes: tuple[Process, ...]
    labels: dict[str, Values]
    collector: MetricWrapperBase

    @property
    def type(self) -> str:
        return type(self.collector).__name__.lower()


TABLE: Final[list[Metric]] = []

Kind = TypeVar("Kind", bound=MetricWrapperBase)


def _metric(
    kind: type[Kind],
    name: str,
    meaning: str,
    *processes: Process,
    buckets: tuple[float, ...] = (),
    **labels: Values,
) -> Kind:
    more: dict[str, Any] = {"buckets": buckets} if buckets else {}
    collector = kind(name, meaning, list(labels), registry=None, **more)
    if kind is Counter:
        # From 0: of a series that begins at 1, nothing has increased.
        for combination in product(*(() if isinstance(v, Open) else v for v in labels.values())):
            if combination:
                collector.labels(*combination)
    TABLE.append(Metric(name, meaning, processes, labels, collector))
    return collector


def registry(processes: Collection[Process]) -> CollectorRegistry:
    """What these processes have, with what Python and the system tell of any process."""
    own = CollectorRegistry()
    for collector in (PROCESS_COLLECTOR, PLATFORM_COLLECTOR, GC_COLLECTOR):
        own.register(collector)
    for metric in TABLE:
        if set(processes).intersection(metric.processes):
            own.register(metric.collector)
    return own


_MODEL = Open("a model of the configuration, with _ for /, or other", 50)
_SIZE = Open("of `workers.compiledSizes`", 50)

# -- requests ------------------------------------------------------------------------------

REQUESTS = _metric(
    Counter,
    "aigc_requests_total",
    "Requests for pictures; a client's own mistakes count as neither",
    "api",
    endpoint=("generate", "openai"),
    status=("success", "failed"),
)
METHODS: Final = ("GET", "HEAD", "POST", "DELETE", "OPTIONS", "other")
NO_ROUTE: Final = "other"
_ROUTE = Open("a path of docs/api.md, or other", 50)
HTTP_REQUESTS = _metric(
    Counter,
    "aigc_http_requests_total",
    "All requests",
    "api",
    method=METHODS,
    route=_ROUTE,
    status=("1xx", "2xx", "3xx", "4xx", "5xx"),
)
HTTP_SECONDS = _metric(
    Histogram,
    "aigc_http_request_seconds",
    "From a request's arrival to the beginning of its answer, a wait for the picture included",
    "api",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300),
    route=_ROUTE,
)
REFUSALS: Final = ("rate-limited", "queue-full", "quota-exceeded", "store-unavailable")
REFUSED = _metric(
    Counter,
    "aigc_requests_refused_total",
    "Requests that were sent away to come back later, by the problem's type",
    "api",
    reason=REFUSALS,
)

CERTIFICATE_ENDS = _metric(
    Gauge,
    "aigc_certificate_expiry_timestamp_seconds",
    "When the certificate ends that nginx shows; 0: there is none, or it was not seen yet",
    "api",
)

# -- the queue, counted in the database ----------------------------------------------------

QUEUE_SIZE = _metric(Gauge, "aigc_queue_size", "Queued tasks", "api")
QUEUE_LIMIT = _metric(Gauge, "aigc_queue_limit", "Queued tasks, at most", "api")
TASKS = _metric(
    Gauge,
    "aigc_tasks",
    "Tasks that are not final",
    "api",
    model=_MODEL,
    status=("queued", "running"),
)
QUEUE_AGE = _metric(
    Gauge,
    "aigc_queue_oldest_age_seconds",
    "How long the oldest queued task has waited",
    "api",
    model=_MODEL,
)
WORK = _metric(
    Gauge,
    "aigc_work_seconds",
    "What one worker would take for all that waits or is being drawn",
    "api",
    model=_MODEL,
)
DEAD = _metric(Gauge, "aigc_dead_tasks", "Failed tasks that used up their attempts", "api")

# -- drawing -------------------------------------------------------------------------------

PICKUP = _metric(
    Histogram,
    "aigc_pickup_seconds",
    "From a task's acceptance to its first claim by a worker",
    "worker",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 900),
)
GENERATION = _metric(
    Histogram,
    "aigc_generation_seconds",
    "Time that a worker spends on a task that succeeds",
    "worker",
    buckets=(0.1, 0.25, 0.5, 1, 2, 3, 4, 5, 7.5, 10, 15, 20, 30, 45, 60, 90, 120, 300),
)
COMPLETION_BUCKETS: Final = (
    1.0,
    2.5,
    5.0,
    10.0,
    15.0,
    20.0,
    30.0,
    45.0,
    60.0,
    90.0,
    120.0,
    300.0,
    600.0,
)
"""Of which `api.inTime.seconds` has to be one."""
COMPLETION = _metric(
    Histogram,
    "aigc_completion_seconds",
    "From a task's acceptance to the last of its pictures",
    "worker",
    buckets=COMPLETION_BUCKETS,
)
STEP = _metric(
    Histogram,
    "aigc_step_seconds",
    "Time of a denoising step, for all pictures that are drawn at once",
    "worker",
    buckets=(0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2, 5),
)
ATTEMPTS = _metric(
    Counter,
    "aigc_attempts_total",
    "Attempts at tasks by their end; the relay, in the api, sees lost workers",
    "api",
    "worker",
    outcome=(
        "succeeded",
        "handed_back",
        "taken_away",
        "out_of_memory",
        "gpu_error",
        "input_gone",
        "lora_missing",
        "upscaler_missing",
        "generation_failed",
        "worker_lost",
    ),
)
PICTURES = _metric(
    Counter,
    "aigc_pictures_stored_total",
    "Pictures that were written to the object store",
    "worker",
    format=("png", "jpeg", "webp"),
)
PICTURE_BYTES = _metric(
    Counter,
    "aigc_pictures_stored_bytes_total",
    "Their size",
    "worker",
    format=("png", "jpeg", "webp"),
)
CHECKED = _metric(
    Counter,
    "aigc_pictures_checked_total",
    "Pictures that the safety checker looked at, by its verdict",
    "worker",
    verdict=("passed", "flagged"),
)
DOING: Final = ("starting", "idle", "drawing")
WORKER_SECONDS = _metric(
    Counter,
    "aigc_worker_seconds_total",
    "Time of workers, each with its GPU, by what they did",
    "worker",
    doing=DOING,
)
COST = _metric(
    Counter,
    "aigc_cost_total",
    "What that time cost, by `workers.gpuPrice`, in its currency",
    "worker",
    doing=DOING,
)
START = _metric(
    Gauge,
    "aigc_worker_start_seconds",
    "How long each phase of the start took",
    "worker",
    phase=Open("of the start", 20),
)
COMPILED = _metric(
    Gauge,
    "aigc_worker_compiled",
    "Whether this size is drawn compiled: 1 or 0",
    "worker",
    size=_SIZE,
)
GPU_MEMORY = _metric(
    Gauge,
    "aigc_gpu_memory_used_bytes",
    "GPU memory in use",
    "worker",
    gpu_id=Open("of the worker's GPUs", 16),
)

# -- stores --------------------------------------------------------------------------------

STORE_UP = _metric(
    Gauge,
    "aigc_store_up",
    "Whether a store answers the api: 1 or 0",
    "api",
    store=("postgres", "redis"),
)
DATABASE_CONNECTIONS = _metric(
    Gauge, "aigc_database_connections", "Connections to PostgreSQL", "api"
)
DATABASE_CONNECTIONS_LIMIT = _metric(
    Gauge, "aigc_database_connections_limit", "Connections to PostgreSQL, at most", "api"
)
DATABASE_TRANSACTION = _metric(
    Gauge,
    "aigc_database_oldest_transaction_seconds",
    "How long the oldest transaction has been open; a backup's is left out",
    "api",
)
DATABASE_BYTES = _metric(
    Gauge, "aigc_database_bytes", "Size of the database, without its log", "api"
)
ARCHIVE_FAILS = _metric(
    Gauge,
    "aigc_archive_fails",
    "Whether the database's last try to archive its log failed, or hangs: 1 or 0",
    "api",
)
REDIS_BYTES = _metric(Gauge, "aigc_redis_memory_bytes", "Memory that Redis uses", "api")
REDIS_LIMIT = _metric(
    Gauge,
    "aigc_redis_memory_limit_bytes",
    "Memory at which Redis refuses to write; 0: it has no limit",
    "api",
)
REDIS_PERSISTENCE_FAILS = _metric(
    Gauge,
    "aigc_redis_persistence_fails",
    "Whether Redis' last try to write to its volume failed: 1 or 0",
    "api",
)

# -- backups -------------------------------------------------------------------------------

LAST_BACKUP = _metric(
    Gauge,
    "aigc_backup_last_success_timestamp_seconds",
    "When the newest backup ended; 0 before the first",
    "api",
)
LAST_SCRUB = _metric(
    Gauge,
    "aigc_scrub_last_success_timestamp_seconds",
    "When pictures were last compared with their records; 0 before the first",
    "api",
)
DAMAGED_PICTURES = _metric(
    Gauge,
    "aigc_damaged_pictures",
    "That are gone, or not what their records say, as scrubs found",
    "api",
)
LAST_DRILL = _metric(
    Gauge,
    "aigc_restore_drill_last_success_timestamp_seconds",
    "When the newest drill ended that restored the database; 0 before the first",
    "api",
)
DRILL_FAILED = _metric(
    Gauge, "aigc_restore_drill_failed", "Whether the newest drill failed: 1 or 0", "api"
)
DRILL_LOST = _metric(
    Gauge,
    "aigc_restore_drill_lost_seconds",
    "Of records that the newest good drill would have lost",
    "api",
)
DRILL_TOOK = _metric(
    Gauge,
    "aigc_restore_drill_restore_seconds",
    "That the newest good drill took to restore the database",
    "api",
)
