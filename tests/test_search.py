"""Architecture search: its three parts, its storage and the front it ends in."""

import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from architecture_checks import cheap_weights, parameters  # noqa: F401  (a fixture)
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import search as command
from helpers.architectures import search_space
from helpers.architectures.search import (
    MemoryStorage,
    RegularisedEvolution,
    Trial,
    front,
    mutate,
    propose,
    random_search,
    sample,
    search,
)
from helpers.architectures.search_evaluation import short_training
from helpers.architectures.search_space import (
    SEPARABLE,
    Space,
    build_candidate,
    count_parameters,
)
from helpers.architectures.search_storage import OptunaStorage, tree_parzen

ROOT = Path(__file__).resolve().parents[1]
LIMIT = 100_000
# The committed network of the assignment, as a candidate.
OURS = {
    **{"channels1": 32, "channels2": 64, "channels3": 108},
    **{"blocks1": 1, "blocks2": 3, "blocks3": 2},
    **{"kernel1": 3, "kernel2": 3, "kernel3": 3},
}
TARGET = {
    **{"channels1": 24, "channels2": 48, "channels3": 80},
    **{"blocks1": 1, "blocks2": 2, "blocks3": 1},
    **{"kernel1": 5, "kernel2": 5, "kernel3": 5},
}


def likeness(candidate):
    """Stands for an accuracy: the share of choices that are the target's."""
    return sum(candidate[name] == value for name, value in TARGET.items()) / 9


def difference(one, other):
    return sum(one[name] != other[name] for name in one)


seeds = st.integers(0, 2**32 - 1)


# ------------------------------------------------------------------------- the space


def test_parameters_are_counted_without_building(cheap_weights):  # noqa: F811
    assert count_parameters(OURS) == 96_681
    rng = np.random.default_rng(0)
    for candidate in (OURS, *(sample(SEPARABLE, rng) for _ in range(5))):
        assert parameters(build_candidate(candidate)) == count_parameters(candidate)
    grey = build_candidate(OURS, (28, 28, 1), classes=7)
    assert parameters(grey) == count_parameters(OURS, channels=1, classes=7)


def test_candidates_keep_the_assignments_rules(cheap_weights):  # noqa: F811
    model = build_candidate({**OURS, "kernel2": 7})
    kinds = {type(x).__name__ for x in model.layers}
    assert not kinds & {"Conv2D", "DepthwiseConv2D", "Dense", "Conv2DTranspose"}
    kernels = {
        x.name.split("_")[0]: x.kernel_size[0]
        for x in model.layers
        if type(x).__name__ == "SeparableConv2D"
    }
    assert kernels == {"stage1": 3, "stage2": 7, "stage3": 3, "scores": 1}
    assert model.get_layer("stage3_dropout").output.shape[1:] == (8, 8, 108)


@settings(deadline=None)
@given(seeds)
def test_samples_are_of_the_space_and_mutants_differ_in_one_choice(seed):
    rng = np.random.default_rng(seed)
    candidate = sample(SEPARABLE, rng)
    mutant = mutate(candidate, SEPARABLE, rng)
    for one in (candidate, mutant):
        assert one.keys() == SEPARABLE.choices.keys()
        assert all(value in SEPARABLE.choices[name] for name, value in one.items())
    assert difference(candidate, mutant) == 1


def test_a_choice_without_alternative_is_never_mutated():
    space = Space({"a": (1,), "b": (2, 3)}, build=None, parameters=None)
    rng = np.random.default_rng(0)
    mutants = [mutate({"a": 1, "b": 2}, space, rng) for _ in range(20)]
    assert all(mutant == {"a": 1, "b": 3} for mutant in mutants)


# --------------------------------------------------------------------- the algorithms


def test_random_search_draws_every_value():
    rng = np.random.default_rng(0)
    drawn = [random_search(SEPARABLE, [], rng) for _ in range(200)]
    for name, values in SEPARABLE.choices.items():
        assert {candidate[name] for candidate in drawn} == set(values)


@settings(deadline=None)
@given(seeds)
def test_evolution_mutates_the_best_of_those_alive(seed):
    rng = np.random.default_rng(seed)
    # The first and best is too old to be a parent.
    history = [Trial(TARGET, 0, 1.0)]
    history += [Trial(sample(SEPARABLE, rng), 0, rng.random()) for _ in range(6)]
    best = max(history[1:], key=lambda trial: trial.accuracy)
    evolution = RegularisedEvolution(population=6, tournament=6)
    child = evolution(SEPARABLE, history, rng)
    assert difference(child, best.candidate) == 1


def test_evolution_begins_at_random_and_draws_its_tournament():
    rng = np.random.default_rng(0)
    evolution = RegularisedEvolution(population=4, tournament=1)
    history = [Trial(TARGET, 0, 1.0)] * 3
    children = [evolution(SEPARABLE, history, rng) for _ in range(50)]
    assert max(difference(child, TARGET) for child in children) > 5
    # A tournament of one: the worst is a parent as often as the best.
    worst = Trial(OURS, 0, 0.0)
    history = [worst, *history]
    parents = [
        difference(evolution(SEPARABLE, history, rng), OURS) == 1 for _ in range(200)
    ]
    assert 25 < sum(parents) < 80


