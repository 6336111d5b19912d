"""Reads of people and what they have to do with houses, filtered in SQL by what the caller may see."""

from domains.residents.queries.occupancies import ties

__all__ = ["ties"]
