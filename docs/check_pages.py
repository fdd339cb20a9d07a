"""Open every built page in Chromium, as a reader does on a phone and at a desk.

A page must say no error in the console, ask for nothing from elsewhere, and need no
scrolling sideways on a phone; the search must find what people ask for. Without
Chromium, or selenium, nothing is checked, and that is said.
"""

import shutil
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

PHONE, DESK = 390, 1400
WORDS = (
    *("pandas", "DataFrame", "json", "sentence", "missing values", "quality"),
    *("hospital", "command line", "FAQ", "glossary", "cite", "changelog", "install"),
    *("GPU", "images", "text", "Opacus", "diffprivlib", "GridSearchCV", "parquet"),
    *("save", "report", "imbalanced", "epsilon", "budget", "sample", "types"),
)
# What a page has to be waited for: formulas that are being set.
_READY = """
const done = arguments[arguments.length - 1];
const typeset = window.MathJax && window.MathJax.startup;
(typeset ? window.MathJax.startup.promise : Promise.resolve()).then(() => done());
"""
_TOO_WIDE = """
const width = document.documentElement.clientWidth;
if (document.documentElement.scrollWidth <= width) return null;
const wide = [...document.querySelectorAll("main *")].filter(
  (one) => one.getBoundingClientRect().right > width + 1);
const names = wide.map((one) => one.tagName.toLowerCase() + "." + one.className);
return `${document.documentElement.scrollWidth} px: ` + names.slice(0, 3).join(", ");
"""


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder, and does not tell of each request."""

    def log_message(self, *args):
        """Say nothing."""


def serve(folder):
    """Serve a folder on this machine, and return its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def open_browser():
    """Return a browser without a window, or say why there is none and return None."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if chromium is None or driver is None:
        print("skipped: no chromium with its chromedriver is installed")
        return None
    try:
        from selenium import webdriver
    except ImportError:
        print("skipped: pip install selenium")
        return None
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for one in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "disable-gpu"):
        options.add_argument(f"--{one}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(executable_path=driver)
    browser = webdriver.Chrome(options=options, service=service)
    browser.set_script_timeout(60)
    return browser


def set_width(browser, width):
    """Give pages a width, also one that no window of a desk has."""
    screen = {"width": width, "height": 900, "deviceScaleFactor": 1}
    screen["mobile"] = width == PHONE
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)


def faults_of(browser, address):
    """Yield what is wrong with a page at the width that is set."""
    browser.get(address)
    browser.execute_async_script(_READY)
    for entry in browser.get_log("browser"):
        if entry["level"] == "SEVERE":
            yield f"console: {entry['message']}"
    wide = browser.execute_script(_TOO_WIDE)
    if wide is not None:
        yield f"wider than the screen: {wide}"


def n_found(browser, address, word):
    """Return how many pages a search finds."""
    from selenium.common.exceptions import TimeoutException
    from selenium.webdriver.support.ui import WebDriverWait

    browser.get(f"{address}/search.html?q={quote(word)}")
    # Results come one after the other; the first will do.
    found = "return document.querySelectorAll('#search-results ul.search li').length"
    over = (
        "return !!document.querySelector('#search-results .search-summary')?.innerText"
    )
    wait = WebDriverWait(browser, 15, poll_frequency=0.05)
    try:
        wait.until(lambda one: one.execute_script(found) or one.execute_script(over))
    except TimeoutException:
        return 0
    return browser.execute_script(found)


def main(folder):
    """Check all pages of a folder; return the number of faults, and print them."""
    pages = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.html"))
    pages = [page for page in pages if not page.startswith("_")]
    if not pages:
        print(f"{folder} has no pages")
        return 1
    browser = open_browser()
    if browser is None:
        return 0
    address, n_faults = serve(folder), 0
    try:
        for width in (DESK, PHONE):
            set_width(browser, width)
            for page in pages:
                for fault in faults_of(browser, f"{address}/{page}"):
                    print(f"{page} at {width} px: {fault}")
                    n_faults += 1
        for word in WORDS:
            if not n_found(browser, address, word):
                print(f"search finds nothing for {word!r}")
                n_faults += 1
    finally:
        browser.quit()
    print(f"{len(pages)} pages at 2 widths, {len(WORDS)} searches: {n_faults} faults")
    return n_faults


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])) > 0)
