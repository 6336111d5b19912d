"""The command line `linli`."""
