"""Random networks: the interval is where the gradient is, without exception."""

import warnings

import pytest
from architecture_checks import check_on
from hypothesis import HealthCheck, Phase, given, settings
from random_graphs import graphs

from helpers.receptive_field import receptive_fields
from helpers.receptive_field.measure import hull, sensitivities


def positions(height, width):
    """The corners, the middle and two places between."""
    return [
        (0, 0),
        (0, width - 1),
        (height - 1, width - 1),
        (height // 2, width // 2),
        (height // 3, 2 * width // 3),
        (height - 1, width // 4),
    ]


def clipped(interval, image):
    """Returns the part of an interval inside the image, None where there is none."""
    found = []
    for (first, last), size in zip(interval, image, strict=True):
        found.append((max(first, 0), min(last, size - 1)))
    return None if any(first > last for first, last in found) else tuple(found)


def agree(model):
    """Compares the fields of a model's last layer with gradients."""
    fields = receptive_fields(model)
    name, field = list(fields.items())[-1]
    indices = positions(*field.output_size)
    gated = any(not all(part.local) for part in field.feature_map.seen)
    for index, found in zip(indices, sensitivities(model, name, indices), strict=True):
        measured = hull(found)
        assert field.visible(index) == measured, (name, index)
        if not gated:
            image = field.feature_map.image
            assert clipped(field.interval(index), image) == measured, (name, index)


def test_random_graphs(request):
    count = request.config.getoption("--graphs")
    check = settings(
        max_examples=count,
        deadline=None,
        # The same graphs in every ordinary run, new ones in a long one.
        derandomize=count <= 300,
        database=None,
        suppress_health_check=list(HealthCheck),
    )(given(graphs())(agree))
    with warnings.catch_warnings():
        # Keras draws the seeds of its initialisers while a graph is built.
        warnings.filterwarnings("ignore", "Do not use the `random` module")
        check()


def test_the_check_finds_a_wrong_field(monkeypatch):
    """One pixel of padding too few, and the graphs disagree with the gradients."""
    from helpers.receptive_field import windows

    right = windows.same_padding
    monkeypatch.setattr(
        windows, "same_padding", lambda *a: (max(right(*a)[0] - 1, 0), True)
    )
    check = settings(
        max_examples=100, deadline=None, derandomize=True, database=None,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate],
    )(given(graphs())(agree))  # fmt: skip
    with warnings.catch_warnings(), pytest.raises(AssertionError):
        warnings.filterwarnings("ignore", "Do not use the `random` module")
        check()


@pytest.mark.applications
def test_other_gradients_agree():
    check_on("torch", __file__, "random_graphs")
