"""Print a markdown table line by line, so that a long run shows its progress."""


def head(*names):
    """Start a table."""
    print(f"\n| {' | '.join(names)} |\n|{'---|' * len(names)}", flush=True)


def row(*cells):
    """Add a line; cells are strings by now, or numbers that need no format."""
    print(f"| {' | '.join(map(str, cells))} |", flush=True)