@pytest.mark.parametrize("population, tournament", [(5, 6), (5, 0)])
def test_evolution_refuses_a_tournament_that_does_not_fit(population, tournament):
    with pytest.raises(ValueError, match=f"tournament of {tournament} .* {population}"):
        RegularisedEvolution(population, tournament)


def test_evolution_finds_more_than_random_search():
    found = {}
    for algorithm in (random_search, RegularisedEvolution(20, 5)):
        best = []
        for seed in range(5):
            trials = search(SEPARABLE, algorithm, likeness, 100, seed=seed)
            best.append(max(trial.accuracy for trial in trials))
        found[algorithm] = np.mean(best)
    by_chance, evolved = found.values()
    assert evolved > by_chance + 0.1


def test_tree_parzen_is_an_algorithm_too():
    rng = np.random.default_rng(0)
    history = [Trial(sample(SEPARABLE, rng), 0, 0.0) for _ in range(12)]
    history = [replace(t, accuracy=likeness(t.candidate)) for t in history]
    first, again = (
        tree_parzen(SEPARABLE, history, np.random.default_rng(1)) for _ in range(2)
    )
    assert first == again
    assert all(value in SEPARABLE.choices[name] for name, value in first.items())
    trials = search(SEPARABLE, tree_parzen, likeness, 12)
    assert len(trials) == 12


# ------------------------------------------------------------------------- the search


@pytest.mark.parametrize("algorithm", [random_search, RegularisedEvolution(5, 2)])
def test_no_network_is_evaluated_that_is_too_large_or_known(algorithm):
    rng = np.random.default_rng(0)
    drawn = [count_parameters(sample(SEPARABLE, rng)) for _ in range(100)]
    assert max(drawn) > LIMIT
    seen = []

    def evaluate(candidate):
        assert count_parameters(candidate) < LIMIT
        assert candidate not in seen
        seen.append(candidate)
        return likeness(candidate)

    trials = search(SEPARABLE, algorithm, evaluate, 40)
    assert [trial.candidate for trial in trials] == seen
    assert [t.parameters for t in trials] == [count_parameters(c) for c in seen]
    assert [t.accuracy for t in trials] == [likeness(c) for c in seen]


def test_a_search_depends_on_seed_and_worker_alone():
    def candidates(**settings):
        trials = search(SEPARABLE, random_search, likeness, 5, **settings)
        return [trial.candidate for trial in trials]

    assert candidates(seed=1) == candidates(seed=1)
    assert candidates(seed=1) != candidates(seed=2)
    assert candidates(seed=1) != candidates(seed=1, worker=1)


def test_a_search_gives_up_where_nothing_is_left():
    space = Space({"a": (1, 2)}, build=None, parameters=lambda candidate: 5)
    with pytest.raises(ValueError, match="2 trials are known"):
        search(space, random_search, lambda candidate: 0.5, 3)
    with pytest.raises(ValueError, match="limit=5 "):
        propose(space, random_search, [], np.random.default_rng(0), limit=5)


def test_an_accuracy_that_is_none_is_refused():
    with pytest.raises(ValueError, match="gave nan"):
        search(SEPARABLE, random_search, lambda candidate: float("nan"), 1)


# -------------------------------------------------------------------------- the front


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 8), st.integers(1, 8)), max_size=12))
def test_front_is_what_no_other_trial_beats(pairs):
    trials = [Trial({"id": i}, p, a) for i, (p, a) in enumerate(pairs)]
    found = front(trials)

    def beaten(one):
        return any(
            other.parameters <= one.parameters
            and other.accuracy >= one.accuracy
            and (other.parameters, other.accuracy) != (one.parameters, one.accuracy)
            for other in trials
        )

    expected = {(t.parameters, t.accuracy) for t in trials if not beaten(t)}
    points = [(t.parameters, t.accuracy) for t in found]
    # Of equal trials one stands for all.
    assert points == sorted(expected)


# ------------------------------------------------------------------------ the storage


def test_an_interrupted_search_goes_on_as_if_it_had_not_been(tmp_path):
    url = f"sqlite:///{tmp_path / 'search.db'}"
    evolution = RegularisedEvolution(population=4, tournament=2)
    whole = search(SEPARABLE, evolution, likeness, 12, MemoryStorage(), seed=3)
    calls = []

    def interrupted(candidate):
        calls.append(candidate)
        if len(calls) == 7:
            raise KeyboardInterrupt
        return likeness(candidate)

    with pytest.raises(KeyboardInterrupt):
        search(
            SEPARABLE, evolution, interrupted, 12, OptunaStorage(url, SEPARABLE), seed=3
        )
    again = OptunaStorage(url, SEPARABLE)
    assert again.trials() == whole[:6]
    assert search(SEPARABLE, evolution, likeness, 12, again, seed=3) == whole
    # Nothing is left to do.
    assert search(SEPARABLE, evolution, interrupted, 12, again, seed=3) == whole


