"""The store of a run's state: whole or not there, and every damage is noticed."""

import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.callbacks import DamagedError
from helpers.callbacks.checkpoint import Snapshot, Store, decode, encode


def arrays(value):
    return {"a": np.full((3, 5), value, "float32"), "b": np.array(value, "int64")}


def filled(folder, saves=3):
    """A store after some saves; save number n holds the value n."""
    store = Store(folder)
    for number in range(1, saves + 1):
        store.save(arrays(number), {"epoch": number})
    return store


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_what_was_saved_is_loaded_bit_for_bit(tmp_path):
    rng = np.random.default_rng(0)
    saved = {
        "weights": rng.normal(size=(7, 3)).astype("float32"),
        "seeds": np.array([2**32 - 1, 5], "uint32"),
        "scalar": np.array(-0.0),
        "odd": np.array([np.nan, np.inf, 5e-324]),
        "none": np.zeros((0, 4)),
    }
    Store(tmp_path / "s").save(saved, {"rate": 0.1 + 0.2, "name": "größer"})
    found = Store(tmp_path / "s").load()
    assert list(found.arrays) == list(saved)
    for name, array in saved.items():
        assert found.arrays[name].dtype == array.dtype
        assert found.arrays[name].shape == array.shape
        assert found.arrays[name].tobytes() == array.tobytes()
    assert found.record == {"rate": 0.1 + 0.2, "name": "größer"}
    assert found.generation == 1


def test_bfloat16_survives_a_format_that_does_not_know_it():
    import ml_dtypes

    array = np.arange(6).astype(ml_dtypes.bfloat16).reshape(2, 3)
    found = decode(encode(Snapshot({"x": array}, {}, "run", 1))).arrays["x"]
    assert found.dtype == array.dtype and found.tobytes() == array.tobytes()


def test_a_generation_is_an_ordinary_npz(tmp_path):
    store = filled(tmp_path / "s", 1)
    with np.load(store.path(1), allow_pickle=False) as archive:
        assert archive["array/a"].tolist() == [[1.0] * 5] * 3


def test_two_generations_are_kept_and_git_ignores_them(tmp_path):
    filled(tmp_path / "s", 5)
    assert names(tmp_path / "s") == [
        ".gitignore",
        "newest.json",
        "state-000004.npz",
        "state-000005.npz",
    ]
    assert (tmp_path / "s" / ".gitignore").read_text() == "*\n"


def test_an_empty_folder_is_a_fresh_start(tmp_path):
    assert Store(tmp_path / "nowhere").load() is None
    assert Store(tmp_path).load() is None


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def zero(path):
    path.write_bytes(bytes(path.stat().st_size))


def empty(path):
    path.write_bytes(b"")


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def lengthen(path):
    path.write_bytes(path.read_bytes() + b"x")


def text(path):
    path.write_text("<html>Quota exceeded</html>")


def folder(path):
    path.unlink()
    path.mkdir()


DAMAGES = [cut, zero, empty, flip, lengthen, text, folder]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda d: d.__name__)
def test_damage_to_the_newest_falls_back_and_says_so(tmp_path, damage):
    damage(filled(tmp_path).path(3))
    store = Store(tmp_path)
    found = store.load()
    assert found.record == {"epoch": 2}
    assert found.arrays["a"].tolist() == [[2.0] * 5] * 3
    assert len(store.damage) == 1
    assert store.damage[0].startswith("state-000003.npz is damaged")


def test_a_missing_newest_falls_back_and_says_so(tmp_path):
    filled(tmp_path).path(3).unlink()
    store = Store(tmp_path)
    assert store.load().record == {"epoch": 2}
    assert store.damage == ["state-000003.npz is missing"]


def test_swapped_generations_are_noticed_and_told_by_what_they_hold(tmp_path):
    store = filled(tmp_path)
    store.path(3).rename(tmp_path / "x")
    store.path(2).rename(store.path(3))
    (tmp_path / "x").rename(store.path(2))
    store = Store(tmp_path)
    assert store.load().record == {"epoch": 3}
    assert store.damage == [
        "state-000003.npz holds generation 2, not 3: files were swapped",
        "state-000002.npz holds generation 3, not 2: files were swapped",
    ]
    store.save(arrays(4), {"epoch": 4})
    assert Store(tmp_path).load().record == {"epoch": 4}


def test_an_older_generation_under_the_newest_name_is_noticed(tmp_path):
    store = filled(tmp_path)
    shutil.copy(store.path(2), store.path(3))
    store = Store(tmp_path)
    assert store.load().record == {"epoch": 2}
    assert "holds generation 2, not 3" in store.damage[0]


def test_a_file_of_another_run_is_passed_over(tmp_path):
    store = filled(tmp_path / "mine")
    other = filled(tmp_path / "other")
    shutil.copy(other.path(3), store.path(3))
    store = Store(tmp_path / "mine")
    assert store.load().record == {"epoch": 2}
    assert store.damage == ["state-000003.npz belongs to another run"]


