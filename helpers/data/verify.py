"""Recognise the images by the hashes of the six batches.

The published MD5 sums are of the files as the archives hold them. A batch of the
binary version is its labels and pixels and nothing else, so a batch of the Python
version can be hashed in that form too, whichever program wrote the pickle around
it. MD5 serves to recognise files here, not to protect from an attacker.
"""

import hashlib

import numpy as np

from .dataset import DataError

OFFICIAL = "CIFAR-10"
JPEG_COPY = "CIFAR-10 (JPEG copy)"
UNVERIFIED = "CIFAR-10 (unverified images)"

BATCHES = (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch")

# Each row: the MD5 sums of BATCHES, in that order.
_KNOWN = (
    # The files of the official Python version.
    (
        OFFICIAL,
        "c99cafc152244af753f735de768cd75f",
        "d4bba439e000b95fd0a9bffe97cbabec",
        "54ebc095f3ab1f0389bbae665268c751",
        "634d18415352ddfa80567beed471001a",
        "482c414d41f54cd18b22e5b47cb7c3cb",
        "40351d587109b95175f43aff81a1287e",
    ),
    # The files of the official binary version.
    (
        OFFICIAL,
        "5dd7e06a14cb22eb9f671a540d1b7c25",
        "5ea93a67294ea407fff1d09f752e9692",
        "942cd6a4bcdd0dd3c604fbe906cb4421",
        "ae636b3ba5c66a11e91e8cb52e771fcb",
        "53f37980c15c3d472c316c40844f3f0d",
        "803d5f7f4d78ea53de84dbe85f74fb6d",
    ),
    # The copy in which every image went through JPEG once, in binary form.
    (
        JPEG_COPY,
        "865b7f0146252a5357c5323c876c4d93",
        "89f4e1e5c2820c62adc3de61c3fdfa6a",
        "1c4c53568ec72a845453975fcc81dc9f",
        "7af0778436651273fefec003734dc2d8",
        "90f1d657eb916094a5c07ef00b4bec7d",
        "c44b6730b69948c635fab7c230ff7b8d",
    ),
)
_BY_MD5 = {
    md5: (source, batch)
    for source, *sums in _KNOWN
    for batch, md5 in zip(BATCHES, sums, strict=True)
}
# Class folders have no batches: there the hash of all images is known.
_BY_SHA256 = {
    "cc1158f87c1a63fc01818f8f6b75f4e02e846381a4202cfa5535f2ab1db776f2": JPEG_COPY,
}


def recognise(
    raw: bytes, rows: np.ndarray, labels: np.ndarray
) -> tuple[str, str] | None:
    """Looks a batch up among the known ones.

    Args:
        raw: the bytes of its file.
        rows: its images, uint8 `(n, 3072)`, channels first.
        labels: uint8 `(n,)`.

    Returns:
        The source and the batch's name, or None where it is not known.
    """
    for content in (np.column_stack([labels, rows]), raw):
        md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
        if md5 in _BY_MD5:
            return _BY_MD5[md5]
    return None


def source_of_batches(
    found: dict[str, tuple[str, str] | None], files: dict[str, str], remedy: str
) -> str:
    """Names the source of six batches.

    Args:
        found: what `recognise` said, by the batch's name.
        files: how to name each batch's file in an error.
        remedy: what to do about a damaged file.

    Returns:
        The source's name.

    Raises:
        DataError: if some batches are known and others are not: those differ
            from what was published. Six unknown batches are another set.
    """
    sources = {known[0] for known in found.values() if known}
    if not sources:
        return UNVERIFIED
    source = OFFICIAL if OFFICIAL in sources else sources.pop()
    for batch in BATCHES:
        if found[batch] == (source, batch):
            continue
        problem = "its MD5 sum differs from the known one: the file is damaged"
        if found[batch]:
            problem = f"it holds the images of {found[batch][1]} of {found[batch][0]}"
        raise DataError(f"{files[batch]}: the set is {source}, but {problem}. {remedy}")
    return source


def source_of_images(sha256: str) -> str:
    """Names the source of images that came without batches."""
    return _BY_SHA256.get(sha256, UNVERIFIED)
