"""Options of the tests."""


def pytest_addoption(parser):
    parser.addoption(
        "--kills",
        type=int,
        default=25,
        metavar="N",
        help="how often test_kills.py kills a training (default: 25)",
    )
