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
        help="analyse every model of keras.applications at 224 and at 299 pixels",
    )
