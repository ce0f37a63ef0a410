"""Tells Kubernetes which workers have something to lose, so that a scale-in takes the idle ones:
python -m tasks.deletion_costs

https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#pod-deletion-cost

It runs apart from the API: what changes pods should not be what the world talks to. It may patch
`pods/status` alone, which takes annotations and leaves the pod's spec as it is (podStatusStrategy
in https://github.com/kubernetes/kubernetes/blob/master/pkg/registry/core/pod/strategy.go).
"""

import asyncio
import json
import logging
import os
import ssl
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from core import logs
from core.database import create_engine
from core.settings import Settings
from tasks.broker import Broker
from tasks.redis_broker import RedisBroker
from tasks.workload import Workload

log = logging.getLogger(__name__)

ANNOTATION = "controller.kubernetes.io/pod-deletion-cost"
_SECONDS = 0.5
_PATIENCE = 5


class Pods:
    """Those of this pod's namespace, by its service account.

    https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/"""

    def __init__(self, url: str, account: Path) -> None:
        """@param url of Kubernetes' API; @param account where the service account is mounted"""
        namespace = (account / "namespace").read_text()
        self._url = f"{url}/api/v1/namespaces/{namespace}/pods"
        self._token = account / "token"
        self._tls = None
        if url.startswith("https:"):
            self._tls = ssl.create_default_context(cafile=account / "ca.crt")

    async def annotate(self, pod: str, annotations: dict[str, str]) -> None:
        """Does nothing for a pod that is gone."""
        await asyncio.to_thread(self._annotate, pod, annotations)

    def _annotate(self, pod: str, annotations: dict[str, str]) -> None:
        request = Request(  # noqa: S310 - the address is not a client's
            f"{self._url}/{pod}/status",
            json.dumps({"metadata": {"annotations": annotations}}).encode(),
            {
                # Read each time: Kubernetes replaces it every hour.
                "Authorization": f"Bearer {self._token.read_text()}",
                "Content-Type": "application/merge-patch+json",
            },
            method="PATCH",
        )
        try:
            with urlopen(request, timeout=_PATIENCE, context=self._tls):  # noqa: S310
                pass
        except HTTPError as error:
            if error.code != 404:
                raise


class DeletionCosts:
    """A worker costs 1 while it has a task. Each change is told once."""

    def __init__(self, workload: Workload, broker: Broker, pods: Pods, settings: Settings) -> None:
        self._workload = workload
        self._broker = broker
        self._pods = pods
        self._queues = settings.queues
        self._told: dict[str, int] = {}

    async def run(self) -> None:
        while True:
            try:
                await self.tick()
            except Exception as error:  # what it is for can wait: pods are told at the next tick
                log.warning("deletion costs: %r", error)
            await asyncio.sleep(_SECONDS)

    async def tick(self) -> None:
        there = [await self._broker.workers(queue) for queue in self._queues]
        busy = await self._workload.busy_workers()
        costs = {worker: int(worker in busy) for worker in busy.union(*there)}
        self._told = {worker: cost for worker, cost in self._told.items() if worker in costs}
        changed = [worker for worker in costs if self._told.get(worker) != costs[worker]]
        tellings = (self._tell(worker, costs[worker]) for worker in changed)
        # All are waited for: a late one would undo what the next tick tells.
        outcomes = await asyncio.gather(*tellings, return_exceptions=True)
        for outcome in outcomes:
            if outcome is not None:
                raise outcome

    async def _tell(self, worker: str, cost: int) -> None:
        await self._pods.annotate(worker, {ANNOTATION: str(cost)})
        self._told[worker] = cost


async def main() -> None:
    settings = Settings()
    if settings.redis_url is None:
        raise SystemExit("It needs DATABASE_URL and REDIS_URL.")
    host, port = (os.environ[f"KUBERNETES_SERVICE_{part}"] for part in ("HOST", "PORT"))
    account = Path("/var/run/secrets/kubernetes.io/serviceaccount")
    engine = create_engine(settings)
    pods = Pods(f"https://{host}:{port}", account)
    broker = RedisBroker(settings.redis_url)
    await DeletionCosts(Workload(engine), broker, pods, settings).run()


if __name__ == "__main__":
    logs.configure()
    asyncio.run(main())
