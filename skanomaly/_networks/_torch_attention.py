"""Gradients of attention, by torch: nothing but this file needs it, and only while a network is trained."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._networks._attention import Plan, Tokens
from skanomaly._networks._network import Network

__all__ = ["SetLoss", "TorchOperations"]

Array = NDArray[Any]
_TINY = 1e-6


class TorchOperations:
    """Operations of torch tensors.

    Parameters
    ----------
    torch : module
    """

    def __init__(self, torch: Any) -> None:
        self._torch = torch

    def softmax(self, logits: Any) -> Any:
        """Return exponentials along the last axis, divided by their sum."""
        return self._torch.softmax(logits, -1)

    def sparsemax(self, logits: Any) -> Any:
        """Return the projection on the probability simplex along the last axis."""
        logits = logits - logits.amax(-1, keepdim=True).detach()
        ranked = logits.sort(dim=-1, descending=True).values
        counts = self._torch.arange(1, ranked.shape[-1] + 1, dtype=ranked.dtype, device=ranked.device)
        totals = ranked.cumsum(-1) - 1
        support = (ranked * counts > totals).sum(-1, keepdim=True)
        threshold = totals.gather(-1, support - 1) / support
        return (logits - threshold).clip(min=0)

    def join(self, left: Any, right: Any) -> Any:
        """Join two arrays along the last axis."""
        return self._torch.cat([left, right], -1)

    def least(self, values: Any) -> Any:
        """Return the smallest value along the last axis."""
        return values.amin(-1)


class SetLoss:
    """Error of rebuilt tokens, whose gradient is added to a network's.

    Parameters
    ----------
    torch : module
    plan : Plan
    network : Network
        With the arrays of `plan`. Its parameters are shared with torch, not copied.
    mining : float
        Errors are weighted by their size, relative to the mean, to this power.
    """

    def __init__(self, torch: Any, plan: Plan, network: Network, mining: float) -> None:
        self._torch, self._plan, self._network, self._mining = torch, plan, network, mining
        self._operations = TorchOperations(torch)

    def __call__(self, tokens: Tokens, wanted: Array, counted: Array) -> float:
        """Return the mean squared error of the tokens, or of the values, that count.

        Parameters
        ----------
        tokens : Tokens
            Arrays of shape (n_sets, n_tokens, ...).
        wanted : ndarray of shape (n_sets, n_tokens, n_columns)
        counted : ndarray of shape (n_sets, n_tokens) or (n_sets, n_tokens, n_columns), float
            1 for what counts, else 0.

        Returns
        -------
        float
        """
        torch, network = self._torch, self._network
        weights = {name: torch.from_numpy(network.array(name)).requires_grad_() for name in self._plan.shapes}
        given = Tokens(*(None if part is None else torch.from_numpy(np.ascontiguousarray(part)) for part in tokens))
        with torch.enable_grad():
            rebuilt = self._plan.forward(self._operations, weights, given)
            kept = torch.from_numpy(counted)
            errors = (rebuilt.rows - torch.from_numpy(wanted)) ** 2
            if counted.ndim == 2:
                errors = errors.mean(-1)
            n_counted = kept.sum()
            if self._mining:
                known = errors.detach()
                relative = known / ((known * kept).sum() / n_counted + _TINY)
                powers = (relative**self._mining).clip(max=100.0)
                errors = errors * powers / ((powers * kept).sum() / n_counted + _TINY)
            loss = ((errors + rebuilt.loss) * kept).sum() / n_counted
            gradients = torch.autograd.grad(loss, list(weights.values()))
        for name, gradient in zip(weights, gradients, strict=True):
            network.add_to_array(name, gradient.numpy())
        return float(loss.detach())
