"""The facts that lectures must assert: each is found in the cell that checks it.

The replay runs the cells, so an assertion that is there holds. This test fails when
one disappears. A fact is found by an expression inside an `assert` statement; the
spelling of numbers and the spaces do not matter.
"""

import ast

import nbformat
import pytest

from tools import notebooks

# Fact: lecture, and expressions that its assertions contain.
FACTS = {
    # Convolution arithmetic
    "(3, p0, k3, s1) -> 1": ("01_convolution", "output_size(3, 3) == 1"),
    "(3, p1, k3, s1) -> 3": ("01_convolution", "output_size(3, 3, p=1) == 3"),
    "(5, p1, k3, s2) -> 3": ("01_convolution", "output_size(5, 3, p=1, s=2) == 3"),
    "(6, p0, k2, s2) -> 3": ("01_convolution", "output_size(6, 2, s=2) == 3"),
    "AlexNet's (n - k) / s + 1": (
        "01_convolution",
        "(227 - 11) / 4 + 1 == output_size(227, 11, s=4) == 55",
    ),
    "32x32x3 -> 30x30x8": ("01_convolution", "x.shape[1:] == (30, 30, 8)"),
    "28x28x3 -> 26x26x16": ("01_convolution", "x.shape[1:] == (26, 26, 16)"),
    "26x26x16 -> 24x24x32": ("01_convolution", "conv(x).shape[1:] == (24, 24, 32)"),
    "its filters are 3x3x16": (
        "01_convolution",
        "conv.kernel.shape == (3, 3, 16, 32)",
    ),
    "64x64x3 -> 62x62x16 -> 60x60x32": (
        "01_convolution",
        "(first.output, second.output) == ('62x62x16', '60x60x32')",
    ),
    "parameters 432 and 4,608": (
        "01_convolution",
        "(first.parameters, second.parameters) == (432, 4608)",
    ),
    "O = I1*F1 + I2*F2 + I3*F3, on numbers": (
        "01_convolution",
        "parts.tolist() == [3, 4, 5]",
        "parts.sum() == 12",
    ),
    "O = I1*F1 + I2*F2 + I3*F3, on an image": (
        "01_convolution",
        "np.allclose(sum(by_colour.values()), total)",
    ),
    "3x3, 32 -> 64: 18,432": ("01_convolution", "direct == 18432"),
    "through 1x1 to 8 channels: 256 + 4,608 = 4,864": (
        "01_convolution",
        "through_8 == 256 + 4608 == 4864",
    ),
    "softmax lies in (0, 1) and sums to 1": (
        "01_convolution",
        "((0 < p) & (p < 1)).all()",
        "np.isclose(p.sum(), 1)",
    ),
    "another base is a temperature": (
        "01_convolution",
        "np.allclose(powers / powers.sum(), softmax(scores, T))",
    ),
    "Sequential cannot share, branch or take two inputs": (
        "01_convolution",
        "refused == 3",
    ),
    "the functional API can": (
        "01_convolution",
        "pair.count_params() == 448 + (32 + 1) + (16 + 1) * 10",
    ),
    # Costs
    "6x6x3 -> 4x4x5, full: 2,160": ("03_convolution_variants", "whole.macs == 2160"),
    "separable: 432 + 240 = 672": (
        "03_convolution_variants",
        "parts.macs == 432 + 240 == 672",
    ),
    "the ratio is 1/5 + 1/9": (
        "03_convolution_variants",
        "Fraction(672, 2160) == Fraction(1, 5) + Fraction(1, 9)",
    ),
    "12x12x3 -> 8x8x256, 5x5: 1,228,800": (
        "03_convolution_variants",
        "whole.rows[-1].output == parts.rows[-1].output == '8x8x256'",
        "whole.macs == 1228800",
    ),
    "separable: 4,800 + 49,152 = 53,952": (
        "03_convolution_variants",
        "parts.macs == 4800 + 49152 == 53952",
    ),
    "16 -> 32 channels, 3x3: 4,608 parameters": (
        "03_convolution_variants",
        "whole.parameters == 4608",
    ),
    "separable: 144 + 512 = 656": (
        "03_convolution_variants",
        "parts.parameters == 144 + 512 == 656",
    ),
    "Sobel separates": (
        "03_convolution_variants",
        "np.array_equal(sobel, np.outer([1, 2, 1], [-1, 0, 1]))",
    ),
    "[3, 4, 5]^T [1, 2, 3]": (
        "03_convolution_variants",
        "np.array_equal(example, np.outer([3, 4, 5], [1, 2, 3]))",
    ),
    # Normalisation
    "the four equations, in training": (
        "04_normalisation_regularisation",
        "np.allclose(trained, batch_norm(x, gamma, beta), atol=1e-4)",
    ),
    "and in inference": (
        "04_normalisation_regularisation",
        "np.allclose(inferred, expected, atol=1e-4)",
    ),
    # Modern architectures
    "parameters of ResNet-56 and -110 for CIFAR-10": (
        "10_resnet",
        "list(family.values())[3:] == [853018, 1727962]",
    ),
    "ResNeXt's block, one path": (
        "11_resnext",
        "256 * 64 + 3 * 3 * 64 * 64 + 64 * 256 == weights(1, 64) == 69632",
    ),
    "and 32 of 4 channels": (
        "11_resnext",
        "32 * (256 * 4 + 3 * 3 * 4 * 4 + 4 * 256) == weights(32, 4) == 70144",
    ),
    "what cardinality gains": (
        "11_resnext",
        "round(gain, 1) == {50: 1.7, 101: 0.8}[depth]",
    ),
    "MobileNet: 4.2 M parameters, 569 M multiply-adds": (
        "14_mobilenet",
        "round(small / 1e6, 1) == 4.2",
        "round(few / 1e6) == 569",
    ),
    "with full convolutions 29.3 M and 4,866 M": (
        "14_mobilenet",
        "round(large / 1e6, 1) == 29.3",
        "round((many - 1024000) / 1e6) == 4866",
    ),
    "EfficientNet halves before stages 3, 4, 5 and 7": (
        "16_efficientnet",
        "halving == [3, 4, 5, 7]",
    ),
    "B1 is 7.6 times smaller and 5.7 times faster": (
        "16_efficientnet",
        "f'{60000000.0 / parameters:.1f}' == '7.6'",
        "f'{0.554 / 0.098:.1f}' == '5.7'",
    ),
    # Practice
    "human 1%, training 10%, validation 10.2%: bias": (
        "21_debugging",
        "points == [9.0, 0.2, 0.2]",
    ),
}


def asserted(lecture):
    """The expressions in a lecture's assertions, whole ones and their parts.

    Returns:
        A set of expressions, spelled as `ast.unparse` spells them.
    """
    path = notebooks.FOLDER / f"{lecture}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    found = set()
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Assert):
                found |= {
                    ast.unparse(part)
                    for part in ast.walk(node.test)
                    if isinstance(part, ast.expr)
                }
    return found


@pytest.mark.parametrize("fact", FACTS)
def test_fact_is_asserted(fact):
    lecture, *expressions = FACTS[fact]
    found = asserted(lecture)
    for expression in expressions:
        spelled = ast.unparse(ast.parse(expression, mode="eval"))
        assert spelled in found, f"{lecture} asserts nowhere: {expression}"
