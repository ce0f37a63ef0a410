"""What tests/__init__.py promises, in the worst of shells."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_NOWHERE = "http://127.0.0.1:1"
_HOSTILE = {
    "HOME": "/proc/nobody",  # not writable, by root neither
    "TZ": "Asia/Kathmandu",
    **dict.fromkeys(["LANG", "LC_ALL"], "tr_TR.UTF-8"),
    **dict.fromkeys(
        ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"], _NOWHERE
    ),
    **dict.fromkeys(["DATABASE_URL", "redis_url", "AWS_ENDPOINT_URL", "OPENAI_BASE_URL"], _NOWHERE),
    "API_SECRET": "other",
    "QUEUE_LIMIT": "0",
    "PGSSLMODE": "require",
    "REDISCLI_AUTH": "other",
}
_TEST = "tests/test_api.py::test_generate_waits_and_answers_with_the_picture"


@pytest.mark.stores
def test_tests_pass_whoever_runs_them() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", _TEST],
        cwd=Path(__file__).parent.parent,
        env={"PATH": os.environ["PATH"], **_HOSTILE},
        umask=0o077,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout
