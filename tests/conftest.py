"""Options of the tests, and what all of them are held to."""

import pytest


def pytest_addoption(parser):
    parser.addoption(
        "--kills",
        type=int,
        default=25,
        metavar="N",
        help="how often test_kills.py kills a training (default: 25)",
    )
    parser.addoption(
        "--graphs",
        type=int,
        default=300,
        metavar="N",
        help="how many random graphs test_receptive_field_graphs.py measures "
        "(default: 300)",
    )
    parser.addoption(
        "--applications",
        action="store_true",
        help="run what takes minutes: every model of keras.applications, JAX in full",
    )


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "applications: long, and chosen by --applications alone"
    )


def pytest_collection_modifyitems(config, items):
    """Leaves out what only a flag asks for; pytest counts it as deselected."""
    if config.getoption("--applications"):
        return
    long = [item for item in items if item.get_closest_marker("applications")]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if item not in long]


@pytest.fixture(autouse=True)
def readable_figures(request, monkeypatch):
    """Holds every figure that a test of helpers.plots draws to figure_checks.py."""
    if not request.module.__name__.rpartition(".")[2].startswith("test_plots"):
        yield
        return
    import matplotlib.pyplot as plt
    from figure_checks import problems

    drawn, make = [], plt.figure

    def figure(*arguments, **options):
        drawn.append(make(*arguments, **options))
        return drawn[-1]

    # plt.subplots calls it, too.
    monkeypatch.setattr(plt, "figure", figure)
    yield
    assert [line for each in drawn for line in problems(each)] == []
