from pathlib import Path

import pytest

from bridge.tasks import load_task_file


@pytest.fixture(autouse=True)
def _short_task():
    """A short task is known, in these tests alone."""
    load_task_file(Path(__file__).with_name("short_task.py"))
