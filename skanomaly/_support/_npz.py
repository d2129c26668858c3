"""Reading of npz files, with every fault named and no pickled object ever loaded."""

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["read_npz"]


def read_npz(
    path: Path, *, required: Sequence[str], optional: Sequence[str] = ()
) -> tuple[dict[str, NDArray[Any]], list[str]]:
    """Read arrays from an npz file.

    Parameters
    ----------
    path : Path
    required, optional : sequence of str
        Keys to read; the optional ones where they are there.

    Returns
    -------
    arrays : dict of str to ndarray
    keys : list of str
        All that the file holds.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no npz file, is damaged, lacks a key, or holds Python objects.
    """
    if not path.is_file():
        raise FileNotFoundError(f"No file at {path}.")
    with path.open("rb") as stream:
        try:
            archive = np.load(stream, allow_pickle=False)
        except (ValueError, zipfile.BadZipFile, EOFError) as error:
            raise ValueError(f"{path} is damaged or no npz file.") from error
        if isinstance(archive, np.ndarray):
            raise ValueError(  # the file is wrong, not the type of an argument
                f"{path} is a single array, not an npz file; save it with np.savez(path, X=X, y=y)."
            )
        keys = list(archive.files)
        missing = [key for key in required if key not in keys]
        if missing:
            raise ValueError(
                f"{path} lacks the key {' and '.join(missing)}; it holds {', '.join(keys) or 'nothing'}. "
                "Save it with np.savez(path, X=X, y=y)."
            )
        wanted = [*required, *(key for key in optional if key in keys)]
        return {key: _member(archive, key, path) for key in wanted}, keys


def _member(archive: Any, key: str, path: Path) -> NDArray[Any]:
    """Read one array, never a pickled object."""
    try:
        array: NDArray[Any] = archive[key]
    except ValueError as error:
        raise ValueError(
            f"{key} in {path} cannot be read: {error}. Save numbers; Python objects are never loaded."
        ) from error
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise ValueError(f"{key} in {path} is damaged: {error}") from error
    return array
