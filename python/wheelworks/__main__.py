"""``python -m wheelworks`` and the ``wheelworks`` command."""

from __future__ import annotations


def main() -> None:
    """Run the command line and leave with its exit code."""
    from wheelworks.cli import run

    run()


if __name__ == "__main__":
    main()
