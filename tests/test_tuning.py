"""Hyperparameters: ranges, methods of search, made-up accuracies and luck."""

import itertools
import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import studies
from helpers.architectures.search import MemoryStorage, search
from helpers.architectures.search_space import Space
from helpers.architectures.search_storage import tree_parzen
from helpers.callbacks import read_rows
from helpers.tuning import sheet
from helpers.tuning.compare import compare, landscape, noisy
from helpers.tuning.luck import expected_best, expected_maximum
from helpers.tuning.methods import Grid, OneAtATime, random_search
from helpers.tuning.pruning import median_rule, successive_halving
from helpers.tuning.ranges import Choice, Range
from helpers.tuning.table import append, drop_cut_line
from helpers.tuning.trial import SPACE
from tools import notebooks

RATE, SIZE = Range(1e-3, 10.0, log=True), Choice((32, 64, 128))
PAIR = Space({"rate": RATE, "size": SIZE}, build=None, parameters=lambda candidate: 0)


def hill(candidate):
    """Stands for an accuracy: best at a rate of 0.1 and a size of 64."""
    return 1 - math.log10(candidate["rate"] / 0.1) ** 2 - (candidate["size"] != 64)


# ---------------------------------------------------------------------------- ranges


def test_a_logarithmic_range_is_even_in_its_logarithm():
    assert [round(RATE.value(i / 4), 9) for i in range(5)] == [0.001, 0.01, 0.1, 1, 10]
    assert [Range(0.0, 0.3).value(i / 3) for i in (0, 3)] == [0.0, 0.3]
    assert Range(2.0, 4.0).value(0.25) == 2.5


@settings(deadline=None)
@given(st.floats(0, 1), st.booleans())
def test_share_undoes_value(share, log):
    kind = Range(0.5, 8.0, log=log)
    assert kind.share(kind.value(share)) == pytest.approx(share, abs=1e-9)


def test_a_choice_divides_the_shares_evenly():
    shares = (np.arange(300) + 0.5) / 300
    values, counts = np.unique([SIZE.value(s) for s in shares], return_counts=True)
    assert (values.tolist(), counts.tolist()) == ([32, 64, 128], [100, 100, 100])
    assert SIZE.value(1.0) == 128
    assert all(SIZE.value(SIZE.share(value)) == value for value in SIZE.values)


@pytest.mark.parametrize(
    "make, told",
    [
        (lambda: Range(2.0, 1.0), "from 2.0 to 1.0"),
        (lambda: Range(0.0, math.inf), "to inf"),
        (lambda: Range(0.0, 1.0, log=True), "begins at 0.0"),
        (lambda: Choice(()), r"choice of \(\)"),
        (lambda: Choice((1, 1)), r"choice of \(1, 1\)"),
    ],
)
def test_ranges_without_values_are_refused(make, told):
    with pytest.raises(ValueError, match=told):
        make()


# --------------------------------------------------------------------------- methods


def test_random_search_fills_the_ranges_evenly():
    rng = np.random.default_rng(0)
    drawn = [random_search(PAIR, [], rng) for _ in range(2_000)]
    shares = [RATE.share(candidate["rate"]) for candidate in drawn]
    low, high = np.quantile(shares, [0.25, 0.75])
    # Four standard errors of a quartile: 4 sqrt(0.25 0.75 / 2000).
    assert abs(low - 0.25) < 0.04 and abs(high - 0.75) < 0.04
    assert {candidate["size"] for candidate in drawn} == {32, 64, 128}


def test_a_grid_has_every_combination_once():
    grid = Grid({"rate": 4, "size": 3})
    trials = search(PAIR, grid, hill, len(grid))
    pairs = [(t.candidate["rate"], t.candidate["size"]) for t in trials]
    # Four decades: the middles lie half a decade above each power of ten.
    rates = [10**x for x in (-2.5, -1.5, -0.5, 0.5)]
    expected = list(itertools.product(rates, (32, 64, 128)))
    assert len(grid) == 12
    np.testing.assert_allclose(pairs, expected)
    with pytest.raises(ValueError, match="12 points, and 12 trials"):
        search(PAIR, grid, hill, 13, _storage_of(trials))


def test_a_grid_of_other_hyperparameters_is_refused():
    with pytest.raises(ValueError, match="counts for rate; the space has rate, size"):
        Grid({"rate": 4}).points(PAIR)


