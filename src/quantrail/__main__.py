"""`python -m quantrail` is the `quantrail` command."""

from quantrail.apps.cli.main import run

if __name__ == "__main__":
    run()
