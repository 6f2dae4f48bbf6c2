"""A page in headless Chromium, driven by selenium; tests are skipped where either is missing."""

import base64
import contextlib
import os
import shutil

import pytest


def why_not():
    """Why there is no browser, or None."""
    try:
        import selenium  # noqa: F401
    except ImportError:
        return 'selenium is not installed: pip install "jaxvqa[browser]"'
    if chromium() is None:
        return "Chromium is not installed: apt-get install chromium chromium-driver"
    if shutil.which("chromedriver") is None:
        return "its driver is not installed: apt-get install chromium-driver"
    return None


def chromium():
    """Where Chromium is, or None."""
    names = "chromium", "chromium-browser", "google-chrome"
    return next(filter(None, map(shutil.which, names)), None)


needs_browser = pytest.mark.skipif(why_not() is not None, reason=why_not() or "")


@contextlib.contextmanager
def browser(width=1280, height=900, dark=False):
    """A page of some width; below 600 columns it is a phone's.

    Its log keeps errors of scripts and refused loads; it never reaches a network.
    """
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = chromium()
    for argument in (
        "--headless=new", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage",
        "--host-resolver-rules=MAP * ~NOTFOUND", f"--window-size={width},{height}",
        *(["--no-sandbox"] if os.geteuid() == 0 else []),
    ):  # fmt: skip
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    driver = webdriver.Chrome(options=options, service=service)
    try:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        yield driver
    finally:
        driver.quit()


def picture(driver, path, top=0, height=None):
    """A picture of the page, or of a part of its height, as PNG."""
    width, whole = driver.execute_script(
        "return [innerWidth, document.documentElement.scrollHeight]"
    )
    height = min(height or whole, whole - top)
    clip = {"x": 0, "y": top, "width": width, "height": height, "scale": 1}
    found = driver.execute_cdp_cmd(
        "Page.captureScreenshot", {"format": "png", "captureBeyondViewport": True, "clip": clip}
    )
    path.write_bytes(base64.b64decode(found["data"]))
