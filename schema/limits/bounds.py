"""The numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one request. Counts, except `source`, in characters."""

    source: int = 100_000
    tokens: int = 4_000
    depth: int = 15
    aliases: int = 30
    directives: int = 50
    root_fields: int = 20
    expanded_fields: int = 10_000
    errors: int = 20
    cost: int = 10_000
    text: int = 2_000
    long_text: int = 20_000
    input_depth: int = 16
    page: int = 100
    assumed_list: int = 20
    mutation_cost: int = 10
    documents: int = 1_000
