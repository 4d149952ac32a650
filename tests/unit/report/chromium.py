"""Debian's Chromium, driven through its own driver over WebDriver's plain HTTP: no further library is needed."""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import requests

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver") or shutil.which("chromedriver", path="/usr/lib/chromium")
PATIENCE_S = 30
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""The key under which WebDriver names an element."""

KEYS = {"Enter": "\ue007", "Tab": "\ue004", "Escape": "\ue00c", "Space": " ", "Shift": "\ue008"}


IS_MISSING = CHROMIUM is None or DRIVER is None


class Browser:
    """One headless window; `logs` come from the browser itself, its network log included."""

    def __init__(self, root):
        self.root = root
        options = {
            "binary": CHROMIUM,
            "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                     "--force-color-profile=srgb"],
        }  # fmt: skip
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}
        started = self._send("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self.session = f"/session/{started['sessionId']}"

    def _send(self, method, path, body=None):
        with requests.Session() as http:
            http.trust_env = False
            answer = http.request(method, self.root + path, json=body, timeout=120)
        value = answer.json()["value"]
        assert answer.ok, value
        return value

    def call(self, method, path, body=None):
        return self._send(method, self.session + path, body)

    def open(self, path, fragment="", *, width=1280, height=900, dark=False, media=""):
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.cdp("Emulation.setEmulatedMedia", media=media, features=features)
        self.cdp(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        self.call("POST", "/url", {"url": "about:blank"})
        self.logs("browser"), self.logs("performance")
        self.call("POST", "/url", {"url": f"file://{path}" + (f"#{fragment}" if fragment else "")})

    def cdp(self, command, **parameters):
        return self.call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def logs(self, kind):
        return self.call("POST", "/se/log", {"type": kind})

    def run(self, script, *arguments):
        return self.call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def press(self, *keys):
        steps = [{"type": kind, "value": KEYS[key]} for key in keys for kind in ("keyDown", "keyUp")]
        self.call("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": steps}]})

    def click(self, selector):
        self.run("document.querySelector(arguments[0]).scrollIntoView({block: 'center'})", selector)
        found = self.call("POST", "/element", {"using": "css selector", "value": selector})[ELEMENT]
        self.call("POST", f"/element/{found}/click", {})

    def requests(self):
        """Addresses that were asked for since the page was opened."""
        events = [json.loads(entry["message"])["message"] for entry in self.logs("performance")]
        return [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]

    def complaints(self):
        """What the console says since the page was opened."""
        return [entry["message"] for entry in self.logs("browser")]

    def picture(self, path, *, whole=False):
        taken = self.cdp("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        Path(path).write_bytes(base64.b64decode(taken["data"]))

    def pdf(self):
        return base64.b64decode(
            self.call("POST", "/print", {"background": False, "page": {"width": 21.0, "height": 29.7}})
        )

    def close(self):
        self.call("DELETE", "")


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def wait_for(root, process):
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        assert process.poll() is None, "chromedriver ended"
        try:
            with requests.Session() as http:
                http.trust_env = False
                if http.get(f"{root}/status", timeout=2).json()["value"]["ready"]:
                    return
        except requests.ConnectionError:
            time.sleep(0.1)
    raise AssertionError("chromedriver does not answer")


@contextmanager
def running(home):
    """A browser whose profile lies below `home`."""
    port = free_port()
    environment = {**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home), "XDG_CACHE_HOME": str(home)}
    with (home / "log").open("wb") as log:
        process = subprocess.Popen([DRIVER, f"--port={port}"], env=environment, stdout=log, stderr=log)
    try:
        root = f"http://127.0.0.1:{port}"
        wait_for(root, process)
        browser = Browser(root)
        yield browser
        browser.close()
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE_S)
