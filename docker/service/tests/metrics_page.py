"""docs/reference/metrics.md: python -m tests.metrics_page writes it."""

from pathlib import Path

from core.metrics import TABLE, Metric, Open, Values

PAGE = Path(__file__).parents[3] / "docs/reference/metrics.md"
_PROSE = """\
# Metrics

<!-- Rendered from docker/service/core/metrics.py by `python -m tests.metrics_page`. -->

Each pod of the service serves them at `:9090/metrics`, which NetworkPolicies open to Prometheus
alone. Beside them are what its client library tells of any process: `process_*` and `python_*`.
Prometheus adds `job` (`api`, or `worker` and the pool's name) and `instance` (the pod).

No label has a value that a client may choose, so their number doesn't grow with requests: ten
thousand tasks of many keys, models and sizes add 79 to an api and two workers that had 287, and all
of them with the first few hundred.

`aigc_cost_total` counts what workers cost by `workers.gpuPrice`, from the start of their process
on; what is `idle` or `starting` of it drew nothing. What each key had is on the operator's page:
it is no series.

Of the GPUs themselves and Kubernetes' objects others tell: where the cluster has their
exporters, `monitoring.exporters` names them, and Prometheus may ask them. Each is a Service by its
full host, headless so that each of its pods is asked, and the port of the pods:

```yaml
monitoring:
  exporters:
    - { job: dcgm, host: nvidia-dcgm-exporter.gpu-operator.svc.cluster.local, port: 9400 }
    - { job: kube-state-metrics, host: kube-state-metrics.monitoring.svc.cluster.local, port: 8080 }
```

Where each node has a [node_exporter](https://github.com/prometheus/node_exporter), as charts
install it, `monitoring.nodeExporter: 9100` has Prometheus ask each node at that port: a node's own
network is behind no Service, so it finds the nodes by Kubernetes' API, with a ClusterRole to list
them. It keeps what alerts ask for: `node_filesystem_*`, `node_memory_*` and `node_timex_*`.

`monitoring.kubelets` asks each node's kubelet, and cAdvisor in it, of the stack's own volumes and
containers: `kubelet_volume_stats_available_bytes` and `kubelet_volume_stats_capacity_bytes`,
`container_cpu_usage_seconds_total`, `container_memory_working_set_bytes` and
`container_oom_events_total`. Prometheus then has a ClusterRole, to list nodes and to read
`nodes/metrics`, which some clusters give to nobody.

`monitoring.ownExporters` runs
[postgres_exporter](https://github.com/prometheus-community/postgres_exporter) and
[redis_exporter](https://github.com/oliver006/redis_exporter), for what the stores alone know of
themselves: `pg_*` and `redis_*`. The first asks as the role `monitoring`, a member of `pg_monitor`
that reads no table; the second as the user `monitoring`, who reads no key, and on ElastiCache with
the stack's password. [nginx-prometheus-exporter](https://github.com/nginx/nginx-prometheus-exporter)
stands beside nginx in each of its pods, and asks it by a port that is open within the pod alone:
`nginx_*`.

`monitoring.dashboards` makes dashboards of them: ConfigMaps with the label `grafana_dashboard`,
which the sidecar of Grafana's chart takes where it looks in this namespace
(`sidecar.dashboards.searchNamespace`). Each has a list to choose the Prometheus from. Grafana's own
SDK renders them, and a test puts each panel's query to the local stack's Prometheus: it has to have
data, with the labels that its legend names, but where a machine without a GPU, or an hour after the
start, has none. How Grafana draws them is not tested, and there are no screenshots: Grafana, which
is under the AGPL, is not among what the tests install.
"""


def render() -> str:
    rows = "".join(map(_row, TABLE))
    return f"{_PROSE}\n| metric | type | of | labels | meaning |\n{'| --- ' * 5}|\n{rows}"


def _row(metric: Metric) -> str:
    labels = "; ".join(f"`{name}`: {_told(values)}" for name, values in metric.labels.items())
    cells = (f"`{metric.name}`", metric.type, ", ".join(metric.processes), labels, metric.meaning)
    return f"| {' | '.join(cells)} |\n"


def _told(values: Values) -> str:
    return values.what if isinstance(values, Open) else ", ".join(f"`{each}`" for each in values)


if __name__ == "__main__":
    PAGE.write_text(render())
