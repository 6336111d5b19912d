"""`python -m api.cli`."""

from api.cli.commands import app

if __name__ == "__main__":
    app()
