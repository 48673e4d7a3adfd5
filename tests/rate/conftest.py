from pathlib import Path

import pytest

from bridge.tasks import load_task_file


@pytest.fixture(autouse=True)
def _short_task():
    """A task of 12 steps is known, in these tests alone: 200 would take longer."""
    load_task_file(Path(__file__).parents[1] / "studies" / "short_task.py")
