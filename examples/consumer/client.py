"""Asks the image service for one picture and checks that it got one."""

import json
import os
import urllib.request

request = urllib.request.Request(
    os.environ["SERVICE_URL"] + "/api/generate",
    data=json.dumps(
        {"prompt": "a lighthouse at dawn", "width": 256, "height": 256, "steps": 4}
    ).encode(),
    headers={
        "Authorization": "Bearer " + os.environ["API_SECRET"],
        "Content-Type": "application/json",
        "Accept": "image/png",
    },
)
with urllib.request.urlopen(request, timeout=300) as response:
    picture = response.read()
if not picture.startswith(b"\x89PNG\r\n\x1a\n"):
    raise SystemExit(f"expected a PNG, got {picture[:80]!r}")
print(f"a picture of {len(picture)} bytes")
