"""Gated recurrent units that read traces of events, whole and in short runs, in torch."""

from typing import Any

__all__ = ["event_encoder"]


def event_encoder(n_tokens: int, n_embedding: int, n_units: int, n_layers: int) -> Any:
    """Return a module that maps traces to their last states, by one recurrence for whole traces and one for runs.

    There are no biases, so that a constant code is no solution of a one-class objective.
    """
    import torch
    from torch import nn

    class EventEncoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Embedding(n_tokens, n_embedding)
            self.whole = nn.GRU(n_embedding, n_units, n_layers, bias=False, batch_first=True)
            self.runs = nn.GRU(n_embedding, n_units, n_layers, bias=False, batch_first=True)

        def forward(self, codes: Any, lengths: Any, *, whole: bool) -> Any:
            """Return the state after the last event of each trace; what follows it is not read."""
            states = (self.whole if whole else self.runs)(self.embed(codes))[0]
            return states[torch.arange(len(codes)), lengths - 1]

    return EventEncoder()
