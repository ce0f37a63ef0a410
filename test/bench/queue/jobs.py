"""What a peer's user would write around the peer: a record as durable as the service's own, and
a picture such as the service's no-op model paints."""

import hashlib
import os
from pathlib import Path

from PIL import Image

SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
  id uuid PRIMARY KEY, prompt text NOT NULL, created_at timestamptz NOT NULL DEFAULT now(),
  started_at timestamptz, begun_at timestamptz, finished_at timestamptz, result text
)
"""
ACCEPT = "INSERT INTO jobs (id, prompt) VALUES ($1, 'a cat')"
START = "UPDATE jobs SET started_at = now() WHERE id = $1"
FINISH = (
    "UPDATE jobs SET begun_at = to_timestamp($2), finished_at = now(), result = $3 WHERE id = $1"
)
"""`begun_at` is when the worker had its start on record and went to work."""


def store_picture(job: str) -> str:
    """@returns where it lies"""
    red, green, blue = hashlib.sha256(b"a cat|1").digest()[:3]
    path = Path(os.environ["DATA_DIR"]) / f"{job}.png"
    path.parent.mkdir(exist_ok=True)
    unfinished = path.with_suffix(".tmp")
    Image.new("RGB", (256, 256), (red, green, blue)).save(unfinished, "PNG", compress_level=1)
    unfinished.rename(path)
    return str(path)
