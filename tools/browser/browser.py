"""Starts Chromium, and asks of any page what a reader would ask."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from tools.environment import CourseError

# Height and width of a laptop and of a phone, in CSS pixels.
SCREENS = {"laptop": (1280, 800), "phone": (390, 844)}
# One step of a page on a slow machine: a page with formulas takes the longest.
STEP_SECONDS = 120
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
_NO_PLAYWRIGHT = (
    "Playwright is missing: install it into this environment (python -m pip install "
    "playwright), and a browser where the system has none (python -m playwright "
    "install chromium)"
)


@contextlib.contextmanager
def page(width: int, height: int) -> Iterator:
    """Opens an empty page of a browser, and closes the browser in the end.

    Args:
        width, height: what can be seen of a page, in CSS pixels.

    Yields:
        A `playwright.sync_api.Page`; `page.errors` holds what went wrong in it.

    Raises:
        CourseError: if there is no Playwright or no browser.
    """
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        raise CourseError(_NO_PLAYWRIGHT) from None
    program = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    with sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(executable_path=program)
        except Error as problem:
            reason = str(problem).strip().splitlines()[0]
            raise CourseError(
                f"no browser starts: {reason}. {_NO_PLAYWRIGHT}"
            ) from None
        with contextlib.closing(chromium):
            opened = chromium.new_page(viewport={"width": width, "height": height})
            opened.set_default_timeout(1000 * STEP_SECONDS)
            opened.errors = []
            opened.on("pageerror", lambda error: opened.errors.append(str(error)))
            yield opened


# What is broken wherever it stands: images that did not load or have no text, formulas
# that could not be set.
_BROKEN = """(texts) => {
  const found = [];
  for (const image of document.images) {
    if (!image.getClientRects().length) continue;
    const name = image.alt || image.src.slice(0, 60);
    if (texts && !image.alt) found.push(`an image without a text: ${name}`);
    const local = !/^https?:/.test(image.src) || image.src.includes(location.host);
    if (local && !image.naturalWidth) found.push(`an image did not load: ${name}`);
  }
  for (const formula of document.querySelectorAll('mjx-merror, .MathJax_Error'))
    found.push(`a formula is not shown: ${formula.textContent}`);
  return found;
}"""


def broken(page, texts: bool = True) -> list[str]:
    """Returns a line for everything on a page that is not shown as it should be.

    Args:
        page: what `page` opened.
        texts: whether images must have their text alternatives.
    """
    return [*page.errors, *page.evaluate(_BROKEN, texts)]


def shoot(page, folder: Path, name: str) -> None:
    """Stores what can be seen of a page as `name.png`."""
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{name}.png")
