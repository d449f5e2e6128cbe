"""A real Chromium against a real server on a county of one's own.

`site("prepared")` starts the site on loopback over a fresh copy of that stage; `site.browse()` opens a browser window,
`site.sign_in("finance-releaser")` one in which somebody has signed in. Whatever a page asked of another host, and
every error in its console, is kept with the window. A missing Chromium fails the tests; it never skips them.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.core.management import call_command
from playwright.sync_api import Browser, Page, sync_playwright

from huimin.demo.actors import demo_password

# The browser's driver runs an event loop in this thread; Django is used beside it, not inside.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

ROOT = Path(__file__).resolve().parents[2]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NOT_SERVED = ("*.scss", "*.map", "*.njk", "*.mjs", "*.yaml", "*.json", "*.html")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.fail("浏览器测试需要 Chromium：请执行 make browser，或由管理员执行 apt-get install chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=FLAGS, headless=True)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def assets(stages: object) -> None:
    """Style sheets and scripts where the server finds them."""
    call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=list(NOT_SERVED))


@dataclass
class Window:
    """One browser window with what went wrong in it."""

    page: Page
    url: str
    errors: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        self.page.goto(self.url + path)
        return self.page

    def heard(self, kind: str, text: str, about: str = "") -> None:
        # Asked what a page says before our style sheet is there, the browser looks for GOV.UK's fonts, which nobody serves.
        if kind in ("error", "warning") and "/assets/fonts/" not in about:
            self.errors.append(f"{self.page.url}: {text}")

    def asked(self, address: str) -> None:
        if not address.startswith((self.url, "data:")):
            self.elsewhere.append(address)


@dataclass
class Site:
    """A running site."""

    url: str
    browser: Browser
    windows: list[Window] = field(default_factory=list)

    def browse(self, width: int = 1366, height: int = 768) -> Window:
        context = self.browser.new_context(viewport={"width": width, "height": height}, locale="zh-CN")
        window = Window(context.new_page(), self.url)
        window.page.on("console", lambda said: window.heard(said.type, said.text, said.location.get("url", "")))
        window.page.on("pageerror", lambda error: window.heard("error", str(error)))
        window.page.on("request", lambda request: window.asked(request.url))
        self.windows.append(window)
        return window

    def sign_in(self, username: str, **size: int) -> Window:
        window = self.browse(**size)
        page = window.open("/sign-in/")
        page.fill("#id_username", username)
        page.fill("#id_password", demo_password())
        page.click("main button")
        page.wait_for_url(lambda address: "/sign-in/" not in address)  # loaded: a key pressed before is nobody's
        return window


@pytest.fixture
def site(county: Callable[[str], str], chromium: Browser, assets: None) -> Iterator[Callable[[str], Site]]:
    servers: list[subprocess.Popen[bytes]] = []
    made: list[Site] = []

    def at(stage: str) -> Site:
        county(stage)
        url, server = _serve()
        servers.append(server)
        made.append(Site(url, chromium))
        return made[-1]

    yield at
    for each in made:
        for window in each.windows:
            window.page.context.close()
    for server in servers:
        server.terminate()
        server.wait(timeout=20)


def _serve() -> tuple[str, subprocess.Popen[bytes]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "huimin.wsgi:application", "--bind", f"127.0.0.1:{port}"]
    command += ["--workers", "1", "--threads", "8", "--worker-class", "gthread", "--log-level", "error"]
    command += ["--no-control-socket"]
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    server = subprocess.Popen(command, cwd=ROOT, env=environment)
    url = f"http://127.0.0.1:{port}"
    for _ in range(100):
        try:
            urllib.request.urlopen(f"{url}/sign-in/", timeout=30).close()
            return url, server
        except (urllib.error.URLError, OSError):
            assert server.poll() is None, "the server did not start"
            time.sleep(0.1)
    raise AssertionError("the server did not answer")
