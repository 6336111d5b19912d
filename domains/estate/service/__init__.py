"""Commands of the places, by noun."""
