"""Commands over doors and passes, by noun."""
