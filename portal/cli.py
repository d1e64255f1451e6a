"""`portal`: the product's commands. Each imports what it needs when it runs, and no sooner."""

from __future__ import annotations

import click


@click.group()
def main() -> None:
    """Portal de conversaciones."""
