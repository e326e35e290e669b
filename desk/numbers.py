"""The numbers that a service tells on `/metrics`, looked up by name and labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families


@dataclass(frozen=True)
class Number:
    """One line of `/metrics`."""

    name: str
    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True)
class Numbers:
    """All of one process. Of a metric that it does not tell there is nothing."""

    each: tuple[Number, ...] = ()

    def of(self, name: str) -> list[Number]:
        """A metric under each of its labels."""
        return [number for number in self.each if number.name == name]

    def by(self, name: str, label: str) -> dict[str, float]:
        """A metric by one label, added up over the others."""
        found: dict[str, float] = {}
        for number in self.of(name):
            value = number.labels.get(label, "")
            found[value] = found.get(value, 0.0) + number.value
        return found

    def total(self, name: str) -> float | None:
        """A metric, added up over all labels; None where it is not told."""
        told = self.of(name)
        return sum(number.value for number in told) if told else None


def read_numbers(exposition: str) -> Numbers:
    """What stands in Prometheus' text format. Raises: ValueError for what is none."""
    return Numbers(
        tuple(
            Number(sample.name, sample.labels, sample.value)
            for family in text_string_to_metric_families(exposition)
            for sample in family.samples
        )
    )
