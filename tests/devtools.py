"""A real Chromium, driven over its DevTools protocol: open a page, click, turn the wheel, ask, take a picture.

The browser and the tests talk through a pair of pipes, so that nothing listens on a port. No network is reached:
every host name is unknown to this browser.
"""

import base64
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

SECONDS = 30.0
"""How long anything may take before it counts as hung."""
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-extensions "
    "--disable-component-update --disable-sync --hide-scrollbars --remote-debugging-pipe"
).split()


class Tab:
    """One page of the browser. `console` holds what it complained of: errors, warnings and exceptions."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers, self._buffer, self._last = commands, answers, b"", 0
        self._session: str | None = None
        self.console: list[str] = []
        self._loaded = False
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "DOM"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Return the answer to one command of the protocol; raise RuntimeError where the browser refuses it."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + SECONDS
        while True:
            answer = self._receive(deadline)
            if answer is None:
                raise TimeoutError(f"{method}: no answer within {SECONDS:g} s")
            if answer.get("id") == self._last:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]

    def _receive(self, deadline: float) -> dict[str, Any] | None:
        """The next message, events noted; None where none comes in time."""
        while b"\0" not in self._buffer:
            if not select.select([self._answers], [], [], max(deadline - time.monotonic(), 0))[0]:
                return None
            chunk = os.read(self._answers, 1 << 20)
            if not chunk:
                raise RuntimeError("the browser has gone")
            self._buffer += chunk
        text, self._buffer = self._buffer.split(b"\0", 1)
        message = json.loads(text)
        self._note(message.get("method"), message.get("params", {}))
        return message

    def _note(self, method: str | None, params: dict[str, Any]) -> None:
        match method:
            case "Page.loadEventFired":
                self._loaded = True
            case "Runtime.consoleAPICalled" if params["type"] in ("error", "warning", "assert"):
                self.console.append(" ".join(str(arg.get("value", arg.get("description"))) for arg in params["args"]))
            case "Runtime.exceptionThrown":
                told = params["exceptionDetails"]
                self.console.append(told.get("exception", {}).get("description") or told["text"])
            case "Log.entryAdded" if params["entry"]["level"] in ("error", "warning"):
                self.console.append(params["entry"]["text"])
            case _:
                pass

    def open(self, page: Path | str, *, width: int = 1200, height: int = 900, dark: bool = False) -> None:
        """Load a file, or an address such as `file:///…#anchor`, and wait until it has loaded."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self._loaded = False
        told = self.call("Page.navigate", url=page.as_uri() if isinstance(page, Path) else page)
        if "loaderId" not in told:  # another anchor of the same page: nothing is loaded
            return
        deadline = time.monotonic() + SECONDS
        while not self._loaded:
            if self._receive(deadline) is None:
                raise TimeoutError("the page did not load")

    def evaluate(self, script: str) -> Any:
        """Return the value of an expression of JavaScript; a promise is waited for."""
        told = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in told:
            raise RuntimeError(told["exceptionDetails"].get("exception", {}).get("description", "an exception"))
        return told["result"].get("value")

    def wait(self, script: str, seconds: float = SECONDS) -> Any:
        """Return the first value of the expression that counts as true; raise TimeoutError where none comes."""
        deadline = time.monotonic() + seconds
        while not (found := self.evaluate(script)):
            if time.monotonic() > deadline:
                raise TimeoutError(f"never true: {script}; the console says {self.console}")
            time.sleep(0.05)
        return found

    def place(self, selector: str) -> tuple[float, float]:
        """Return the middle of the first element that `selector` finds, scrolled into view: pixels of the window."""
        script = (
            f"(async () => {{ const e = document.querySelector({json.dumps(selector)}); if (!e) return null; "
            "e.scrollIntoView({block: 'center', behavior: 'instant'}); "
            # Until the next picture is on the screen, the pointer would meet what was there before.
            "for (const _ of [1, 2]) await new Promise(requestAnimationFrame); const r = e.getBoundingClientRect(); "
            "return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        found = self.evaluate(script)
        if found is None:
            raise LookupError(f"no element is {selector}")
        return found[0], found[1]

    def _mouse(self, type: str, x: float, y: float, **more: Any) -> None:
        self.call("Input.dispatchMouseEvent", type=type, x=x, y=y, **more)

    def move(self, x: float, y: float) -> None:
        """Move the pointer there."""
        self._mouse("mouseMoved", x, y)

    def click(self, x: float, y: float, times: int = 1) -> None:
        """Click there; twice is a double click."""
        self.move(x, y)
        for count in range(1, times + 1):
            for type in ("mousePressed", "mouseReleased"):
                self._mouse(type, x, y, button="left", clickCount=count)

    def click_on(self, selector: str) -> None:
        """Click on the middle of an element."""
        self.click(*self.place(selector))

    def drag(self, x: float, y: float, to_x: float, to_y: float, steps: int = 5) -> None:
        """Press there, move, and let go."""
        self._mouse("mousePressed", x, y, button="left", clickCount=1)
        for step in range(1, steps + 1):
            share = step / steps
            self._mouse("mouseMoved", x + (to_x - x) * share, y + (to_y - y) * share, button="left", buttons=1)
        self._mouse("mouseReleased", to_x, to_y, button="left", clickCount=1)

    def wheel(self, x: float, y: float, down: float) -> None:
        """Turn the wheel there by `down` pixels; up where negative."""
        self._mouse("mouseWheel", x, y, deltaX=0, deltaY=down)

    def key(self, name: str) -> None:
        """Press and let go of a key that has a name: Enter, Tab, Escape, ArrowDown."""
        codes = {"Enter": 13, "Tab": 9, "Escape": 27, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
        text = {"text": "\r"} if name == "Enter" else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=name, windowsVirtualKeyCode=codes[name], **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=name, windowsVirtualKeyCode=codes[name])

    def write(self, text: str) -> None:
        """Write into what has the focus."""
        self.call("Input.insertText", text=text)

    def back(self) -> None:
        """Go back, as with the button."""
        self.evaluate("history.back()")

    def screenshot(self, path: Path | str, *, whole: bool = False) -> None:
        """Write a picture (PNG) of the window, or of the whole page."""
        told = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        Path(path).write_bytes(base64.b64decode(told["data"]))


@contextmanager
def browser(profile: Path, *flags: str) -> Iterator[Tab]:
    """Give a tab of a new headless Chromium with its own profile; skip the test where there is none."""
    found = [shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")]
    if not any(found):
        pytest.skip("no Chromium here, so nobody has looked at the page")
    program = next(name for name in found if name)
    (read_commands, commands), (answers, write_answers) = os.pipe(), os.pipe()
    own = [f"--user-data-dir={profile}", "--host-resolver-rules=MAP * ~NOTFOUND", *flags, "about:blank"]
    process = _start([program, *FLAGS, *own], read_commands, write_answers)
    os.close(read_commands)
    os.close(write_answers)
    try:
        tab = Tab(commands, answers)
        yield tab
        tab._session = None
        with suppress(RuntimeError, TimeoutError):
            tab.call("Browser.close")
    finally:
        for end in (commands, answers):
            os.close(end)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _start(command: Sequence[str], reads: int, writes: int) -> "subprocess.Popen[bytes]":
    """Start the browser; it reads commands from its descriptor 3 and answers on 4."""
    # The shell puts the descriptors in their places: Python may not run code of its own after a fork.
    script = f'exec "$@" 3<&{reads} 4>&{writes}'
    shell = ["bash", "-c", script, "browser", *command]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(shell, pass_fds=(reads, writes), stdin=quiet, stdout=quiet, stderr=quiet)
