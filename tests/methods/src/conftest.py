"""Pictures for trainings of cells."""

import pytest
from small_pictures import write_mnist


@pytest.fixture(autouse=True, scope="module")
def _folder(tmp_path_factory):
    """Files of pictures that every test here finds."""
    folder = tmp_path_factory.mktemp("pictures")
    write_mnist(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPIKEBRIDGE_DATA", str(folder))
        yield
