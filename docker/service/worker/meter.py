"""What a worker does with the time that its GPU is paid for."""

import time
from typing import Literal

from core import metrics

Doing = Literal["starting", "idle", "drawing"]


class Meter:
    def __init__(self, price: float) -> None:
        """@param price: of an hour"""
        self._price = price
        self._doing: Doing = "starting"
        self._since = time.monotonic()

    def turn(self, to: Doing) -> None:
        self.count()
        self._doing = to

    def count(self) -> None:
        """To be called now and then, also while nothing changes."""
        now = time.monotonic()
        seconds, self._since = now - self._since, now
        metrics.WORKER_SECONDS.labels(self._doing).inc(seconds)
        metrics.COST.labels(self._doing).inc(seconds * self._price / 3600)
