from pathlib import Path

import pytest

from bridge.tasks import load_task_file, names


@pytest.fixture(autouse=True)
def _short_task(monkeypatch):
    """A short task is known, in these tests alone."""
    monkeypatch.setattr(names, "_own", dict(names._own))
    load_task_file(Path(__file__).with_name("short_task.py"))