def test_one_at_a_time_changes_one_and_keeps_the_best():
    trials = search(PAIR, OneAtATime(5), hill, 12)
    rates, sizes, again = trials[:5], trials[5:7], trials[7:]
    assert {trial.candidate["size"] for trial in rates} == {SIZE.value(0.5)}
    shares = [RATE.share(trial.candidate["rate"]) for trial in rates]
    # One in each fifth of the range.
    assert [int(5 * share) for share in shares] == [0, 1, 2, 3, 4]
    best = max(rates, key=lambda trial: trial.accuracy).candidate["rate"]
    # The size that is known at this rate is not tried again.
    assert [trial.candidate for trial in sizes] == [
        {"rate": best, "size": size} for size in (32, 128)
    ]
    base = max(rates + sizes, key=lambda trial: trial.accuracy).candidate
    assert {trial.candidate["size"] for trial in again} == {base["size"]}
    assert len({trial.candidate["rate"] for trial in again} | {best}) == 6


def test_one_at_a_time_ends_where_nothing_is_left():
    space = Space({"a": Choice((1, 2))}, build=None, parameters=lambda candidate: 0)
    trials = search(space, OneAtATime(3), lambda candidate: candidate["a"], 2)
    assert [trial.candidate["a"] for trial in trials] == [1, 2]
    with pytest.raises(ValueError, match="every value around {'a': 2}"):
        OneAtATime(3)(space, trials, np.random.default_rng(0))
    with pytest.raises(ValueError, match="1 value"):
        OneAtATime(1)


def test_the_course_s_tree_parzen_takes_ranges_too():
    found = {}
    for algorithm in (random_search, tree_parzen):
        best = []
        for seed in range(5):
            trials = search(PAIR, algorithm, hill, 40, seed=seed)
            best.append(max(trial.accuracy for trial in trials))
        assert all(1e-3 <= t.candidate["rate"] <= 10.0 for t in trials)
        assert all(t.candidate["size"] in SIZE.values for t in trials)
        found[algorithm] = 1 - np.mean(best)
    by_chance, modelled = found.values()
    assert modelled < by_chance / 2


# ------------------------------------------------------- made-up accuracies, pruning


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_landscape_has_its_best_point_inside_the_ranges(seed):
    rng = np.random.default_rng(seed)
    rate, decay, size = rng.uniform((-1.3, -4.3, -0.6), (0.1, -2.7, 0.3))
    accuracy = landscape(np.random.default_rng(seed))
    best = {
        **{"peak": 10 ** (rate + size), "weight_decay": 10**decay},
        **{"label_smoothing": 0.1, "batch_size": 128 * 10**size},
    }
    assert accuracy(best) == pytest.approx(72.0)
    for name in ("peak", "weight_decay"):
        assert 0 < SPACE.choices[name].share(best[name]) < 1
    # Twice the batch wants twice the rate.
    twice = {**best, "batch_size": 2 * best["batch_size"]}
    scaled = {**twice, "peak": 2 * best["peak"]}
    assert accuracy(twice) < accuracy(scaled) < 72.0
    assert accuracy(scaled) == pytest.approx(72.0 - 6 * math.log10(2) ** 2)
    less = {**best, "peak": best["peak"] / 3, "weight_decay": 3 * best["weight_decay"]}
    more = {**less, "weight_decay": best["weight_decay"]}
    assert accuracy(less) > accuracy(more)


def test_noise_is_that_of_5000_images():
    measure = noisy(lambda candidate: 70.0, np.random.default_rng(0))
    values = [measure({}) for _ in range(4_000)]
    images = np.random.default_rng(1).binomial(5_000, 0.7, 4_000) / 50
    assert np.mean(values) == pytest.approx(70.0, abs=0.05)
    assert np.std(values) == pytest.approx(np.std(images), rel=0.05)


def test_compare_follows_the_trial_that_measured_best():
    reached = compare(SPACE, random_search, seeds=3, trials=12)
    assert reached.shape == (12,) and reached.max() <= 72.0
    chosen = []
    for seed in range(3):
        rng = np.random.default_rng((23, seed))
        true = landscape(rng)
        found = search(SPACE, random_search, noisy(true, rng), 12, seed=seed)
        chosen.append(true(max(found, key=_measured).candidate))
    assert reached[-1] == pytest.approx(np.mean(chosen))


def test_the_median_rule_stops_what_is_below_the_median():
    good, bad, late = [5, 6, 7, 8], [1, 2, 3, 4], [1, 9, 9, 9]
    curves = [good, good, good, bad, late, good]
    assert median_rule(curves, first=3, warmup=1) == [4, 4, 4, 1, 1, 4]
    assert median_rule(curves, first=3, warmup=2) == [4, 4, 4, 2, 4, 4]
    assert median_rule(curves, first=6, warmup=1) == [4] * 6


def test_successive_halving_spends_as_much_in_every_round():
    # 81 trials: 54 stop after 1 epoch, 18 after 3, 6 after 9, 2 after 27.
    curves = np.random.default_rng(0).random((81, 81)).tolist()
    ends = successive_halving(curves, (1, 3, 9, 27), 3)
    counts = dict(zip(*np.unique(ends, return_counts=True), strict=True))
    assert counts == {1: 54, 3: 18, 9: 6, 27: 2, 81: 1}
    kept = {i for i, end in enumerate(ends) if end > 1}
    assert kept == set(np.argsort([curve[0] for curve in curves])[-27:])


