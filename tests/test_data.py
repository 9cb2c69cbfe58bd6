"""CIFAR-10 in every layout, whole or refused; the split; the stand-in."""

import hashlib
import os
import pickle
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from helpers import runtime
from helpers.data import (
    CLASS_NAMES,
    DataError,
    dataset,
    fetch,
    find,
    load_cifar10,
    read,
    synthetic,
    unpickle,
    verify,
)

# A batch of the tiny sets: two images of each class.
IMAGES = 20
BATCHES = ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4")
BATCHES += ("data_batch_5", "test_batch")


@pytest.fixture(autouse=True)
def nothing_here(monkeypatch, tmp_path):
    """Hides the images of this machine, and fails on any attempt to download."""
    monkeypatch.delenv("CIFAR10_DIR", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("COURSE_PROFILE", "quick")
    monkeypatch.setattr(runtime, "course_root", lambda: tmp_path / "course")

    def no_network(*_, **__):
        raise DataError("cifar-10-python.tar.gz could not be downloaded.")

    monkeypatch.setattr(fetch, "download_and_unpack", no_network)


@pytest.fixture
def tiny(monkeypatch):
    """Six batches of 20 images: their rows, channels first, and their labels."""
    monkeypatch.setattr(read, "BATCH_IMAGES", IMAGES)
    generator = np.random.default_rng(3)
    return [
        (
            generator.integers(0, 256, (IMAGES, 3072), dtype=np.uint8),
            generator.permutation(np.arange(IMAGES) % 10).tolist(),
        )
        for _ in BATCHES
    ]


def python2_pickle(rows, labels) -> bytes:
    """Spells out a batch as cPickle of Python 2 wrote the official files.

    Opcode by opcode, so that no pickler of ours decides what is tested.
    """

    def text(value: bytes) -> bytes:
        return b"U" + bytes([len(value)]) + value

    raw = rows.tobytes()
    dtype = b"cnumpy\ndtype\n" + text(b"u1") + b"K\x00K\x01\x87R"
    dtype += b"(K\x03" + text(b"|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    array = b"cnumpy.core.multiarray\n_reconstruct\n" + b"cnumpy\nndarray\n"
    array += b"K\x00\x85" + text(b"b") + b"\x87R"
    array += b"(K\x01K" + bytes([len(rows)]) + b"M\x00\x0c\x86" + dtype + b"\x89"
    array += b"T" + len(raw).to_bytes(4, "little") + raw + b"tb"
    numbers = b"](" + b"".join(b"K" + bytes([label]) for label in labels) + b"e"
    entries = text(b"batch_label") + text(b"training batch 1 of 5")
    entries += text(b"labels") + numbers + text(b"data") + array
    return b"\x80\x02}(" + entries + b"u."


def modern_pickle(rows, labels, protocol=2) -> bytes:
    content = {b"labels": labels, b"data": rows, b"filenames": [b"cat.png"] * IMAGES}
    return pickle.dumps(content, protocol)


def binary(rows, labels) -> bytes:
    return b"".join(
        bytes([label]) + row.tobytes() for row, label in zip(rows, labels, strict=True)
    )


def write_set(folder: Path, batches, write, suffix="") -> Path:
    folder.mkdir(parents=True)
    for name, (rows, labels) in zip(BATCHES, batches, strict=True):
        (folder / f"{name}{suffix}").write_bytes(write(rows, labels))
    return folder


def pack(folder: Path, archive: Path) -> Path:
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, folder.name)
    return archive


def check_order(data, batches):
    """The images of all batches are there, channels last, test images in order."""
    x_train, y_train, x_test, y_test = data.sheet()
    assert x_train.shape == (100, 32, 32, 3) and x_train.dtype == np.uint8
    assert data.x_val.shape == (10, 32, 32, 3) and data.y_val.shape == (10,)
    rows, labels = batches[5]
    assert y_test.tolist() == labels
    # Planes of red, green, blue; in a plane row by row: 101 = 3 * 32 + 5.
    assert x_test[7, 3, 5].tolist() == rows[7][[101, 1125, 2149]].tolist()
    expected = {
        (row.reshape(3, 32, 32).transpose(1, 2, 0).tobytes(), label)
        for rows, labels in batches[:5]
        for row, label in zip(rows, labels, strict=True)
    }
    found = {(x.tobytes(), int(y)) for x, y in zip(x_train, y_train, strict=True)}
    assert found == expected


# Layouts


@pytest.mark.parametrize(
    ("write", "suffix", "name"),
    [
        (python2_pickle, "", "cifar-10-batches-py"),
        (modern_pickle, "", "cifar-10-batches-py"),
        (binary, ".bin", "cifar-10-batches-bin"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_reads_every_batch_layout(tmp_path, tiny, write, suffix, name, packed):
    folder = write_set(tmp_path / "images" / name, tiny, write, suffix)
    if packed:
        kind = "binary" if suffix else "python"
        pack(folder, tmp_path / "images" / f"cifar-10-{kind}.tar.gz")
        shutil.rmtree(folder)
    check_order(load_cifar10(tmp_path / "images"), tiny)


def test_python_and_binary_versions_give_the_same_data(tmp_path, tiny):
    one = load_cifar10(write_set(tmp_path / "py", tiny, python2_pickle))
    two = load_cifar10(write_set(tmp_path / "bin", tiny, binary, ".bin"))
    assert one.sha256 == two.sha256
    for left, right in zip(one.sheet(), two.sheet(), strict=True):
        np.testing.assert_array_equal(left, right)


def test_reads_class_folders(tmp_path, tiny):
    root = tmp_path / "cifar10"
    for batch, (rows, labels) in zip(BATCHES, tiny, strict=True):
        part = "test" if batch == "test_batch" else "train"
        for index, (row, label) in enumerate(zip(rows, labels, strict=True)):
            folder = root / part / CLASS_NAMES[label]
            folder.mkdir(parents=True, exist_ok=True)
            image = Image.fromarray(row.reshape(3, 32, 32).transpose(1, 2, 0))
            image.save(folder / f"{batch}_{index}.png")
    data = load_cifar10(tmp_path)
    batches = load_cifar10(write_set(tmp_path / "py", tiny, modern_pickle))
    for part in ("train", "val", "test"):
        # The same images in every part, in another order.
        one, two = (
            sorted(
                (int(label), image.tobytes())
                for image, label in zip(
                    getattr(each, f"x_{part}"),
                    getattr(each, f"y_{part}"),
                    strict=True,
                )
            )
            for each in (data, batches)
        )
        assert one == two
    assert len(set(data.y_train[:20].tolist())) > 3, "a slice holds several classes"


def test_jpeg_class_folders_are_read_as_rgb(tmp_path, tiny):
    for part, number in (("train", 10), ("test", 2)):
        for name in CLASS_NAMES:
            folder = tmp_path / part / name
            folder.mkdir(parents=True)
            for index in range(number):
                Image.new("L", (32, 32), index).save(folder / f"{index}.JPG")
    data = load_cifar10(tmp_path)
    assert data.x_test.shape == (20, 32, 32, 3)
    assert (data.x_test[..., 0] == data.x_test[..., 2]).all()


def test_full_size(tmp_path):
    """The stand-in, the same on every machine, as a binary version of full size."""
    x_train, y_train, x_test, y_test = synthetic.stand_in()
    for number, name in enumerate(BATCHES):
        part = slice(number * 10_000, (number + 1) * 10_000)
        images = x_train[part] if number < 5 else x_test
        labels = y_train[part] if number < 5 else y_test
        planes = images.transpose(0, 3, 1, 2).reshape(10_000, 3072)
        np.column_stack([labels, planes]).tofile(tmp_path / f"{name}.bin")
    data = load_cifar10(tmp_path)
    assert data.x_train.shape == (45_000, 32, 32, 3)
    assert data.x_val.shape == (5_000, 32, 32, 3)
    assert data.x_test.shape == (10_000, 32, 32, 3)
    assert np.bincount(data.y_train).tolist() == [4_500] * 10
    assert np.bincount(data.y_val).tolist() == [500] * 10
    np.testing.assert_array_equal(data.x_test, x_test)
    assert data.sha256 == (
        "d049341b93f9f15e7069b0c8711af00d6159b1f8d487f364431b07613e6f227d"
    )
    # One wrong label among 50,000 shows in the count of its class.
    with open(tmp_path / "data_batch_3.bin", "r+b") as file:
        file.write(b"\x05")
    with pytest.raises(DataError, match="4999 training images of class 0"):
        load_cifar10(tmp_path)


# Damage: one clear error that names the file and the remedy


def damaged(kind, rows, labels) -> bytes:
    """Writes a batch that has one fault."""
    labels = list(labels)
    if kind == "cut in half":
        raw = modern_pickle(rows, labels)
        return raw[: len(raw) // 2]
    if kind == "empty":
        return b""
    if kind == "no pickle":
        return b"<html>Not found</html>"
    if kind == "label 10":
        labels[7] = 10
    if kind == "label -1":
        labels[7] = -1
    if kind == "label of text":
        labels[7] = b"cat"
    if kind == "a label too few":
        labels.pop()
    if kind == "wrong shape":
        rows = rows[:, :3000]
    if kind == "an image too few":
        rows, labels = rows[1:], labels[1:]
    if kind == "floats":
        rows = rows.astype(np.float32)
    if kind == "no labels":
        return pickle.dumps({b"data": rows}, 2)
    if kind == "a list":
        return pickle.dumps([1, 2], 2)
    return modern_pickle(rows, labels)


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("cut in half", "not a batch of CIFAR-10"),
        ("empty", "damaged or cut short"),
        ("no pickle", "not a batch of CIFAR-10"),
        ("label 10", "image 7 has the label 10, expected 0 to 9"),
        ("label -1", "image 7 has the label -1"),
        ("label of text", "image 7 has the label b'cat'"),
        ("a label too few", "19 labels for 20 images"),
        ("wrong shape", r"shape \(20, 3000\), expected \(20, 3072\)"),
        ("an image too few", r"shape \(19, 3072\)"),
        ("floats", "not of uint8"),
        ("no labels", "no entry 'labels'"),
        ("a list", "damaged"),
    ],
)
def test_a_damaged_pickle_is_refused(tmp_path, tiny, kind, says):
    folder = write_set(tmp_path / "cifar-10-batches-py", tiny, modern_pickle)
    (folder / "data_batch_4").write_bytes(damaged(kind, *tiny[3]))
    with pytest.raises(DataError, match=says) as caught:
        load_cifar10(tmp_path)
    assert str(folder / "data_batch_4") in str(caught.value)
    assert "Put an intact copy in its place, or delete" in str(caught.value)


def test_a_missing_file_is_named(tmp_path, tiny):
    folder = write_set(tmp_path / "cifar-10-batches-py", tiny, modern_pickle)
    (folder / "data_batch_2").unlink()
    (folder / "test_batch").unlink()
    with pytest.raises(DataError, match="data_batch_2, test_batch missing"):
        load_cifar10(tmp_path)


def test_damaged_binary_files_are_refused(tmp_path, tiny):
    folder = write_set(tmp_path / "bin", tiny, binary, ".bin")
    file = folder / "data_batch_1.bin"
    raw = file.read_bytes()
    file.write_bytes(raw[:-1])
    with pytest.raises(DataError, match="data_batch_1.bin: 61459 bytes, exp"):
        load_cifar10(folder)
    file.write_bytes(raw[: 3073 * 5] + b"\x0a" + raw[3073 * 5 + 1 :])
    with pytest.raises(DataError, match="image 5 has the label 10"):
        load_cifar10(folder)


def test_unbalanced_classes_are_refused(tmp_path, tiny):
    labels = tiny[5][1]
    labels[labels.index(3)] = 5
    folder = write_set(tmp_path / "py", tiny, modern_pickle)
    with pytest.raises(DataError, match=r": 1 test images of class 3 \(cat\)"):
        load_cifar10(folder)


@pytest.mark.parametrize("where", [0.5, 0.999])
def test_a_cut_archive_is_refused(tmp_path, tiny, where):
    folder = write_set(tmp_path / "cifar-10-batches-bin", tiny, binary, ".bin")
    archive = pack(folder, tmp_path / "cifar-10-binary.tar.gz")
    archive.write_bytes(archive.read_bytes()[: int(archive.stat().st_size * where)])
    with pytest.raises(DataError, match="damaged or cut short") as caught:
        load_cifar10(archive)
    assert str(archive) in str(caught.value)


def test_a_flipped_bit_in_an_archive_is_refused(tmp_path, tiny):
    folder = write_set(tmp_path / "cifar-10-batches-bin", tiny, binary, ".bin")
    archive = pack(folder, tmp_path / "cifar-10-binary.tar.gz")
    raw = bytearray(archive.read_bytes())
    raw[len(raw) // 2] ^= 4
    archive.write_bytes(raw)
    with pytest.raises(DataError, match="archive is damaged"):
        load_cifar10(archive)


def test_class_folders_are_counted_and_decoded(tmp_path, tiny):
    for part, number in (("train", 10), ("test", 2)):
        for name in CLASS_NAMES:
            folder = tmp_path / part / name
            folder.mkdir(parents=True)
            for index in range(number):
                Image.new("RGB", (32, 32)).save(folder / f"{index}.png")
    frog = tmp_path / "test" / "frog" / "1.png"
    frog.write_bytes(frog.read_bytes()[:50])
    with pytest.raises(DataError, match="not a readable image") as caught:
        load_cifar10(tmp_path)
    assert str(frog) in str(caught.value)
    Image.new("RGB", (32, 31)).save(frog)
    with pytest.raises(DataError, match="32x31 pixels, expected 32x32"):
        load_cifar10(tmp_path)
    frog.unlink()
    with pytest.raises(DataError, match="frog: 1 images, expected 2"):
        load_cifar10(tmp_path)


# Pickles that would run code


class _Command:
    """A pickle of it runs a command when it is loaded."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


def test_a_pickle_that_would_run_code_runs_nothing(tmp_path, tiny):
    marker = tmp_path / "it-ran"
    folder = write_set(tmp_path / "cifar-10-batches-py", tiny, modern_pickle)
    rows, labels = tiny[0]
    content = {b"data": rows, b"labels": labels, b"more": _Command(marker)}
    raw = pickle.dumps(content, 2)
    pickle.loads(raw)
    assert marker.exists(), "the pickle is live"
    marker.rmdir()
    (folder / "data_batch_1").write_bytes(raw)
    with pytest.raises(DataError, match=r"asks to run \w+\.mkdir") as caught:
        load_cifar10(tmp_path)
    assert str(folder / "data_batch_1") in str(caught.value)
    assert not marker.exists()


@pytest.mark.parametrize(
    "raw",
    [
        b"cos\nsystem\n(S'echo ran > it-ran'\ntR.",
        b'cbuiltins\neval\n(S\'open("it-ran", "w")\'\ntR.',
        b'c__builtin__\nexec\n(S\'open("it-ran", "w")\'\ntR.',
        b"cnumpy\nload\n(S'it-ran'\ntR.",
        b"cnumpy.core.multiarray\nfromstring\n(S'1'\ntR.",
        b"(S'echo ran > it-ran'\nios\nsystem\n.",  # the opcode INST
        b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x05false\x85R.",  # STACK_GLOBAL
        b"\x80\x02\x82\x01.",  # an extension code
        b"P1\n.",  # a persistent object
    ],
)
def test_no_name_but_the_five_is_looked_up(tmp_path, monkeypatch, raw):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(pickle.UnpicklingError):
        unpickle.load_batch(raw)
    assert not list(tmp_path.iterdir())


def test_only_latin1_may_be_encoded():
    raw = b"c_codecs\nencode\n(X\x01\x00\x00\x00aX\x05\x00\x00\x00rot13tR."
    with pytest.raises(pickle.UnpicklingError, match="rot13"):
        unpickle.load_batch(raw)


@settings(deadline=None)
@given(st.data())
def test_a_mutilated_pickle_is_read_or_refused(data):
    generator = np.random.default_rng(0)
    rows = generator.integers(0, 256, (3, 3072), dtype=np.uint8)
    raw = bytearray(pickle.dumps({b"data": rows, b"labels": [1, 2, 3]}, 2))
    # Outside the pixels, where each byte has a meaning.
    places = [*range(150), *range(len(raw) - 60, len(raw))]
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.sampled_from(places))] = data.draw(st.integers(0, 255))
    try:
        images, labels = unpickle.load_batch(bytes(raw))
    except pickle.UnpicklingError:
        return
    assert images.dtype == np.uint8
    assert isinstance(labels, list)


# Which images these are


def md5(raw: bytes) -> str:
    return hashlib.md5(raw).hexdigest()


@pytest.fixture
def known(monkeypatch, tiny):
    """Makes the tiny set the official one, by the MD5 sums of the binary form."""
    sums = {
        md5(binary(*batch)): (verify.OFFICIAL, name)
        for name, batch in zip(BATCHES, tiny, strict=True)
    }
    monkeypatch.setattr(verify, "_BY_MD5", sums)
    return tiny


@pytest.mark.parametrize(
    ("write", "suffix"), [(python2_pickle, ""), (modern_pickle, ""), (binary, ".bin")]
)
def test_the_official_images_are_known_in_any_form(tmp_path, known, write, suffix):
    data = load_cifar10(write_set(tmp_path / "set", known, write, suffix))
    assert data.source == "CIFAR-10"


def test_the_official_files_are_known_by_their_own_sums(tmp_path, tiny, monkeypatch):
    sums = {
        md5(python2_pickle(*batch)): (verify.OFFICIAL, name)
        for name, batch in zip(BATCHES, tiny, strict=True)
    }
    monkeypatch.setattr(verify, "_BY_MD5", sums)
    data = load_cifar10(write_set(tmp_path / "set", tiny, python2_pickle))
    assert data.source == "CIFAR-10"


def test_a_flipped_bit_in_a_known_set_is_refused(tmp_path, known):
    known[2][0][11, 1234] ^= 1
    folder = write_set(tmp_path / "set", known, binary, ".bin")
    with pytest.raises(DataError, match="MD5 sum differs") as caught:
        load_cifar10(folder)
    assert str(folder / "data_batch_3.bin") in str(caught.value)


def test_files_under_each_others_names_are_refused(tmp_path, known):
    known[0], known[1] = known[1], known[0]
    folder = write_set(tmp_path / "set", known, modern_pickle)
    with pytest.raises(DataError, match="data_batch_1: .* the images of data_batch_2"):
        load_cifar10(folder)


def test_unknown_images_are_named_so(tmp_path, tiny, capsys):
    data = load_cifar10(write_set(tmp_path / "set", tiny, modern_pickle))
    assert data.source == "CIFAR-10 (unverified images)"
    assert not data.is_synthetic
    assert "These images are not known" in capsys.readouterr().err


def test_known_class_folders_are_named_by_all_images(monkeypatch):
    monkeypatch.setattr(verify, "_BY_SHA256", {"abc": verify.JPEG_COPY})
    assert verify.source_of_images("abc") == "CIFAR-10 (JPEG copy)"
    assert verify.source_of_images("abd") == "CIFAR-10 (unverified images)"


# Where it is looked for


def test_places_are_searched_in_order(tmp_path, monkeypatch):
    drive, kaggle = tmp_path / "drive", tmp_path / "kaggle"
    monkeypatch.setattr(find, "DRIVE", drive)
    monkeypatch.setattr(find, "KAGGLE", kaggle)
    expected = [
        tmp_path / "mine" / "cifar-10-batches-py",
        tmp_path / "course" / "data" / "cifar-10-batches-bin",
        tmp_path / "keras/datasets/cifar-10-batches-py-target/cifar-10-batches-py",
        drive / "convolutional-networks" / "data" / "cifar-10-python.tar.gz",
    ]
    for path in expected[:3]:
        path.mkdir(parents=True)
        (path / "data_batch_1").touch()
    expected[3].parent.mkdir(parents=True)
    expected[3].touch()
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path / "mine"))
    monkeypatch.setattr(runtime, "environment", lambda: "colab")
    assert find.places()[0] == tmp_path / "mine"
    for path in expected:
        assert find.locate() == path
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert find.locate() is None
    attached = kaggle / "cifar-10" / "cifar-10-batches-py"
    attached.mkdir(parents=True)
    (attached / "test_batch").touch()
    assert find.locate() is None
    monkeypatch.setattr(runtime, "environment", lambda: "kaggle")
    assert find.locate() == attached


def test_a_named_folder_is_the_only_place(tmp_path, tiny):
    write_set(tmp_path / "course/data/cifar-10-batches-py", tiny, modern_pickle)
    assert load_cifar10().x_test.shape == (20, 32, 32, 3)
    with pytest.raises(DataError, match="nothing does not exist"):
        load_cifar10(tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="empty holds no CIFAR-10"):
        load_cifar10(tmp_path / "empty")


def test_a_variable_that_leads_nowhere_is_mentioned(tmp_path, monkeypatch, capsys):
    there = tmp_path / "course/data/cifar-10-batches-py"
    there.mkdir(parents=True)
    (there / "test_batch").touch()
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path / "typo"))
    assert find.locate() == there
    assert "typo, which holds no CIFAR-10" in capsys.readouterr().err
    monkeypatch.setenv("CIFAR10_DIR", str(there))
    assert find.locate() == there
    assert capsys.readouterr().err == ""


def test_the_download_goes_where_it_is_found_again(tmp_path, tiny, monkeypatch):
    def unpacked(folder, cache):
        assert cache is None
        return write_set(folder / "cifar-10-batches-py", tiny, modern_pickle)

    monkeypatch.setattr(fetch, "download_and_unpack", unpacked)
    first = load_cifar10()
    assert find.locate() == tmp_path / "course" / "data" / "cifar-10-batches-py"
    assert load_cifar10(source="cifar10").sha256 == first.sha256
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path / "mine"))
    assert find.download_folder() == tmp_path / "mine"


# Without images


@pytest.fixture
def small_stand_in(monkeypatch):
    small = synthetic.stand_in(200, 50)
    monkeypatch.setattr(synthetic, "stand_in", lambda: small)


@pytest.mark.usefixtures("small_stand_in")
def test_quick_falls_back_to_the_stand_in_and_says_so(capsys):
    data = load_cifar10()
    assert data.is_synthetic and data.source == "synthetic stand-in"
    notice = capsys.readouterr().err
    assert "THESE ARE DRAWN PATTERNS, NOT CIFAR-10" in notice
    assert "could not be downloaded" in notice
    # No figure of the stand-in may read as one of CIFAR-10.
    assert not set(data.class_names) & set(CLASS_NAMES)


@pytest.mark.usefixtures("small_stand_in")
def test_full_refuses_the_stand_in(monkeypatch):
    monkeypatch.setenv("COURSE_PROFILE", "full")
    with pytest.raises(DataError, match="COURSE_PROFILE=quick"):
        load_cifar10()
    assert load_cifar10(source="synthetic").is_synthetic


def test_cifar10_itself_never_falls_back():
    with pytest.raises(DataError, match="not on this machine"):
        load_cifar10(source="cifar10")


def test_a_damaged_set_is_never_replaced_by_the_stand_in(tmp_path, tiny):
    folder = tmp_path / "course/data/cifar-10-batches-py"
    write_set(folder, tiny, modern_pickle)
    (folder / "data_batch_5").write_bytes(b"")
    with pytest.raises(DataError, match="data_batch_5"):
        load_cifar10()


def test_an_unknown_source_is_refused():
    with pytest.raises(ValueError, match="'cifar100'"):
        load_cifar10(source="cifar100")


def test_the_stand_in_can_be_learned_but_not_at_a_glance():
    """A linear model on mean colours finds most classes; shapes must do the rest."""
    x, y, x_test, y_test = synthetic.stand_in(2_000, 1_000)

    def colours(images):
        means = images.mean((1, 2))
        return np.column_stack([means, np.ones(len(means))])

    weights = np.linalg.lstsq(colours(x), np.eye(10)[y], rcond=None)[0]
    accuracy = (np.argmax(colours(x_test) @ weights, axis=1) == y_test).mean()
    assert 0.5 < accuracy < 0.95


# The split, the subset, the sheet


def fixed_images(number=1_000):
    """Images and labels that no random generator of NumPy makes."""
    raw = hashlib.shake_256(b"images").digest(number * 3072)
    images = np.frombuffer(raw, np.uint8).reshape(number, 32, 32, 3)
    return images, np.arange(number) % 10


def test_the_split_is_the_same_with_every_version_of_numpy():
    keep, held_out = dataset.split(*fixed_images())
    digest = hashlib.sha256(held_out.astype("<i8").tobytes()).hexdigest()
    assert digest == (
        "ca2bff2af6e6a790e9e71bcb7b38d90c8b87992dc1a7c0f5d173de6d75dfd654"
    )
    assert held_out.size == 100 and keep.size == 900
    assert sorted([*keep, *held_out]) == list(range(1_000))


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_the_split_does_not_depend_on_the_order_of_the_images(seed):
    images, labels = fixed_images(200)
    order = np.random.default_rng(seed).permutation(200)
    _, held_out = dataset.split(images, labels)
    _, shuffled = dataset.split(images[order], labels[order])
    assert sorted(order[shuffled]) == held_out.tolist()


def test_the_split_holds_out_what_the_smallest_hashes_say():
    images, labels = fixed_images()
    _, held_out = dataset.split(images, labels)
    hashes = [
        hashlib.blake2b(image.tobytes(), digest_size=8, key=b"validation 0").hexdigest()
        for image in images
    ]
    for label in range(10):
        members = np.flatnonzero(labels == label)
        smallest = sorted(members, key=lambda index: hashes[index])[:10]
        assert sorted(smallest) == [k for k in held_out if labels[k] == label]


@pytest.fixture(scope="module")
def stand_in():
    return dataset.assemble(*synthetic.stand_in(2_000, 500), dataset.SYNTHETIC)


def test_take_gives_each_class_its_share(stand_in):
    small = stand_in.take(train=200, validation=57, test=100)
    assert np.bincount(small.y_train).tolist() == [20] * 10
    assert np.bincount(small.y_val).tolist() == [6] * 7 + [5] * 3
    assert np.bincount(small.y_test).tolist() == [10] * 10
    assert small.source == stand_in.source and small.sha256 == stand_in.sha256
    pairs = set(zip(map(bytes, stand_in.x_train), stand_in.y_train, strict=True))
    assert pairs.issuperset(zip(map(bytes, small.x_train), small.y_train, strict=True))


def test_take_is_fixed_and_grows(stand_in):
    def images(data):
        return {image.tobytes() for image in data.x_train}

    assert images(stand_in.take(train=100)) == images(stand_in.take(train=100))
    assert images(stand_in.take(train=100)) < images(stand_in.take(train=300))
    assert stand_in.take(train=100).x_test is stand_in.x_test


@pytest.mark.parametrize("number", [0, -1, 1_801])
def test_take_refuses_what_there_is_not(stand_in, number):
    with pytest.raises(ValueError, match=f"asked for {number} train images"):
        stand_in.take(train=number)


def test_the_sheet_holds_nothing_out(stand_in):
    x_train, y_train, x_test, y_test = stand_in.sheet()
    assert x_train.shape == (2_000, 32, 32, 3) and y_train.shape == (2_000,)
    assert x_test is stand_in.x_test and y_test is stand_in.y_test
    np.testing.assert_array_equal(x_train[1_800:], stand_in.x_val)


def test_the_hash_covers_images_and_labels():
    parts = list(synthetic.stand_in(20, 10))
    expected = hashlib.sha256(b"".join(parts[k].tobytes() for k in (0, 2, 1, 3)))
    assert dataset.images_sha256(*parts) == expected.hexdigest()
    parts[1] = parts[1].copy()
    parts[1][0] += 1
    assert dataset.images_sha256(*parts) != expected.hexdigest()
