"""Queries of Prometheus over exported metrics: a metric that is not exported cannot be named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from evolution_sdk.monitor.export.families import FAMILIES

__all__ = ["EXPORTED_INSTANCE", "Queries"]

EXPORTED_INSTANCE: Final = "exported_instance"
"""The label in which Prometheus keeps ours by default: its own ``instance`` names the target."""

# Grafana's own: four times the interval of scrapes.
_RANGE: Final = "$__rate_interval"
_BY_NAME: Final = {family.otel: family for family in FAMILIES.values()}


@dataclass(frozen=True, slots=True)
class Queries:
    """Writes queries.

    Attributes:
        chosen: Matchers that each selector gets, such as those of a dashboard's variables.
        instance: The label that holds WhatsApp's instance: ``instance`` where Prometheus scrapes
            with ``honor_labels``.
    """

    chosen: tuple[str, ...] = ()
    instance: str = EXPORTED_INSTANCE

    def of(self, name: str, end: str = "", /, **labels: str) -> str:
        """Return the selector of a metric.

        Args:
            name: Its name in OpenTelemetry.
            end: ``_bucket``, ``_sum`` or ``_count`` of a histogram.
            **labels: Values of its labels; a value that begins with ``~`` is a regular expression.

        Raises:
            KeyError: It is not exported, or has no such label.
        """
        family = _BY_NAME[name]
        own = {*family.labels, "le"} if family.kind == "histogram" else {*family.labels}
        if not own.issuperset(labels):
            raise KeyError(f"{name} has no label {sorted(labels.keys() - own)}")
        matchers = list(self.chosen)
        for label, value in labels.items():
            sign = "=~" if value.startswith("~") else "="
            matchers.append(f'{self.label(name, label)}{sign}"{value.removeprefix("~")}"')
        inside = f"{{{','.join(matchers)}}}" if matchers else ""
        return f"{family.prometheus}{end}{inside}"

    def label(self, name: str, label: str) -> str:
        """Return a label as Prometheus has it.

        Args:
            name: The metric's name in OpenTelemetry.
            label: The label as it is exported.
        """
        if _BY_NAME[name].kind == "states":
            # A set of states is labelled by the name of its metric.
            return _BY_NAME[name].prometheus
        return self.instance if label == "instance" else label

    def rate(self, name: str, end: str = "", /, over: str = _RANGE, **labels: str) -> str:
        """Return how fast a counter grows.

        Args:
            name: As of :meth:`of`.
            end: As of :meth:`of`.
            over: The time to look back.
            **labels: As of :meth:`of`.
        """
        return f"rate({self.of(name, end, **labels)}[{over}])"

    def quantile(
        self, share: float, name: str, /, over: str = _RANGE, by: str = "", **labels: str
    ) -> str:
        """Return a quantile of a histogram, in its unit.

        Args:
            share: From 0 to 1.
            name: As of :meth:`of`.
            over: The time to look back.
            by: A label to keep.
            **labels: As of :meth:`of`.
        """
        kept = f"le, {self.label(name, by)}" if by else "le"
        buckets = self.rate(name, "_bucket", over=over, **labels)
        return f"histogram_quantile({share:g}, sum by ({kept}) ({buckets}))"
