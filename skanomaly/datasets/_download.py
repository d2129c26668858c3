"""Files that are downloaded once, stored in scikit-learn's data folder, and checked from then on."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from sklearn.datasets import get_data_home

from skanomaly._support._optional import import_optional

__all__ = ["Source", "data_folder", "delete_file"]

_TIMEOUT_SECONDS = 30
_BLOCK_BYTES = 1 << 20


def data_folder(data_home: str | os.PathLike[str] | None, collection: str) -> Path:
    """Return the folder of a collection below scikit-learn's data folder."""
    return Path(get_data_home(data_home)) / "skanomaly" / collection


@dataclass(frozen=True)
class Source:
    """Where the files of a collection are stored, and where they come from.

    Parameters
    ----------
    folder : Path
        Folder in which they are stored.
    base_url, default_url : str
        Address of the folder to download from: `base_url`, or else the value of the environment variable `variable`, or
        else `default_url`.
    variable : str
        Name of an environment variable.
    download_if_missing : bool
        If False, raise an error instead of downloading.
    """

    folder: Path
    base_url: str | None
    default_url: str
    variable: str
    download_if_missing: bool

    def stored(self, file_name: str) -> Path:
        """Return the path of a file, which is downloaded where it is missing.

        Parameters
        ----------
        file_name : str
            Name below the folder and below the address, with slashes.

        Returns
        -------
        Path

        Raises
        ------
        OSError
            If the file is missing and cannot be downloaded; the message says where to put it by hand.
        """
        path = self.folder / file_name
        if path.exists():
            return path
        if not self.download_if_missing:
            raise OSError(f"{file_name!r} is not at {path}, and download_if_missing is False.")
        pooch = import_optional("pooch", extra="datasets")
        source = (self.base_url or os.environ.get(self.variable) or self.default_url).rstrip("/") + "/"
        registry = pooch.create(path=self.folder, base_url=source, registry={file_name: None})
        try:
            registry.fetch(file_name, downloader=pooch.HTTPDownloader(timeout=_TIMEOUT_SECONDS))
        except (OSError, ValueError) as error:  # requests' errors are OSErrors
            raise OSError(
                f"Could not download {source}{file_name}: {error}\n"
                f"Without a network, copy {path.name} from another machine to {path.parent}, or give the address of a "
                f"server that you can reach as base_url or in the environment variable {self.variable}."
            ) from error
        return path

    def trusted(self, file_name: str) -> Path:
        """Return the path of a file whose checksum is stored at its first use and verified at each later one.

        Parameters
        ----------
        file_name : str
            As in :meth:`stored`.

        Returns
        -------
        Path

        Raises
        ------
        OSError
            If the file cannot be had, or has changed since its first use.
        """
        path = self.stored(file_name)
        record = _record(path)
        digest = hashlib.sha256()
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK_BYTES):
                digest.update(block)
        if not record.exists():
            record.write_text(digest.hexdigest() + "\n", encoding="ascii")
        elif record.read_text(encoding="ascii").strip() != digest.hexdigest():
            raise OSError(
                f"{path} is not the file of its first use (checksum differs from {record.name}). Delete the file to "
                f"download it again, or delete {record.name} too if the new contents are right."
            )
        return path


def delete_file(path: Path) -> None:
    """Delete a wrong file, with the record of its first use."""
    path.unlink()
    _record(path).unlink(missing_ok=True)


def _record(path: Path) -> Path:
    """Return where the checksum of the first use of a file is stored."""
    return path.with_name(path.name + ".sha256")
