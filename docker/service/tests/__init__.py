"""The service's tests, which find the same whoever runs them."""

import os

from core.settings import Settings

_SETTINGS = {name.upper() for name in Settings.model_fields}
# Of PostgreSQL's, Redis', AWS' and OpenAI's clients; a locale that isn't installed ends initdb.
_CLIENTS = ("PG", "REDISCLI_", "AWS_", "OPENAI_", "LC_")
for _name in list(os.environ):
    if _name.upper() in _SETTINGS or _name.startswith(_CLIENTS):
        del os.environ[_name]
# A proxy is of use for the registry of npm alone: all else is on loopback.
_LOOPBACK = "127.0.0.1,localhost"
os.environ |= {"LANG": "C.UTF-8", "NO_PROXY": _LOOPBACK, "no_proxy": _LOOPBACK}
