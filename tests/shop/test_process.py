"""The shop as a process, and as a thread."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from aftercare.demo.shop.records import Database
from aftercare.demo.shop.retail import RETAIL
from aftercare.demo.shop.service import create_app
from aftercare.demo.shop.serving import running


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_the_process_serves_until_told_to_stop(small_data: Path, stop: signal.Signals) -> None:
    """It says one line with its address, answers there, and leaves in peace."""
    command = [sys.executable, "-m", "aftercare.demo.shop", "--data", str(small_data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout is not None
        address = process.stdout.readline().removeprefix("listening on ").strip()
        assert httpx.get(f"{address}/health").json() == {"status": "ok"}
        process.send_signal(stop)
        assert process.communicate(timeout=20) == ("", "")
    assert process.returncode == 0


def test_the_process_serves_the_line_of_business_it_is_told(tmp_path: Path) -> None:
    """`--domain airline` has the airline's tools, and none of the shop's."""
    data = tmp_path / "airline.json"
    data.write_text('{"flights": {}, "reservations": {}, "users": {}}')
    command = [sys.executable, "-m", "aftercare.demo.shop", "--domain", "airline", "--data", str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout is not None
        address = process.stdout.readline().removeprefix("listening on ").strip()
        tools = f"{address}/copies/one/tools"
        assert httpx.post(f"{tools}/list_all_airports", json={}).json()["result"]["SFO"] == "San Francisco"
        assert httpx.post(f"{tools}/list_all_product_types", json={}).status_code == 404
        process.terminate()


def test_a_kept_database_outlives_the_process(tmp_path: Path, small_data: Path) -> None:
    """What was changed is still there when the shop opens again on the same file."""
    for expected in (200, 409):
        database = Database(tmp_path / "kept.sqlite")
        database.load(small_data)
        with running(create_app(database, RETAIL)) as address:
            wanted = {"order_id": "#W1", "reason": "no longer needed"}
            answer = httpx.post(f"{address}/copies/one/tools/cancel_pending_order", json=wanted)
            assert answer.status_code == expected
