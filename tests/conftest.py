"""Options of the tests, and what all of them are held to."""

import functools

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
        help="run what takes minutes: every model of keras.applications, all on JAX "
        "and PyTorch",
    )


def pytest_configure(config):
    for marker in (
        "applications: long, and chosen by --applications alone",
        "any_figure: draws figures that figure_checks.py need not like",
    ):
        config.addinivalue_line("markers", marker)


def pytest_collection_modifyitems(config, items):
    """Leaves out what only a flag asks for; pytest counts it as deselected."""
    if config.getoption("--applications"):
        return
    long = [item for item in items if item.get_closest_marker("applications")]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if item not in long]


@pytest.fixture(autouse=True)
def readable_figures(request, monkeypatch):
    """Holds every figure that a test makes to figure_checks.py."""
    if request.node.get_closest_marker("any_figure"):
        yield
        return
    # A test may be the first to import pyplot, which makes its figures of this class.
    from matplotlib.figure import Figure

    drawn, make = [], Figure.__init__

    @functools.wraps(make)
    def init(figure, *arguments, **options):
        make(figure, *arguments, **options)
        drawn.append(figure)

    monkeypatch.setattr(Figure, "__init__", init)
    yield
    if drawn:
        from figure_checks import problems

        assert [line for each in drawn for line in problems(each)] == []
