"""The palette for every kind of colour vision, and the checks of all other figures."""

import ast
import itertools
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from figure_checks import DIVERGING, SEQUENTIAL, contrast, linear, problems
from matplotlib import colormaps
from matplotlib.colors import to_rgb

from helpers.plots import palette

pytest_plugins = "pytester"
ROOT = Path(__file__).parent.parent
# What a person without one kind of cones sees, as a matrix on linear RGB: G. Machado,
# M. Oliveira and L. Fernandes, A Physiologically-based Model for Simulation of Color
# Vision Deficiency, 2009, https://doi.org/10.1109/TVCG.2009.113, severity 1.
VISION = {
    "full colour vision": np.eye(3),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
# Linear RGB to XYZ (IEC 61966-2-1), and the white that the XYZ are divided by.
TO_XYZ = np.array(
    (
        (0.4124, 0.3576, 0.1805),
        (0.2126, 0.7152, 0.0722),
        (0.0193, 0.1192, 0.9505),
    )
)
# A difference of 2.3 is just noticed side by side; across a figure it takes more.
APART = 15


def lab(colours, vision: str) -> np.ndarray:
    """Returns sRGB colours as someone sees them, in CIELAB."""
    seen = np.clip(linear(colours) @ np.transpose(VISION[vision]), 0, 1)
    scaled = seen @ TO_XYZ.T / TO_XYZ.sum(axis=1)
    f = np.where(
        scaled > (6 / 29) ** 3, np.cbrt(scaled), scaled * (29 / 6) ** 2 / 3 + 4 / 29
    )
    x, y, z = np.moveaxis(f, -1, 0)
    return np.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), axis=-1)


@pytest.mark.parametrize(
    ("colour", "expected"),
    # Computed by the package colorspacious 1.1.2.
    [
        ("#ffffff", (100, 0, 0)),
        ("#0072B2", (45.97, -2.74, -41.37)),
        ("#D55E00", (54.19, 43.28, 63.28)),
    ],
)
def test_lab_of_known_colours(colour, expected):
    got = lab(to_rgb(colour), "full colour vision")
    assert got == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize("vision", VISION)
def test_any_two_colours_differ(vision):
    seen = lab([to_rgb(colour) for colour in palette.COLOURS], vision)
    pairs = itertools.combinations(range(len(seen)), 2)
    distances = {pair: np.linalg.norm(np.subtract(*seen[list(pair)])) for pair in pairs}
    closest = min(distances, key=distances.get)
    names = [palette.COLOURS[place] for place in closest]
    assert distances[closest] > APART, names


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("name", SEQUENTIAL)
def test_scales_go_from_dark_to_light(name, vision):
    lightness = lab(colormaps[name](np.linspace(0, 1, 64))[:, :3], vision)[:, 0]
    steps = np.diff(lightness) * np.sign(lightness[-1] - lightness[0])
    assert abs(lightness[-1] - lightness[0]) > 50 and steps.min() > -0.3


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("name", DIVERGING)
def test_scales_of_signs_have_a_light_middle_and_unlike_ends(name, vision):
    seen = lab(colormaps[name](np.linspace(0, 1, 65))[:, :3], vision)
    assert (np.diff(seen[:33, 0]) > -0.3).all()
    assert (np.diff(seen[32:, 0]) < 0.3).all()
    # The same distance from zero, on both sides: never the same colour.
    apart = np.linalg.norm(seen[:24] - seen[:-25:-1], axis=1)
    assert apart.min() > APART


def test_seven_curves_and_seven_series_share_nothing():
    for kind, other in ((palette.line, "linestyle"), (palette.mark, "marker")):
        drawn = [kind(index) for index in range(7)]
        assert len({each["color"] for each in drawn}) == 7
        assert len({each[other] for each in drawn}) == 7


def test_contrast_is_that_of_the_guidelines():
    assert contrast(to_rgb("white"), to_rgb("black")) == pytest.approx(21)
    # The grey that the guidelines' authors name as the lightest for text on white.
    assert contrast(to_rgb("#767676"), to_rgb("white")) == pytest.approx(4.54, abs=0.01)


def test_colours_stand_in_the_palette_alone():
    found = []
    for path in sorted((ROOT / "helpers").rglob("*.py")):
        if path.name == "palette.py":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            value = getattr(node, "value", None)
            if isinstance(node, ast.Constant) and _chromatic(value):
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}: {value}")
    assert found == [], "take colours from helpers.plots.palette"


def _chromatic(text) -> bool:
    """Tells whether a string is #rrggbb with a hue."""
    if not isinstance(text, str) or len(text) != 7 or text[0] != "#":
        return False
    try:
        red, green, blue = to_rgb(text)
    except ValueError:
        return False
    return not red == green == blue


@pytest.fixture
def axes():
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


def test_sound_figure_has_no_problems(axes):
    for index in range(7):
        axes.plot([0, 1], [0, index], **palette.line(index), label=str(index))
    axes.scatter([0, 1], [1, 0], c=[0, 1], cmap="viridis")
    axes.legend()
    assert problems(axes.figure) == []


BREAKS = {
    "has a colour that helpers.plots.palette has not": lambda axes: axes.plot(
        [0, 1], [0, 1], color="#ff0000"
    ),
    "a Rectangle has a colour": lambda axes: axes.bar([0], [1], color="tab:green"),
    "nothing but colour tells 'a' from 'b'": lambda axes: [
        axes.plot([0, 1], [0, i], color=palette.COLOURS[i], label="ab"[i])
        for i in (0, 1)
    ],
    "the scale 'jet' is none": lambda axes: axes.imshow([[0, 1]], cmap="jet"),
    "the text 'faint' has a contrast of 2": lambda axes: axes.set_title(
        "faint", color="0.7"
    ),
    "the text 'on blue' has a contrast of": lambda axes: (
        axes.set_facecolor(palette.BLUE),
        axes.text(0.3, 0.5, "on blue"),
    ),
    "'away' lies outside": lambda axes: axes.text(30, 30, "away"),
}


@pytest.mark.parametrize("problem", BREAKS)
@pytest.mark.any_figure
def test_each_check_sees_its_problem(axes, problem):
    BREAKS[problem](axes)
    found = problems(axes.figure)
    assert len(found) == 1 and problem in found[0]


DRAWING = """
import pytest


def draw(colour):
    import matplotlib.pyplot as plt  # as helpers do, when they draw

    figure, axes = plt.subplots()
    axes.plot([0, 1], color=colour)
    plt.close(figure)


def test_fine():
    draw("black")


def test_wrong():
    draw("#ff0000")


@pytest.mark.any_figure
def test_meant_to_be_wrong():
    draw("#ff0000")
"""


@pytest.mark.any_figure
def test_whichever_test_draws_is_held_to_the_checks(pytester):
    pytester.makeconftest((ROOT / "tests" / "conftest.py").read_text("utf-8"))
    pytester.makepyfile(DRAWING)
    done = pytester.runpytest()
    done.assert_outcomes(passed=3, errors=1)
    done.stdout.fnmatch_lines(["*ERROR at teardown of test_wrong*"])
    assert "colour that helpers.plots.palette has not" in done.stdout.str()
