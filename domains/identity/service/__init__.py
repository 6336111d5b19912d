"""Commands of identity, by noun."""
