"""Sends spans to an endpoint by OTLP over HTTP. What is not said here the SDK reads from its own
variables of the environment, OTEL_*.

https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
"""

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from core.settings import Settings


class _WithoutQueries(SpanProcessor):
    """FastAPI notes them: that of a link opens it."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002
        if span.attributes and "url.query" in span.attributes:
            span.set_attribute("url.query", "REDACTED")


def start(service: str, settings: Settings) -> None:
    resource = Resource.create(
        {"service.name": service, "service.instance.id": settings.worker_id},
    )
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(_WithoutQueries())
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
