"""A transformer over the patches of windows, with relative positions, in torch."""

from dataclasses import dataclass
from typing import Any

__all__ = ["PatchShape", "patch_transformer"]


@dataclass(frozen=True)
class PatchShape:
    """Sizes of a transformer over patches.

    Parameters
    ----------
    n_features, patch_size, n_patches, n_units, n_layers, n_heads : int
    """

    n_features: int
    patch_size: int
    n_patches: int
    n_units: int
    n_layers: int
    n_heads: int


def patch_transformer(shape: PatchShape) -> Any:
    """Return a module from windows of shape (n, n_timepoints, n_features) to one logit a time point.

    There are no absolute positions: a learnt number for each distance between patches and each head is added to the
    logits of attention.
    """
    import torch
    from torch import nn

    size, heads, count = shape.n_units, shape.n_heads, shape.n_patches

    class Layer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first_norm, self.second_norm = nn.LayerNorm(size), nn.LayerNorm(size)
            self.mix, self.join = nn.Linear(size, 3 * size), nn.Linear(size, size)
            self.widen, self.narrow = nn.Linear(size, 4 * size), nn.Linear(4 * size, size)
            self.bias = nn.Parameter(torch.zeros(2 * count - 1, heads))

        def forward(self, tokens: Any, distances: Any) -> Any:
            n_rows, width = len(tokens), size // heads
            parts = self.mix(self.first_norm(tokens)).reshape(n_rows, count, 3, heads, width).permute(2, 0, 3, 1, 4)
            logits = parts[0] @ parts[1].swapaxes(2, 3) / width**0.5 + self.bias[distances].permute(2, 0, 1)
            found = (torch.softmax(logits, dim=3) @ parts[2]).swapaxes(1, 2).reshape(n_rows, count, size)
            tokens = tokens + self.join(found)
            return tokens + self.narrow(nn.functional.gelu(self.widen(self.second_norm(tokens))))

    class PatchTransformer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Linear(shape.patch_size * shape.n_features, size)
            self.layers = nn.ModuleList(Layer() for _ in range(shape.n_layers))
            self.norm = nn.LayerNorm(size)
            self.head = nn.Linear(size, shape.patch_size)

        def forward(self, windows: Any) -> Any:
            places = torch.arange(count)
            distances = places[:, None] - places[None] + count - 1
            tokens = self.embed(windows.reshape(len(windows), count, -1))
            for layer in self.layers:
                tokens = layer(tokens, distances)
            return self.head(self.norm(tokens)).reshape(len(windows), -1)

    return PatchTransformer()
