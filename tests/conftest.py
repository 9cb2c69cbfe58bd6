"""Options of the tests."""


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