def test_with_two_runs_and_no_word_which_is_meant_nothing_is_guessed(tmp_path):
    store = filled(tmp_path / "mine")
    shutil.copy(filled(tmp_path / "other").path(3), store.path(3))
    (tmp_path / "mine" / "newest.json").unlink()
    with pytest.raises(DamagedError, match="the states of 2 runs"):
        Store(tmp_path / "mine").load()


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda d: d.__name__)
def test_with_both_generations_damaged_it_stops(tmp_path, damage):
    store = filled(tmp_path)
    damage(store.path(2))
    damage(store.path(3))
    with pytest.raises(DamagedError, match="000003.npz is damaged.*000002.npz is dam"):
        Store(tmp_path).load()


def test_with_all_generations_missing_it_stops(tmp_path):
    store = filled(tmp_path)
    store.path(2).unlink()
    store.path(3).unlink()
    with pytest.raises(DamagedError, match="its files are missing"):
        Store(tmp_path).load()


@pytest.mark.parametrize("damage", [cut, zero, empty, text, lambda path: path.unlink()])
def test_without_its_announcement_the_newest_is_still_found(tmp_path, damage):
    filled(tmp_path)
    damage(tmp_path / "newest.json")
    store = Store(tmp_path)
    assert store.load().record == {"epoch": 3}
    assert store.damage[0].startswith("newest.json ")


def test_saving_goes_on_after_a_fallback(tmp_path):
    cut(filled(tmp_path).path(3))
    store = Store(tmp_path)
    store.load()
    assert store.save(arrays(9), {"epoch": 3}).name == "state-000003.npz"
    found = Store(tmp_path).load()
    assert found.record == {"epoch": 3} and found.arrays["b"] == 9


def test_clear_starts_another_run(tmp_path):
    store = filled(tmp_path)
    before = store.run
    store.clear()
    assert Store(tmp_path).load() is None
    assert store.run != before


class Dies(BaseException):
    """Stands for the process being killed: nothing after it runs."""


@pytest.mark.parametrize("step", ["open", "fsync", "replace"])
@pytest.mark.parametrize("call", [1, 2])
def test_a_death_inside_a_save_leaves_a_whole_generation(
    tmp_path, monkeypatch, step, call
):
    """Call 1 of a step belongs to the state's file, call 2 to its announcement."""
    from helpers.callbacks import atomic

    store = filled(tmp_path)
    calls = {"count": 0}
    real = open if step == "open" else getattr(atomic.os, step)

    def dying(*args, **options):
        if step == "open" and "w" not in args[1]:
            return real(*args, **options)
        calls["count"] += 1
        if calls["count"] == call:
            raise Dies
        return real(*args, **options)

    if step == "open":
        monkeypatch.setattr(atomic, "open", dying, raising=False)
    else:
        monkeypatch.setattr(atomic.os, step, dying)
    # A killed process does not tidy up either.
    monkeypatch.setattr(atomic.Path, "unlink", lambda *a, **k: None)
    with pytest.raises(Dies):
        store.save(arrays(4), {"epoch": 4})
    monkeypatch.undo()

    store = Store(tmp_path)
    assert store.load().record == {"epoch": 3 if call == 1 else 4}
    assert store.damage == []
    assert not [name for name in names(tmp_path) if name.endswith(".part")]


def test_a_disk_that_gives_back_other_bytes_is_noticed(tmp_path, monkeypatch):
    from helpers.callbacks import atomic

    store = filled(tmp_path)
    before = names(tmp_path)

    def forgetful(path, mode):
        file = open(path, mode)
        if mode == "rb":
            file.seek(1)
        return file

    monkeypatch.setattr(atomic, "open", forgetful, raising=False)
    with pytest.raises(OSError, match="other bytes than written"):
        store.save(arrays(4), {"epoch": 4})
    monkeypatch.undo()
    assert names(tmp_path) == before
    assert Store(tmp_path).load().record == {"epoch": 3}


DATA = encode(Snapshot(arrays(1), {"epoch": 1}, "run", 1))


@settings(max_examples=300, deadline=None)
@given(position=st.integers(0, len(DATA) - 1), bit=st.integers(0, 7))
def test_no_flipped_bit_goes_unnoticed(position, bit):
    data = bytearray(DATA)
    data[position] ^= 1 << bit
    with pytest.raises(ValueError, match="SHA-256"):
        decode(bytes(data))


@settings(max_examples=100, deadline=None)
@given(length=st.integers(0, len(DATA) - 1))
def test_no_cut_goes_unnoticed(length):
    with pytest.raises(ValueError, match="SHA-256"):
        decode(DATA[:length])


def test_nothing_is_unpickled():
    with pytest.raises(ValueError, match="allow_pickle"):
        objects = {"x": np.array([{"a": 1}], dtype=object)}
        decode(encode(Snapshot(objects, {}, "run", 1)))
