"""Small dense networks in NumPy with hand-written gradients.

A :class:`~skanomaly._networks._network.Network` holds every parameter in one flat vector. An objective is a function
that computes the loss of some rows and adds its gradient to the network's; ``_training`` calls it batch by batch.
Callers hold BLAS to one thread meanwhile (``skanomaly._support._blocks.single_blas_thread``).
"""
