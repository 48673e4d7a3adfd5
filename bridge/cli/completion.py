"""What a shell offers after the TAB key beyond commands and options: values by their names."""

from collections.abc import Iterable

from bridge.tasks import BUILT_IN, IMAGES


def tasks(incomplete: str) -> list[str]:
    """Names of tasks that begin so."""
    return _beginning(incomplete, BUILT_IN)


def images(incomplete: str) -> list[str]:
    """Names of sets of pictures that begin so."""
    return _beginning(incomplete, IMAGES)


def backend(incomplete: str) -> list[str]:
    """Backends, alone and with each word that may follow the colon."""
    from bridge.backends.declaration import declared

    labels = []
    for name, declaration in declared().items():
        words = [word for option in declaration.words.values() for word in option]
        labels += [name, *(f"{name}:{word}" for word in words if word != "cuda:N")]
    return _beginning(incomplete, labels)


def backends(incomplete: str) -> list[str]:
    """Several of them with commas: what stands before the last comma is kept."""
    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{label}" for label in backend(last)]


def faults(incomplete: str) -> list[str]:
    """Faults that `compare` can inject."""
    from bridge.compare.faults import FAULTS

    return _beginning(incomplete, FAULTS)


def studies(incomplete: str) -> list[str]:
    """Names of studies."""
    from bridge.studies.catalog import STUDIES

    return _beginning(incomplete, STUDIES)


def _beginning(incomplete: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