def cells_with(*words):
    """Sources of the lecture's first cells that hold these words, in their order."""
    lecture = notebooks.read(notebooks.FOLDER / "23_hyperparameters.ipynb")
    sources = [cell.source for cell in lecture.cells]
    return [next(s for s in sources if word in s) for word in words]


def test_the_lecture_stops_each_run_once_and_tells_what_is_lost():
    choose, told = cells_with("studies.folders(", "Both rules stop the run")
    space = {"np": np, "studies": studies, "read_rows": read_rows}
    exec(choose, space)
    curves = space["curves"]
    assert len({tuple(curve) for curve in curves}) == len(curves) == 43
    final = [curve[-1] for curve in curves]
    loss = float(re.search(r"and lose (\d\.\d) points", told).group(1))
    for rule in (median_rule, successive_halving):
        ends = rule(curves)
        assert ends[np.argmax(final)] < 30
        kept = [v for v, end in zip(final, ends, strict=True) if end == 30]
        assert max(final) - max(kept) == pytest.approx(loss, abs=0.05)


def test_results_are_told_by_method():
    rows = [
        {"method": method, "accuracy": accuracy}
        for method, values in (("random", (0.6, 0.7)), ("tpe", (0.7, 0.6, 0.8)))
        for accuracy in values
    ]
    assert sheet.waiting(rows) == [
        "random (2 of 60 trials)",
        "tpe (3 of 30 trials)",
        "grid (0 of 16 trials)",
    ]
    series = sheet.best_by_trials(rows)
    assert list(series) == ["random", "tpe"]
    np.testing.assert_allclose(series["random"], [65, 70])
    np.testing.assert_allclose(series["tpe"], [70, 70, 80])
    best = [
        {
            "method": "tpe",
            "trial": trial,
            "seed": seed,
            "accuracy": a,
            "test_accuracy": a - 0.01,
        }
        # More trials found another winner.
        for trial, values in ((3, (0.5, 0.4, 0.3, 0.2)), (9, (0.72, 0.70, 0.71, 0.72)))
        for seed, a in enumerate(values)
    ]
    last = sheet.winners(best).splitlines()[-1]
    assert last == "| tpe | 72.0 | 71.0 | 71.0 ± 1.0 | 70.0 ± 1.0 |"
    # Until it is trained with other seeds, it is no row.
    assert len(sheet.winners(best[:5]).splitlines()) == 2
    # A winner alone, before its repetitions, is no row.
    assert len(sheet.winners(best[:1]).splitlines()) == 2


def test_half_a_line_of_the_best_is_no_training(tmp_path):
    path = tmp_path / "best.csv"
    row = dict(zip(sheet.COLUMNS, ("tpe", 3, 0, 0.7, 0.6), strict=True))
    append(path, sheet.COLUMNS, row)
    assert sheet.read_best(path) == [row]
    for cut in ("tpe,3,1,0.6", "tpe,3,1,0.7,0.62"):
        path.write_text(path.read_text() + cut)
        assert sheet.read_best(path) == [row]
        drop_cut_line(path)
        append(path, sheet.COLUMNS, {**row, "seed": 1})
        assert sheet.read_best(path) == [row, {**row, "seed": 1}]
        path.write_text("\n".join(path.read_text().splitlines()[:2]) + "\n")


# ------------------------------------------------------------------------------ luck


def test_expected_maximum_of_few_draws_is_known():
    # By integration: 0, 1/sqrt(pi), 3/(2 sqrt(pi)).
    exact = [0.0, 1 / math.sqrt(math.pi), 1.5 / math.sqrt(math.pi)]
    found = [expected_maximum(k) for k in (1, 2, 3)]
    np.testing.assert_allclose(found, exact, atol=1e-6)
    # Tippett's table of the largest of a sample (1925).
    for draws, tabled in ((5, 1.16296), (10, 1.53875), (60, 2.31928), (100, 2.50759)):
        assert expected_maximum(draws) == pytest.approx(tabled, abs=2e-5)
    with pytest.raises(ValueError, match="best of 0"):
        expected_maximum(0)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(-1, 1), min_size=1, max_size=7))
def test_expected_best_is_the_mean_over_all_choices(values):
    expected = [
        np.mean([max(chosen) for chosen in itertools.combinations(values, k)])
        for k in range(1, len(values) + 1)
    ]
    np.testing.assert_allclose(expected_best(values), expected, atol=1e-9)


def _measured(trial):
    return trial.accuracy


def _storage_of(trials):
    storage = MemoryStorage()
    for trial in trials:
        storage.add(trial)
    return storage
