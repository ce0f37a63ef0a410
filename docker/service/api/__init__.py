"""The HTTP API: uvicorn api:app"""

from typing import Any


def __getattr__(name: str) -> Any:
    """`app`, made of the environment's settings when it is asked for."""
    if name != "app":
        raise AttributeError(name)
    from core.settings import Settings

    settings = Settings()
    if settings.standalone:
        from standalone import create_app
    else:
        from api.application import create_app
    return globals().setdefault(name, create_app(settings))
