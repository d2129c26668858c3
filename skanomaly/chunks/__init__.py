"""Tables in pieces: what is read from files, Arrow and Dask, and scored without being in memory."""

from skanomaly.chunks._read import read_chunks
from skanomaly.chunks._sample import sample_chunks
from skanomaly.chunks._score import score_chunks, write_scores

__all__ = ["read_chunks", "sample_chunks", "score_chunks", "write_scores"]
