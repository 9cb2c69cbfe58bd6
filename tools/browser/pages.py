"""Reads the built website in a browser, at the width of a laptop and of a phone."""

import functools
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tools.browser import browser
from tools.environment import CourseError

# A page that is wider than the screen has to be pushed to and fro for every line.
_WIDE = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width + 1) return '';
  const wide = [...document.querySelectorAll('article *')].find(node =>
    node.getBoundingClientRect().right > width + 1 &&
    getComputedStyle(node.parentElement).overflowX === 'visible');
  return wide ? wide.outerHTML.slice(0, 80) : 'the page itself';
}"""
WORD = "receptive"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format, *args):
        """Says nothing of each file that the browser asks for."""


def read(folder: Path, screenshots: Path) -> list[str]:
    """Opens every page of a website.

    Args:
        folder: the website, as `course.py site` builds it.
        screenshots: gets a picture of the front page, of the search and of the first
            lectures, at every width.

    Returns:
        A line for everything that is not as it should be.

    Raises:
        CourseError: if there is no website or no browser.
    """
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*.html")]
    if "index.html" not in names:
        raise CourseError(f"{folder} has no website: python3 course.py site builds it")
    handler = functools.partial(_Quiet, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        root = "http://{}:{}".format(*server.server_address)
        try:
            return _read_all(root, sorted(names), screenshots)
        finally:
            server.shutdown()


def _read_all(root: str, names: list[str], screenshots: Path) -> list[str]:
    found, shot = [], {"index.html", *[n for n in names if "notebooks/" in n][1:3]}
    for screen, (width, height) in browser.SCREENS.items():
        with browser.page(width, height) as page:
            # Where there is no Playwright, the line above has said so.
            from playwright.sync_api import TimeoutError

            # Badges are the hosts' own, and are not fetched for a look.
            page.route(
                "**/*",
                lambda route: (
                    route.continue_()
                    if route.request.url.startswith(root)
                    else route.abort()
                ),
            )
            for name in names:
                page.goto(f"{root}/{name}", wait_until="load")
                page.wait_for_function(
                    "() => !window.MathJax?.startup?.promise || "
                    "window.MathJax.startup.promise.then(() => true)"
                )
                wide = page.evaluate(_WIDE)
                lines = [f"wider than the screen: {wide}"] if wide else []
                lines += browser.broken(page)
                found += [f"{name} on a {screen}: {line}" for line in lines]
                page.errors.clear()
                if name in shot:
                    file = f"site-{Path(name).stem}-{screen}"
                    page.set_viewport_size({"width": width, "height": 4 * height})
                    browser.shoot(page, screenshots, file)
                    page.set_viewport_size({"width": width, "height": height})
            page.goto(f"{root}/search.html?q={WORD}")
            results = page.locator("ul.search li")
            try:
                results.first.wait_for()
            except TimeoutError:
                found.append(f"the search for {WORD!r} finds nothing on a {screen}")
            browser.shoot(page, screenshots, f"site-search-{screen}")
    return found