def test_several_processes_share_a_search(tmp_path):
    url = f"sqlite:///{tmp_path / 'search.db'}"
    code = (
        "import sys, time\n"
        "from helpers.architectures.search import random_search, search\n"
        "from helpers.architectures.search_space import SEPARABLE\n"
        "from helpers.architectures.search_storage import OptunaStorage\n"
        "calls = []\n"
        "def evaluate(candidate):\n"
        "    calls.append(candidate)\n"
        "    time.sleep(0.2)\n"
        "    return 0.5\n"
        "storage = OptunaStorage(sys.argv[1], SEPARABLE)\n"
        "search(SEPARABLE, random_search, evaluate, 24, storage,\n"
        "       worker=int(sys.argv[2]))\n"
        "print(len(calls))\n"
    )
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", code, url, str(worker)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for worker in range(2)
    ]
    done = [worker.communicate(timeout=300) for worker in workers]
    for worker, (_, errors) in zip(workers, done, strict=True):
        assert worker.returncode == 0, errors[-3000:]
    evaluated = [int(output.split()[-1]) for output, _ in done]
    trials = OptunaStorage(url, SEPARABLE).trials()
    assert sum(evaluated) == len(trials)
    # The second may be at work when the first one writes the last.
    assert 24 <= len(trials) <= 25
    assert all(t.parameters == count_parameters(t.candidate) for t in trials)


def test_a_study_is_for_one_space(tmp_path):
    url = f"sqlite:///{tmp_path / 'search.db'}"
    OptunaStorage(url, SEPARABLE, "first")
    fewer = replace(SEPARABLE, choices={**SEPARABLE.choices, "kernel1": (3, 5)})
    with pytest.raises(ValueError, match="'first'.*another name"):
        OptunaStorage(url, fewer, "first")
    search(fewer, random_search, likeness, 2, OptunaStorage(url, fewer, "second"))
    assert OptunaStorage(url, SEPARABLE, "first").trials() == []


def test_a_storage_without_its_folder_is_named(tmp_path):
    url = f"sqlite:///{tmp_path / 'missing' / 'search.db'}"
    with pytest.raises(OSError, match="missing.*folder exists"):
        OptunaStorage(url, SEPARABLE)


def test_a_missing_optuna_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ImportError, match="python -m pip install optuna"):
        OptunaStorage("sqlite://", SEPARABLE)


# --------------------------------------------------------------------- the evaluation


def test_short_training_evaluates_a_candidate():
    choices = {name: values[:1] for name, values in search_space.CHOICES.items()}
    build = partial(build_candidate, input_shape=(8, 8, 3), classes=2)
    space = Space(choices, build, count_parameters)
    rng = np.random.default_rng(0)
    labels = np.arange(256) % 2
    # Dark and light images, which any network tells apart.
    images = rng.normal(size=(256, 8, 8, 3)) + 4.0 * labels[:, None, None, None] - 2.0
    images = images.astype("float32")
    evaluate = short_training(
        space, images[64:], labels[64:], images[:64], labels[:64], 4, batch_size=16
    )
    candidate = sample(space, rng)
    accuracy = evaluate(candidate)
    assert accuracy > 0.9
    assert evaluate(candidate) == accuracy


# ---------------------------------------------------------------------- the command


def test_command_searches_and_prints_the_front(tmp_path, monkeypatch, capsys):
    images = np.zeros((4, 32, 32, 3), "uint8")
    labels = np.arange(4)
    loaded = SimpleNamespace(
        x_train=images, y_train=labels, x_val=images, y_val=labels, source="no images"
    )
    loaded.sha256 = "0123456789abcdef"
    received = []

    def evaluation(space, *arrays, **settings):
        received.append((arrays, settings))
        return likeness

    asked = []
    monkeypatch.setattr(
        command.data, "load_cifar10", lambda *how, **more: asked.append(more) or loaded
    )
    monkeypatch.setattr(command, "short_training", evaluation)
    url = f"sqlite:///{tmp_path / 'search.db'}"
    arguments = f"--trials 6 --algorithm random --storage {url} --images 3 --epochs 2"
    assert command.main(arguments.split()) == 0
    (arrays, settings), *_ = received
    assert [len(array) for array in arrays] == [3, 3, 4, 4]
    assert settings == {"epochs": 2, "seed": 0}
    # Never the stand-in, and what is compared shares all but the candidate.
    assert asked == [{"source": "cifar10"}]
    name = "random_2x3_01234567_seed0_limit100000"
    trials = OptunaStorage(url, SEPARABLE, name).trials()
    assert trials == search(SEPARABLE, random_search, likeness, 6)
    printed = capsys.readouterr().out
    assert printed.count(" parameters\n") == 6
    assert "6 networks, 2 epochs on 3 images of no images" in printed
    rows = [line for line in printed.splitlines() if line.startswith("| ")]
    assert len(rows) == 1 + len(front(trials))
