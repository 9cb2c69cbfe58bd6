"""Compares arrays by name, to the last bit."""


def assert_same_bits(expected, found):
    """Asserts that two dictionaries hold the same arrays.

    Args:
        expected: Arrays by name.
        found: Arrays by name, in the same order.

    Returns:
        How many arrays were compared.
    """
    assert list(expected) == list(found)
    for name, array in expected.items():
        assert array.dtype == found[name].dtype, name
        assert array.shape == found[name].shape, name
        assert array.tobytes() == found[name].tobytes(), name
    return len(expected)
