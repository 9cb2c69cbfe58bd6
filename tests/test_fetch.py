"""Downloads, against a server on this machine that misbehaves on purpose."""

import errno
import hashlib
import http.server
import io
import tarfile
import threading
import time
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from helpers.data import DataError, fetch

FOLDER = "cifar-10-batches-py"


def make_archive(members) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


# Random bytes do not compress: the archive has about 600 kB.
NOISE = np.random.default_rng(0).bytes(600_000)
RAW = make_archive({f"{FOLDER}/data_batch_1": NOISE, f"{FOLDER}/test_batch": b"test"})

Request = namedtuple("Request", "path start")


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves RAW in a way that the first part of the path names."""

    def do_GET(self):
        behaviour = self.path.split("/")[1]
        start = 0
        asked = self.headers.get("Range")
        if asked and behaviour != "norange":
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
        self.server.requests.append(Request(behaviour, start if asked else None))
        if behaviour == "missing":
            self.send_error(404)
            return
        body = RAW[start:]
        if behaviour == "wrong":
            body = bytes(len(RAW))[start:]
        if behaviour == "portal":
            body = b"<html>Please log in</html>"
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if behaviour == "dies":
            body = body[: self.server.dies_after]
        if behaviour == "silent":
            self.server.ended.wait(10)
            return
        self.wfile.write(body)

    def log_message(self, *_):
        """Keeps the test's output clean."""


@pytest.fixture
def server(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(fetch, "PAUSE", 0.0)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.requests, running.dies_after = [], 100_000
        running.ended = threading.Event()
        threading.Thread(
            target=running.serve_forever, args=(0.01,), daemon=True
        ).start()
        yield running
        running.ended.set()
        running.shutdown()


def archive(server, *behaviours, raw=RAW) -> fetch.Archive:
    """Describes RAW, offered by one mirror for each behaviour, in that order."""
    host = f"http://127.0.0.1:{server.server_port}"
    return fetch.Archive(
        name="images.tar.gz",
        folder=FOLDER,
        size=len(raw),
        sha256=hashlib.sha256(raw).hexdigest(),
        mirrors=tuple(f"{host}/{behaviour}/images.tar.gz" for behaviour in behaviours),
    )


def names(folder):
    """What is in a folder, but for the lock that processes wait at."""
    return [path.name for path in folder.iterdir() if path.suffix != ".lock"]


def check_complete(folder, target):
    assert target == folder / FOLDER
    assert (target / "data_batch_1").read_bytes() == NOISE
    assert (target / "test_batch").read_bytes() == b"test"
    assert names(folder) == [FOLDER], "nothing is left over"


def test_downloads_verifies_and_unpacks(server, tmp_path, capsys):
    folder = tmp_path / "new" / "data"
    target = fetch.download_and_unpack(folder, archive(server, "good"))
    check_complete(folder, target)
    assert server.requests == [("good", None)]
    line = capsys.readouterr().err
    assert f"0.6 of {len(RAW) / 1e6:.1f} MB" in line
    assert "MB/s" in line and "left" in line


def test_continues_a_broken_download(server, tmp_path):
    (tmp_path / "images.tar.gz.part").write_bytes(RAW[:400_000])
    target = fetch.download_and_unpack(tmp_path, archive(server, "good"))
    check_complete(tmp_path, target)
    assert server.requests == [("good", 400_000)]


def test_continues_when_the_server_dies_midway(server, tmp_path):
    target = fetch.download_and_unpack(tmp_path, archive(server, "dies"))
    check_complete(tmp_path, target)
    starts = [request.start for request in server.requests]
    assert starts == [None, *range(100_000, len(RAW), 100_000)]


def test_another_mirror_continues_what_one_began(server, tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "ATTEMPTS", 1)
    target = fetch.download_and_unpack(tmp_path, archive(server, "dies", "good"))
    check_complete(tmp_path, target)
    assert server.requests == [("dies", None), ("good", 100_000)]


def test_the_next_call_continues(server, tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "ATTEMPTS", 2)
    with pytest.raises(DataError, match="broke after 200000 bytes"):
        fetch.download_and_unpack(tmp_path, archive(server, "dies"))
    assert names(tmp_path) == ["images.tar.gz.part"]
    check_complete(
        tmp_path, fetch.download_and_unpack(tmp_path, archive(server, "good"))
    )
    assert server.requests[-1] == ("good", 200_000)


def test_a_server_without_ranges_starts_again(server, tmp_path):
    (tmp_path / "images.tar.gz.part").write_bytes(b"x" * 400_000)
    target = fetch.download_and_unpack(tmp_path, archive(server, "norange"))
    check_complete(tmp_path, target)


def test_a_complete_part_is_not_fetched_again(server, tmp_path):
    (tmp_path / "images.tar.gz.part").write_bytes(RAW)
    target = fetch.download_and_unpack(tmp_path, archive(server, "good"))
    check_complete(tmp_path, target)
    assert server.requests == []


@pytest.mark.parametrize("length", [300_000, len(RAW), len(RAW) + 5])
def test_a_spoiled_part_is_fetched_anew(server, tmp_path, length):
    (tmp_path / "images.tar.gz.part").write_bytes(b"x" * length)
    target = fetch.download_and_unpack(tmp_path, archive(server, "good"))
    check_complete(tmp_path, target)
    assert server.requests[-1] == ("good", None)


def test_wrong_bytes_lead_to_the_next_mirror(server, tmp_path):
    mirrors = archive(server, "wrong", "missing", "portal", "good")
    check_complete(tmp_path, fetch.download_and_unpack(tmp_path, mirrors))
    assert [request.path for request in server.requests] == [
        "wrong",
        "missing",
        "portal",
        "good",
    ]


def test_wrong_bytes_everywhere_leave_nothing(server, tmp_path):
    with pytest.raises(DataError) as caught:
        fetch.download_and_unpack(tmp_path, archive(server, "wrong", "portal"))
    message = str(caught.value)
    assert "what it sent has another checksum" in message
    assert f"it offers 26 bytes, the archive has {len(RAW)}" in message
    assert f"/portal/images.tar.gz by other means and put it into {tmp_path}" in message
    assert not names(tmp_path)


def test_a_portal_does_not_spoil_what_has_arrived(server, tmp_path):
    (tmp_path / "images.tar.gz.part").write_bytes(RAW[:400_000])
    target = fetch.download_and_unpack(tmp_path, archive(server, "portal", "good"))
    check_complete(tmp_path, target)
    assert server.requests[-1] == ("good", 400_000)


def test_a_silent_server_is_given_up(server, tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "TIMEOUT", 0.3)
    target = fetch.download_and_unpack(tmp_path, archive(server, "silent", "good"))
    check_complete(tmp_path, target)


def test_without_a_network_every_host_is_named(server, tmp_path):
    server.shutdown()
    server.server_close()
    began = time.monotonic()
    with pytest.raises(DataError, match="images.tar.gz could not be down") as caught:
        fetch.download_and_unpack(tmp_path, archive(server, "one", "two"))
    assert str(caught.value).count(f"  127.0.0.1:{server.server_port}: ") == 2
    assert time.monotonic() - began < 10


def test_a_full_disk_is_seen_before_the_download(server, tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(fetch.shutil, "disk_usage", lambda _: usage(10, 9, 1_000_000))
    with pytest.raises(DataError, match="1 MB are free, the download needs"):
        fetch.download_and_unpack(tmp_path, archive(server, "good"))
    assert server.requests == []


@pytest.mark.parametrize("room", [0, 3])
def test_a_disk_that_fills_up_is_no_broken_connection(tmp_path, room):
    class Full:
        """A file on a disk with room for a few bytes: first short, then refused."""

        def write(self, chunk):
            if not room:
                raise OSError(errno.ENOSPC, "No space left on device")
            return min(room, len(chunk))

    with pytest.raises(DataError, match="cannot be written .No space left on device"):
        fetch._write(Full(), b"four", tmp_path / "images.tar.gz.part")


def test_the_cache_gets_the_verified_archive(server, tmp_path):
    cache = tmp_path / "drive" / "data"
    fetch.download_and_unpack(tmp_path / "data", archive(server, "good"), cache)
    assert [path.name for path in cache.iterdir()] == ["images.tar.gz"]
    assert (cache / "images.tar.gz").read_bytes() == RAW


def test_a_cache_that_cannot_be_written_costs_nothing(server, tmp_path, capsys):
    cache = tmp_path / "drive"
    cache.write_text("a file where a folder should be")
    target = fetch.download_and_unpack(
        tmp_path / "data", archive(server, "good"), cache
    )
    check_complete(tmp_path / "data", target)
    assert "was not copied to" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["../outside", f"{FOLDER}/../../outside"])
def test_members_cannot_leave_the_folder(server, tmp_path, name):
    raw = make_archive({f"{FOLDER}/test_batch": b"test", name: b"evil"})
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "images.tar.gz.part").write_bytes(raw)
    with pytest.raises(DataError, match="cannot be unpacked"):
        fetch.download_and_unpack(folder, archive(server, "good", raw=raw))
    assert not (tmp_path / "outside").exists()
    assert not (folder / FOLDER).exists()
    assert names(folder) == ["images.tar.gz"]


