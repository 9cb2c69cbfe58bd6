"""The results tables against the logs."""

import json
import shutil

import pytest

from helpers.architectures import BUILDERS
from helpers.published import PUBLISHED, Published
from helpers.results import collect, named, runs, table
from tools import not_run, results, study_results

DATA = {"source": "CIFAR-10", "sha256": "ab", "images": 45_000, "protocol": "split"}


def write_run(logs, name, seed, test_accuracy, **changes):
    fields = {
        "architecture": "net",
        "parameters": 12_345,
        "macs": 6_789_000,
        "receptive_field": [31, 33],
        "recipe": "course",
        "epochs": 50,
        "batch_size": 128,
        "seed": seed,
        "precision": "float32",
        "data": DATA,
        "hardware": "2 CPU cores",
        "seconds_per_epoch": 60.4,
        "test_accuracy": test_accuracy,
        "finished": True,
        **changes,
    }
    folder = logs / name
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps(fields))
    return folder


def test_committed_tables_equal_the_logs():
    assert results.refresh(save=False) == []
    assert study_results.refresh(save=False) == []
    assert not_run.refresh(save=False) == []


def test_seeds_are_averaged(tmp_path):
    for seed, value in enumerate((0.90, 0.91, 0.92)):
        write_run(tmp_path, f"net_{seed}", seed, value)
    text = table(collect(runs(tmp_path)), "logs/")
    rows = [line for line in text.splitlines() if line.startswith("| net")]
    assert len(rows) == 1
    # By hand: mean 91, sample standard deviation 1.
    assert "91.00 ± 1.00" in rows[0]
    assert "[2](logs/net_2)" in rows[0]
    assert "31x33" in rows[0]


def test_a_single_seed_has_no_spread(tmp_path):
    write_run(tmp_path, "net_0", 0, 0.91236)
    (result,) = collect(runs(tmp_path))
    assert result.cell == "91.24"
    assert "| 91.24 |" in table([result])


def test_seeds_are_in_order_and_linked_on_request_only(tmp_path):
    for seed in (10, 2):
        write_run(tmp_path, f"net_{seed}", seed, 0.9)
    found = collect(runs(tmp_path))
    assert "| 2, 10 |" in table(found)
    assert "| [2](logs/net_2), [10](logs/net_10) |" in table(found, "logs/")


def test_seconds_of_different_machines_are_never_averaged(tmp_path):
    for seed, seconds, machine in ((0, 90, "CPU"), (1, 4, "GPU"), (2, 110, "CPU")):
        more = {"seconds_per_epoch": seconds, "hardware": machine}
        write_run(tmp_path, f"net_{seed}", seed, 0.9, **more)
    (result,) = collect(runs(tmp_path))
    assert result.seconds == {"CPU": 100, "GPU": 4}
    assert "| 100 (float32, CPU); 4 (float32, GPU) |" in table([result])


def test_the_fastest_epoch_is_found_and_what_was_not_measured_is_none(tmp_path):
    folder = write_run(tmp_path, "net", 0, 0.9)
    (folder / "history.csv").write_text(
        "epoch,val_accuracy,seconds\n1,,80.5\n2,0.7,61.5\n3,0.8,62\n"
    )
    slower = write_run(tmp_path, "slow", 1, 0.9)
    (slower / "history.csv").write_text("epoch,val_accuracy,seconds\n1,,70\n")
    run, _ = runs(tmp_path)
    assert run.fastest == 61.5
    assert collect(runs(tmp_path))[0].fastest == {"2 CPU cores": 61.5}
    assert [row["val_accuracy"] for row in run.history] == [None, 0.7, 0.8]


def test_published_figures_are_read_as_numbers_and_written_as_reported():
    assert Published("91.2 to 91.6", "a paper").ends == (91.2, 91.6)
    assert Published("93.0", "a paper").ends == (93.0, 93.0)
    assert str(Published("93.0", "a paper", "300 epochs")) == "93.0 (300 epochs)"


def test_every_published_figure_belongs_to_an_architecture_and_is_an_accuracy():
    assert set(PUBLISHED) <= set(BUILDERS)
    for name, published in PUBLISHED.items():
        low, high = published.ends
        assert 10 < low <= high < 100, name
        assert published.source, name


