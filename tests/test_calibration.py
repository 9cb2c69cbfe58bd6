"""Calibration against cases whose answer is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.calibration import (
    cross_entropy,
    fit_temperature,
    reliability,
    temper,
)


def drawn(images=20_000, classes=10, seed=0):
    """Probabilities, and labels that were drawn from them: calibrated for certain."""
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.full(classes, 0.3), images)
    draws = random.random((images, 1))
    labels = (probabilities.cumsum(axis=1) < draws).sum(axis=1)
    return probabilities, np.minimum(labels, classes - 1)


def test_bins_hold_what_was_put_into_them():
    # Sure to 0.9, 0.8, 0.8 and 0.6; right, right, wrong, wrong.
    probabilities = [[0.9, 0.1], [0.2, 0.8], [0.8, 0.2], [0.4, 0.6]]
    found = reliability(probabilities, [0, 1, 1, 0], bins=4)
    np.testing.assert_array_equal(found.count, [0, 0, 1, 3])
    np.testing.assert_allclose(found.accuracy, [np.nan, np.nan, 0, 2 / 3])
    np.testing.assert_allclose(found.confidence[2:], [0.6, 2.5 / 3])
    assert found.error == pytest.approx((0.6 + 3 * (2.5 / 3 - 2 / 3)) / 4)


def test_bounds_belong_to_the_bin_below():
    found = reliability([[0.75, 0.25], [1.0, 0.0], [0.5, 0.5]], [0, 0, 0], bins=4)
    np.testing.assert_array_equal(found.count, [0, 1, 1, 1])


def test_labels_drawn_from_the_probabilities_leave_no_error():
    probabilities, labels = drawn()
    assert reliability(probabilities, labels).error < 0.015
    assert reliability(temper(probabilities, 0.3), labels).error > 0.1
    assert fit_temperature(probabilities, labels) == pytest.approx(1, abs=0.03)


@settings(max_examples=10, deadline=None)
@given(st.floats(0.3, 4.0))
def test_the_temperature_that_was_applied_is_found(temperature):
    probabilities, labels = drawn(2_000)
    honest = fit_temperature(probabilities, labels)
    spoiled = temper(probabilities, 1 / temperature)
    assert fit_temperature(spoiled, labels) == pytest.approx(
        honest * temperature, rel=0.02
    )


def test_the_fit_is_the_lowest_cross_entropy_of_a_fine_grid():
    probabilities, labels = drawn(2_000, seed=3)
    spoiled = temper(probabilities, 0.6)
    grid = np.linspace(0.5, 3, 501)
    losses = [cross_entropy(temper(spoiled, t), labels) for t in grid]
    assert fit_temperature(spoiled, labels) == pytest.approx(
        grid[np.argmin(losses)], abs=0.006
    )


def test_a_temperature_keeps_the_order_and_the_sum():
    probabilities, _ = drawn(100)
    for temperature in (0.5, 1.0, 5.0):
        found = temper(probabilities, temperature)
        np.testing.assert_allclose(found.sum(axis=1), 1)
        np.testing.assert_array_equal(found.argmax(1), probabilities.argmax(1))
    np.testing.assert_allclose(temper(probabilities, 1.0), probabilities, atol=1e-12)
    # Two classes at 0.8 and 0.2 differ by log 4; half of it is log 2.
    np.testing.assert_allclose(temper([0.8, 0.2], 2.0), [2 / 3, 1 / 3])


def test_a_certain_error_costs_much_and_is_finite():
    assert cross_entropy([[0.5, 0.5], [0.25, 0.75]], [0, 1]) == pytest.approx(
        -np.log(0.5 * 0.75) / 2
    )
    assert 700 < cross_entropy([[1.0, 0.0]], [1]) < 710
    assert np.isfinite(temper([[1.0, 0.0]], 0.05)).all()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: temper([0.5, 0.5], 0.0), "temperature is 0.0"),
        (lambda: reliability([[0.5, 0.5]], [0, 1]), r"\(1, 2\).*\(2,\)"),
        (lambda: reliability(np.empty((0, 2)), []), "no images"),
    ],
)
def test_wrong_arguments_are_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong()