def test_an_absolute_member_stays_inside(server, tmp_path):
    outside = tmp_path / "outside"
    raw = make_archive({f"{FOLDER}/test_batch": b"test", str(outside): b"evil"})
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "images.tar.gz.part").write_bytes(raw)
    fetch.download_and_unpack(folder, archive(server, "good", raw=raw))
    assert not outside.exists()
    assert names(folder) == [FOLDER]


def test_of_several_at_once_one_downloads(server, tmp_path):
    wanted = archive(server, "dies")  # takes several requests
    with ThreadPoolExecutor(4) as pool:
        calls = [
            pool.submit(fetch.download_and_unpack, tmp_path, wanted) for _ in range(4)
        ]
        targets = [call.result() for call in calls]
    assert targets == 4 * [tmp_path / FOLDER]
    check_complete(tmp_path, targets[0])
    starts = [request.start for request in server.requests]
    assert starts == [None, *range(100_000, len(RAW), 100_000)]


def test_another_process_may_be_first(server, tmp_path):
    """What the other one unpacked stays; it passed the same checksum."""
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "data_batch_1").write_bytes(NOISE)
    (tmp_path / FOLDER / "test_batch").write_bytes(b"test")
    target = fetch.download_and_unpack(tmp_path, archive(server, "good"))
    check_complete(tmp_path, target)


def test_the_real_archive_is_described_as_published():
    official = fetch.CIFAR10
    assert official.size == 170_498_071
    assert len(bytes.fromhex(official.sha256)) == 32
    assert all(url.startswith("https://") for url in official.mirrors)
    hosts = [url.split("/")[2].endswith("cs.toronto.edu") for url in official.mirrors]
    assert hosts == sorted(hosts), "the official host comes last"


def test_the_remaining_time_is_readable():
    assert fetch._duration(7.4) == "7 s"
    assert fetch._duration(3_601) == "60 min 01 s"