def test_results_of_one_network_are_named_by_what_differs(tmp_path):
    write_run(tmp_path, "a", 0, 0.9)
    write_run(tmp_path, "b", 1, 0.9)
    write_run(tmp_path, "c", 0, 0.9, precision="mixed_bfloat16")
    write_run(tmp_path, "d", 0, 0.9, architecture="other")
    found = named(collect(runs(tmp_path)))
    assert list(found) == ["net (float32)", "net (mixed_bfloat16)", "other"]
    assert [len(result.runs) for result in found.values()] == [2, 1, 1]
    jpeg = {**DATA, "source": "CIFAR-10 (JPEG copy)", "sha256": "cd"}
    write_run(tmp_path, "e", 0, 0.9, architecture="other", data=jpeg)
    names = list(named(collect(runs(tmp_path))))
    assert "other (CIFAR-10)" in names and "other (CIFAR-10 (JPEG copy))" in names


def test_data_sets_and_recipes_are_never_mixed(tmp_path):
    write_run(tmp_path, "a", 0, 0.9)
    jpeg = {**DATA, "source": "CIFAR-10 (JPEG copy)", "sha256": "cd"}
    write_run(tmp_path, "b", 1, 0.8, data=jpeg)
    write_run(tmp_path, "c", 2, 0.7, recipe="sheet")
    text = table(collect(runs(tmp_path)), "")
    assert text.count("Measured on") == 2
    assert text.count("| net |") == 3


def test_networks_protocols_and_numbers_of_images_are_never_mixed(tmp_path):
    changes = [
        {"macs": 1},
        {"parameters": 1},
        {"data": {**DATA, "images": 50_000}},
        {"data": {**DATA, "protocol": "all"}},
    ]
    for seed, change in enumerate([{}, *changes]):
        write_run(tmp_path, f"net_{seed}", seed, 0.9, **change)
    assert len(collect(runs(tmp_path))) == 5
    names = list(named(collect(runs(tmp_path))))
    assert len(set(names)) == 5


def test_an_average_over_views_stands_behind_single_images(tmp_path):
    for seed, (one, six) in enumerate(((0.90, 0.92), (0.91, 0.93), (0.92, 0.94))):
        write_run(tmp_path, f"net_{seed}", seed, one, test_accuracy_views=six)
    (result,) = collect(runs(tmp_path))
    assert result.views == pytest.approx([92, 93, 94])
    cell = "91.00 ± 1.00; views averaged 93.00 ± 1.00"
    assert f"| {cell} |" in table([result])
    write_run(tmp_path, "net_3", 3, 0.91)
    (result,) = collect(runs(tmp_path))
    assert result.views is None, "a mean over some of the seeds is none of the row's"
    assert result.cell == "91.00 ± 0.82"


def test_two_runs_of_one_seed_are_refused(tmp_path):
    write_run(tmp_path, "cpu", 0, 0.9)
    write_run(tmp_path, "gpu", 0, 0.9, hardware="GPU")
    with pytest.raises(ValueError, match="cpu and .*gpu are of one seed, 0"):
        collect(runs(tmp_path))


def test_quick_runs_are_refused(tmp_path):
    write_run(tmp_path, "short", 0, 0.9, profile="quick")
    with pytest.raises(ValueError, match="short.* was made in quick"):
        runs(tmp_path)


def test_unfinished_runs_are_left_out(tmp_path):
    folder = write_run(tmp_path, "a", 0, 0.9, finished=False)
    assert runs(tmp_path) == []
    # Interrupted between its last epoch and its evaluation.
    fields = json.loads((folder / "run.json").read_text()) | {"finished": True}
    del fields["test_accuracy"]
    (folder / "run.json").write_text(json.dumps(fields))
    assert runs(tmp_path) == []


def test_stand_in_runs_are_refused(tmp_path):
    fake = {**DATA, "source": "synthetic stand-in", "sha256": "ef"}
    write_run(tmp_path, "fake", 0, 0.9, data=fake)
    with pytest.raises(ValueError, match="fake"):
        runs(tmp_path)


def test_incomplete_run_is_named(tmp_path):
    write_run(tmp_path, "cut", 0, 0.9)
    path = tmp_path / "cut" / "run.json"
    fields = json.loads(path.read_text())
    del fields["macs"]
    path.write_text(json.dumps(fields))
    with pytest.raises(ValueError, match="cut.*lacks macs"):
        runs(tmp_path)


