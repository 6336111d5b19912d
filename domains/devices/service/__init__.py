"""Commands over devices and alarms, by noun."""
