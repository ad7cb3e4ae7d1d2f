"""Starts a ledger to develop on and speaks with it. Nothing but Python is needed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import urllib.request
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Union

__all__ = ["Account", "Ledger", "LedgerError", "binary_path", "start_ledger"]

_PROGRAM = "xrpl-workload.exe" if os.name == "nt" else "xrpl-workload"


class LedgerError(Exception):
    """A request that the ledger refused; `error` is its token."""

    def __init__(self, method: str, result: Dict[str, Any]) -> None:
        message = result.get("error_message", "")
        super().__init__(f"{method}: {result.get('error')}{': ' if message else ''}{message}")
        self.error = result.get("error")
        self.result = result


@dataclass(frozen=True)
class Account:
    """An account that is there from the start."""

    address: str
    seed: str
    key_type: str
    drops: str


def binary_path() -> str:
    """Where the program is: $XRPL_STANDALONE_BIN, this package's bin/, or on the PATH."""
    given = os.environ.get("XRPL_STANDALONE_BIN")
    if given:
        if os.path.isfile(given) and os.access(given, os.X_OK):
            return given
        raise FileNotFoundError(f"XRPL_STANDALONE_BIN is {given}, which is no program that can be run")
    carried = Path(__file__).parent / "bin" / _PROGRAM
    if carried.is_file():
        return str(carried)
    found = shutil.which(_PROGRAM)
    if found:
        return found
    raise FileNotFoundError(
        f"{_PROGRAM} was not found: set XRPL_STANDALONE_BIN to it, put it on the PATH, or install a package that "
        "carries it"
    )


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(value)


class Ledger:
    """A ledger that runs in a process of its own. A context manager that ends it."""

    def __init__(self, process: "subprocess.Popen[str]", told: Dict[str, Any]) -> None:
        self._process = process
        self.rpc: str = told["rpc"]
        self.ws: str = told["ws"]
        self.faucet: str = told["faucet"]
        self.network_id: int = told["network_id"]
        self.accounts: List[Account] = [Account(**account) for account in told["accounts"]]

    def request(self, method: str, **params: Any) -> Dict[str, Any]:
        """Asks a method; its result, or a LedgerError."""
        body = json.dumps({"method": method, "params": [params]}).encode()
        request = urllib.request.Request(self.rpc, body, {"content-type": "application/json"})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as response:
            result = json.load(response)["result"]
        if result.get("status") != "success":
            raise LedgerError(method, result)
        return result

    def snapshot(self, name: Optional[str] = None) -> str:
        """Keeps the ledger as it is; the snapshot's name."""
        named = {} if name is None else {"snapshot": name}
        return self.request("standalone_snapshot", **named)["snapshot"]

    def revert(self, snapshot: str) -> None:
        """Goes back to a snapshot, which stays."""
        self.request("standalone_revert", snapshot=snapshot)

    def drop_snapshot(self, snapshot: str) -> None:
        self.request("standalone_drop_snapshot", snapshot=snapshot)

    def advance_time(self, seconds: int, close: bool = True) -> Dict[str, Any]:
        """Puts the clock forward and closes a ledger, unless told not to."""
        return self.request("standalone_advance_time", seconds=seconds, close=close)

    def close(self, count: int = 1) -> Dict[str, Any]:
        """Closes ledgers."""
        return self.request("standalone_close", count=count)

    def set_closing(self, mode: str, interval_ms: Optional[int] = None) -> None:
        """`manual`, `on-submit`, or `interval` with milliseconds."""
        more = {} if interval_ms is None else {"interval_ms": interval_ms}
        self.request("standalone_set_closing", mode=mode, **more)

    def stop(self) -> None:
        """Ends the ledger and waits until its process is gone."""
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait(timeout=30)
        if self._process.stdout:
            self._process.stdout.close()

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start_ledger(
    *,
    close: str = "on-submit",
    amendments: Union[str, Sequence[str], None] = None,
    binary: Optional[str] = None,
    args: Sequence[str] = (),
    timeout: float = 30,
    **settings: Any,
) -> Ledger:
    """Starts a ledger on free ports of this machine. It ends with this process, whatever happens to it.

    Settings are flags of `xrpl-workload standalone` with underscores: accounts, fund_drops, seed, key_type,
    start_time (a datetime too), network_id, ledger_interval, faucet_drops, state, import_ and so on.
    """
    command = [binary or binary_path(), "standalone", "--json", "--exit-on-stdin-eof"]
    command += ["--rpc-bind", "127.0.0.1:0", "--ws-bind", "127.0.0.1:0", "--close", close]
    for name, value in settings.items():
        if value is not None:
            command += ["--" + name.rstrip("_").replace("_", "-"), _text(value)]
    if amendments is not None:
        names = amendments if isinstance(amendments, str) else ",".join(amendments)
        command.append(f"--amendments={names}")
    command += args
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    timer = threading.Timer(timeout, process.kill)
    timer.start()
    try:
        line = process.stdout.readline() if process.stdout else ""
    finally:
        timer.cancel()
    if not line:
        complaint = process.stderr.read().strip() if process.stderr else ""
        code = process.wait()
        raise RuntimeError(f"the ledger did not start (exit code {code}): {complaint}")
    # What it says later must not fill the pipe.
    threading.Thread(target=_drain, args=(process.stderr,), daemon=True).start()
    return Ledger(process, json.loads(line))


def _drain(stream: Any) -> None:
    with stream:
        for _ in stream:
            pass