def test_studies_are_listed_best_first(tmp_path):
    for name, value in (("low", 0.61), ("high", 0.72), ("cut", 0.99)):
        path = f"studies/rates/{name}_seed0"
        data = {**DATA, "images": 9_000}
        finished = name != "cut"
        write_run(
            tmp_path,
            path,
            0,
            value,
            change=f"{name} rate",
            data=data,
            finished=finished,
        )
        (tmp_path / path / "history.csv").write_text(
            "epoch,accuracy,val_accuracy\n1,0.1,0.2\n2,0.81239,0.7\n"
        )
    text = study_results.tables(tmp_path).splitlines()
    assert text[0] == "Study `rates`: net, 9,000 training images of CIFAR-10:"
    assert text[4:] == [
        "| [high rate](studies/rates/high_seed0) | 50 | 81.24 | 70.00 | 72.00 |",
        "| [low rate](studies/rates/low_seed0) | 50 | 81.24 | 70.00 | 61.00 |",
    ]
    # A study's runs never enter the table of the architectures.
    assert runs(tmp_path) == []


def test_studies_that_average_over_views_say_so(tmp_path):
    path, more = "studies/fast/one_seed0", {"test_accuracy_views": 0.731}
    write_run(tmp_path, path, 0, 0.72, change="one", **more)
    (tmp_path / path / "history.csv").write_text(
        "epoch,accuracy,val_accuracy\n1,0.8,0.7\n"
    )
    again = write_run(tmp_path, "studies/fast/one_seed1", 1, 0.71, change="one", **more)
    (again / "history.csv").write_text("epoch,accuracy,val_accuracy\n1,0.8,0.7\n")
    text = study_results.tables(tmp_path).splitlines()
    assert text[5].startswith("| [one, seed 1](studies/fast/one_seed1) |")
    assert text[2].endswith("| test (%) | test, averaged over views (%) |")
    assert text[3] == "|---|---:|---:|---:|---:|---:|"
    assert text[4].endswith("| 80.00 | 70.00 | 72.00 | 73.10 |")


def test_what_is_not_run_is_listed_with_its_hours(tmp_path):
    logs, tables = tmp_path / "logs", tmp_path / "tables"
    macs = {"full": 10, "deep": 40, "thin": 1, "wide": 3, "small": 2}
    tables.mkdir()
    rows = [
        f"| [{n}]({n}.md) | 3 | 1,000 | {m},000,000 | 5x5 |" for n, m in macs.items()
    ]
    (tables / "README.md").write_text("# Tables\n" + "\n".join(rows))
    for name in macs:
        kind = "DepthwiseConv2D" if name in ("thin", "wide") else "Conv2D"
        (tables / f"{name}.md").write_text(f"| a | {kind} | 1x1x1 |")
    # 45,000 images of 10 M multiply-adds in 45 s are 10 billion a second; of 1 M in
    # 22.5 s 2 billion. So 50 epochs of 40 M take 2.5 hours, of 3 M 0.9.
    core = {"hardware": "1 CPU core, fast"}
    for name, seconds in (("full", 45.0), ("thin", 22.5)):
        count = {"macs": macs[name] * 1_000_000, "seconds_per_epoch": seconds}
        write_run(logs, f"{name}_seed0", 0, 0.9, architecture=name, **count, **core)
    fast = {"architecture": "full", "seconds_per_epoch": 1.0}
    write_run(logs, "full_seed1", 1, 0.9, hardware="GPU", **fast)
    write_run(logs, "full_seed2", 2, 0.9, hardware="1 CPU core, then GPU", **fast)
    # Other work slowed these; they are one more run of the same network.
    slow = {"architecture": "full", "seconds_per_epoch": 90.0, **core}
    write_run(logs, "full_seed3", 3, 0.9, macs=10_000_000, **slow)
    text = not_run.text(tmp_path)
    assert ": wide 0.9, deep 2.5.\n" in text
    assert "`python -m helpers.transfer` 2.2" in text
    (logs / "studies" / "transfer").mkdir(parents=True)
    (logs / "studies" / "transfer" / "runs.csv").touch()
    assert "helpers.transfer" not in not_run.text(tmp_path)
    assert "(10 billion multiply-adds" in text and ", 2 billion where" in text
    shutil.rmtree(logs / "thin_seed0")
    with pytest.raises(ValueError, match="hours cannot be estimated"):
        not_run.text(tmp_path)
