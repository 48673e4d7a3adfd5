"""What runs on this machine: its devices, and on which of them each backend runs."""

import os
import shutil
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

import torch

from bridge.backends.declaration import Declaration, declared
from bridge.backends.devices import why_not_seen


def devices_here() -> dict[str, str]:
    """GPUs that torch sees, by the names that options take; or why it sees none."""
    count = torch.cuda.device_count()
    if not count:
        return {"GPU": f"none: {why_not_seen()}"}
    told = [torch.cuda.get_device_properties(number) for number in range(count)]
    return {
        f"cuda:{number}": f"{each.name}, {each.total_memory / 2**30:.0f} GiB"
        for number, each in enumerate(told)
    }


def backends_here() -> dict[str, str]:
    """Where each backend runs, by its name."""
    return {name: _told(said) for name, said in declared().items()}


def _told(said: Declaration) -> str:
    try:
        package = f"{said.package} {version(said.package)}"
    except PackageNotFoundError:
        return f"no: {said.package} is not installed"
    lacking = [tool for tool in said.tools if shutil.which(tool) is None]
    on_cpu = f"CPU needs {' and '.join(lacking)}" if lacking else "CPU"
    return f"{on_cpu}{_on_gpu(said)} ({package})"


def _on_gpu(said: Declaration) -> str:
    """What is to be said of GPUs, after a comma."""
    if not said.device:
        return ""
    lacking = [name for name in said.on_device if find_spec(name) is None]
    tools = said.device_tools
    if tools and not os.environ.get("CC") and not any(map(shutil.which, tools)):
        lacking.append(" or ".join(tools))
    if not torch.cuda.device_count():
        return ", a GPU where there is one"
    return f", a GPU needs {' and '.join(lacking)}" if lacking else ", GPU"
