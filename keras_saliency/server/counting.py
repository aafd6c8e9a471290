"""What a server counts, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Histogram

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
ROWS = (1, 2, 4, 8, 16, 32, 64)


class Counts:
    """Counters of one server, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "saliency_requests", "Requests for predictions.", ("model", "protocol", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "saliency_request_seconds",
            "From the whole request to its answer.",
            ("model", "protocol"),
            buckets=SECONDS,
            registry=self.registry,
        )
        self.batch_sizes = Histogram(
            "saliency_batch_size",
            "Rows that went through a model at once.",
            ("model",),
            buckets=ROWS,
            registry=self.registry,
        )
