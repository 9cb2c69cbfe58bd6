"""What GitHub keeps of HTML, and which sources a text cites."""

import tomllib
from pathlib import Path

import pytest

from tools import citations, github

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<details><summary>Solution</summary>a < b</details>", []),
        ('<td style="text-align: right">1</td>', []),
        ('<td align="right" colspan="2">1</td><br>', []),
        ("x<sub>1</sub> and 3 < 4", []),
        ('<img src="a.png" alt="A cat" width="32">', []),
        ('<td style="text-align:right;color:red">1</td>', ["style= of <td>"]),
        ("<style>td { color: red }</style>", ["<style>"]),
        ('<div class="note" onclick="f()">', ["class= of <div>", "onclick= of <div>"]),
        ("<script>1</script><svg></svg>", ["<script>", "<svg>"]),
    ],
)
def test_what_github_drops(text, expected):
    assert github.dropped(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He et al. (2016) add.", [("He", 2016)]),
        ("Glorot and Bengio (2010) keep.", [("Glorot and Bengio", 2010)]),
        ("Hu, Shen and Sun (2017) let", [("Hu and Shen and Sun", 2017)]),
        ("as others (van Laarhoven, 2017)", [("van Laarhoven", 2017)]),
        ("pads (C.-Y. Lee et al., 2015).", [("Lee", 2015)]),
        (
            "(Wu and He, 2018; Li et al., ICLR 2014)",
            [("Wu and He", 2018), ("Li", 2014)],
        ),
        ("In 1989 LeCun and colleagues read", []),
        ("Network in Network (ICLR 2014), ILSVRC 2015, until (May 2019)", []),
        ("AlexNet (2012) and MobileNetV2 (2018)", []),
        ("a list (32, 2048) and $x$ (2, 1024)", []),
        ("[He et al. (2016)](https://x.org/(2017)) `Li (2018)`", [("He", 2016)]),
    ],
)
def test_what_a_text_cites(text, expected):
    found = citations.cited(text)
    assert [(" and ".join(source.authors), source.year) for source in found] == expected


@pytest.mark.parametrize(
    ("entry", "same"),
    [
        ("- K. He et al., *Deep Residual Learning*, 2016, https://x.org", True),
        ("- K. He et al., *Deep Residual Learning*, 2015, https://x.org", True),
        ("- K. He et al., *Mask R-CNN*, 2018, https://x.org", False),
        ("- T. Chen, *Helium*, 2016, https://x.org", False),
    ],
)
def test_source_is_found_among_the_references(entry, same):
    assert citations.Citation(("He",), 2016).matches(entry) is same


def test_licence_of_the_code_is_the_package_s():
    text = (ROOT / "LICENSE").read_text("utf-8")
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert text.startswith("MIT License\n\nCopyright (c) ")
    assert settings["license"] == "MIT" and settings["license-files"] == ["LICENSE"]
    readme = (ROOT / "README.md").read_text("utf-8").partition("\n## Licence\n")[2]
    assert "[MIT licence](LICENSE)" in readme
    assert "https://creativecommons.org/licenses/by/4.0/" in readme
