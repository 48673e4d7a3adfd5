"""How a task shows pictures, held against how a network learned to see them."""

from bridge.errors import SpecError
from bridge.tasks.names import IMAGES, task
from bridge.tasks.trials import Task


def check_shown(learned: object, shown: Task) -> None:
    """Raise SpecError where a task shows pictures in another way than a network learned.

    Args:
        learned: What the network's provenance says of it as its "encoding"; None: nothing.
        shown: The task; where it is not one of pictures, nothing is said.
    """
    encoding = getattr(shown, "encoding", None)
    if learned is not None and encoding is not None and learned != encoding.told():
        raise SpecError(
            f"task {shown.name}: shows pictures by {encoding.told()}, and this network was trained "
            f"on {learned}"
        )


def check_shown_by_name(learned: object, name: str) -> None:
    """The same of the task that a drive names; of one of a user's own nothing is said."""
    # Other tasks than pictures, which this process may not know, have no encoding.
    if learned is not None and name.partition(":")[0] in IMAGES:
        check_shown(learned, task(name))
