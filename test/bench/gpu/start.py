"""One start of a worker: python start.py MODEL SIDE DIRECTORY; prints its phases as JSON.

DIRECTORY stands in for the bucket, too, so that a second start finds what the first one compiled.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

from core.metrics import registry
from core.settings import Settings
from worker import loading
from worker.compilation import compile_beside

path, side, directory = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
# The compiler's process reads them as well.
os.environ |= {
    "MODEL_DIR": str(path.parent),
    "MODEL_ID": path.name,
    "COMPILED_SIZES": f"{side}x{side}",
    "DATA_DIR": str(directory),
}
settings = Settings()


async def start() -> None:
    """As a worker does."""
    load = asyncio.create_task(asyncio.to_thread(loading.load, settings))

    async def loaded() -> bool:
        await load
        return loading.compiles()

    async def swap(compiled: bytes) -> None:
        from worker.compiled import swap_in

        swap_in(load.result(), compiled)

    if loading.may_compile(settings):
        await compile_beside(settings, loaded, swap)
    await load


asyncio.run(start())
phases = {
    sample.labels["phase"]: sample.value
    for metric in registry(["worker"]).collect()
    for sample in metric.samples
    if sample.name == "aigc_worker_start_seconds"
}
json.dump(phases, sys.stdout)
