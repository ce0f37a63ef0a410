"""One start of a worker: python start.py MODEL SIDE DIRECTORY; prints its phases as JSON."""

import json
import sys
from pathlib import Path

from prometheus_client import REGISTRY

from core.settings import Settings
from worker import loading

path, side, directory = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
loading.load(
    Settings(
        model_dir=directory,
        model_id=str(path.relative_to(directory)),
        compiled_sizes=((side, side),),
    )
)
phases = {
    sample.labels["phase"]: sample.value
    for metric in REGISTRY.collect()
    for sample in metric.samples
    if sample.name == "aigc_worker_start_seconds"
}
json.dump(phases, sys.stdout)
