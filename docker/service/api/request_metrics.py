"""Counts requests. What a client may choose freely, such as a path, is no label: it would be one
without bounds."""

from fastapi import Request
from starlette.routing import Match
from starlette.types import Scope

from core import metrics

_PICTURES = {
    "/api/generate": "generate",
    "/v1/images/generations": "openai",
    "/v1/images/edits": "openai",
}
"""What asks for pictures, under its name in the metric."""


def count(scope: Scope, status: int, seconds: float) -> None:
    """@param seconds: from the request's arrival to the beginning of its answer"""
    method, route = scope["method"], _route(scope)
    if method not in metrics.METHODS:
        method = "other"
    metrics.HTTP_REQUESTS.labels(method, route, f"{status // 100}xx").inc()
    metrics.HTTP_SECONDS.labels(route).observe(seconds)
    # The client's own mistakes are no failures of the service.
    if scope["path"] in _PICTURES and not 400 <= status < 500:
        outcome = "failed" if status >= 500 else "success"
        metrics.REQUESTS.labels(_PICTURES[scope["path"]], outcome).inc()


def _route(scope: Scope) -> str:
    """Also of what was answered before it got to its route."""
    if route := scope.get("route"):
        return str(route.path)
    for route in Request(scope).app.state.routes:
        match, _ = route.matches(scope)
        if match is not Match.NONE:
            return str(route.path)
    return metrics.NO_ROUTE
