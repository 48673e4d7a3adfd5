"""What the tables of a study say of each of its networks."""

from pathlib import Path

from bridge.errors import FormatError
from bridge.studies.csv_files import read_csv
from bridge.studies.work import Row

Network = tuple[str, int]
"""A cell's name and a seed."""


def rows_on_record(table: Path, details: Path) -> dict[Network, list[Row]]:
    """The rows of each network, as they were put into tables, numbers of six digits.

    Args:
        table: table.csv; where there is none, nothing is on record.
        details: details.csv, if the study has one.

    Raises:
        FormatError: one of them is damaged.
    """
    found = _by_network(table)
    for network, lines in _by_network(details).items():
        if network in found:
            # Only studies without variants have details.
            found[network][0]["details"] = {
                name: [line[name] for line in lines] for name in lines[0]
            }
    return found


def _by_network(path: Path) -> dict[Network, list[Row]]:
    found: dict[Network, list[Row]] = {}
    if not path.exists():
        return found
    for row in read_csv(path):
        cell, seed = row.get("cell"), row.get("seed")
        if not cell or not isinstance(seed, int):
            raise FormatError(f"{path}: damaged, or no table of a study; move it away")
        found.setdefault((cell, seed), []).append(row)
    return found
