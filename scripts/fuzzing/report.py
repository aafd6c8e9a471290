"""Prints what happened to the inputs."""

import collections

import rich.console
import rich.markup
import rich.table


def print_table(results):
    """A row for each kind, and below it what the failures were."""
    table = rich.table.Table("kind", title="Hostile inputs")
    for heading in ("inputs", "accepted", "refused", "failures", "slowest, s", "memory, MB"):
        table.add_column(heading, justify="right")
    for result in results:
        counts = (result.inputs, result.accepted, result.refused, len(result.failures))
        table.add_row(result.kind, *map(str, counts), f"{result.slowest:.1f}", f"{result.memory:.0f}")
    console = rich.console.Console()
    console.print(table)
    for result in results:
        reasons = collections.defaultdict(list)
        for number, reason in result.failures:
            reasons[reason].append(number)
        for reason, numbers in reasons.items():
            console.print(rich.markup.escape(f"{result.kind} {numbers[:5]} ({len(numbers)}): {reason}"))
