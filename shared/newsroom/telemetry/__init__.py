"""What a process tells about itself: log lines, the trace that runs from the POST to the page, and metrics.

from newsroom.telemetry import bind_trace, configure_logging, metrics, new_traceparent, trace_id
"""

from newsroom.telemetry import metrics
from newsroom.telemetry.logs import configure_logging
from newsroom.telemetry.traces import bind_trace, current_traceparent, new_traceparent, trace_id, tracing

__all__ = [
    "bind_trace",
    "configure_logging",
    "current_traceparent",
    "metrics",
    "new_traceparent",
    "trace_id",
    "tracing",
]
