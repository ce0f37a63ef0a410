"""Deletes what is older than so many days from the object store: python -m tasks.pruning DAYS

For a store that has no rules of its own for that, as S3 has: the one in the cluster, and
standalone mode's directory. Tasks stay; what they link to is gone then.
"""

import argparse
import asyncio
import logging
import os
from datetime import timedelta

from core import logs
from core.object_store import ObjectStore
from core.settings import Settings

log = logging.getLogger(__name__)

_FOLDERS = ("inputs/", "outputs/", "compiled/")
"""All that the service keeps there; a directory of standalone mode has its database beside them."""


async def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tasks.pruning", description=__doc__)
    parser.add_argument("days", type=float)
    age = timedelta(days=parser.parse_args().days)
    objects = ObjectStore(Settings())
    for folder in _FOLDERS:
        deleted = await objects.delete_older(folder, age)
        log.info("pruned", extra={"folder": folder, "files": deleted})


if __name__ == "__main__":
    logs.configure()
    asyncio.run(main())
    # obstore's threads may still give up what Python has ended already, which aborts the process.
    os._exit(0)
