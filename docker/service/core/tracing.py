"""What a request goes through, from whoever sent it to the store of its picture, as one trace of
OpenTelemetry. Where no endpoint takes spans, none are made, and OpenTelemetry's SDK is not
imported."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import time_ns

from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from core.settings import Settings

Carrier = Mapping[str, str]
"""A place in a trace as W3C Trace Context writes it: traceparent, and tracestate where there is
one."""

_tracer = trace.get_tracer("image-service")
_w3c = TraceContextTextMapPropagator()


def start(service: str, settings: Settings) -> None:
    """Spans of this process go to the endpoint from now on, where there is one.

    @param service: as traces name this kind of process"""
    if settings.otel_exporter_otlp_endpoint:
        from core import span_export

        span_export.start(service, settings)


def stop() -> None:
    """Sends what is left, which takes as long as the endpoint does, ten seconds at most."""
    shutdown = getattr(trace.get_tracer_provider(), "shutdown", None)
    if shutdown:
        shutdown()


def here() -> Carrier:
    """The current span's place; empty where nothing is traced."""
    carrier: dict[str, str] = {}
    _w3c.inject(carrier)
    return carrier


def subject(carrier: Carrier | None) -> dict[str, str]:
    """What a line of the log says of it."""
    return {"trace_id": carrier["traceparent"].split("-")[1]} if carrier else {}


@contextmanager
def span(
    name: str,
    kind: SpanKind = SpanKind.INTERNAL,
    after: Carrier | None = None,
    **attributes: AttributeValue,
) -> Iterator[None]:
    """A part of the current span, or of another; nothing where there is neither.

    @param after: the other's place"""
    if not (after or trace.get_current_span().get_span_context().is_valid):
        yield
        return
    # Errors by their kind alone: their texts quote what was asked for.
    with _tracer.start_as_current_span(
        name,
        context=_w3c.extract(after) if after else None,
        kind=kind,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as current:
        try:
            yield
        except Exception as error:
            current.set_attribute("error.type", type(error).__name__)
            current.set_status(StatusCode.ERROR)
            raise


def past(name: str, seconds: float, after: Carrier | None) -> None:
    """A part that took so long, of what `after` names, and ends now."""
    if after:
        now = time_ns()
        begun = now - int(seconds * 1e9)
        _tracer.start_span(name, _w3c.extract(after), start_time=begun).end(now)


def note(**attributes: AttributeValue) -> None:
    """Of the current span."""
    trace.get_current_span().set_attributes(attributes)
