"""Conversions as trees for the HDF5 store: both networks, and the search between them."""

from dataclasses import fields
from typing import Any

import numpy as np

from bridge.errors import FormatError
from bridge.exchange.hdf5 import Tree
from bridge.exchange.rate_networks import rate_from_tree, rate_to_tree
from bridge.exchange.spiking_networks import (
    in_order,
    network_from_tree,
    network_to_tree,
    numbered,
)
from bridge.methods.error_curve import ErrorCurve
from bridge.methods.gain_search import GainSearch
from bridge.methods.measured import Measured
from bridge.methods.scale_search import Conversion, ScaleSearch, Search
from bridge.spiking.arrays import frozen_array

_CURVE = tuple(part.name for part in fields(ErrorCurve))
_NAMES = ("name", "unit", "better")
_VALUES = ("median", "lowest", "highest")


def conversion_to_tree(conversion: Conversion) -> Tree:
    """A conversion."""
    return {
        "network": network_to_tree(conversion.network),
        "rate": rate_to_tree(conversion.rate),
        "search": _search_to_tree(conversion.search),
        **_others_to_tree(conversion.others),
    }


def conversion_from_tree(tree: Tree) -> Conversion:
    """The conversion of a tree."""
    return Conversion(
        network=network_from_tree(tree["network"]),
        rate=rate_from_tree(tree["rate"]),
        search=_search_from_tree(tree["search"]),
        others=tuple(_curve_from_tree(part) for part in in_order(tree.get("others", {}))),
    )


def _others_to_tree(curves: tuple[ErrorCurve, ...]) -> Tree:
    """Curves of other kinds of neurons, numbered; nothing where there are none."""
    return {"others": numbered(curves, lambda curve: dict(vars(curve)))} if curves else {}


def _curve_from_tree(tree: Tree) -> ErrorCurve:
    return ErrorCurve(**{name: tree[name] for name in _CURVE})


def search_version(search: Search) -> int:
    """The oldest version whose readers know all that a search holds."""
    newer = search.measured is not None or search.rates_hz is not None
    plain = isinstance(search, ScaleSearch) and not newer
    return 1 if plain and search.correct is not None else 5


def _search_to_tree(search: Search) -> Tree:
    kept = {name: value for name, value in vars(search).items() if value is not None}
    rate, measured = kept.pop("rate_measured", None), kept.pop("measured", None)
    if measured is not None:
        kept["measured"] = _measured_to_tree(measured, rate)
    return kept


def _search_from_tree(tree: Tree) -> Search:
    kept: dict[str, Any] = dict(tree)
    if "measured" in kept:
        kept |= _measured_from_tree(kept["measured"])
    return GainSearch(**kept) if "gains_hz" in kept else ScaleSearch(**kept)


def _measured_to_tree(measured: tuple[Measured, ...], rate: Measured | None) -> Tree:
    """Median, lowest and highest at each candidate, an array each; the rate network's in one."""
    tree: Tree = {name: getattr(measured[0], name) for name in _NAMES}
    for name in _VALUES:
        tree[name] = np.array([getattr(each, name) for each in measured])
    if rate is not None:
        tree["rate"] = np.array([getattr(rate, name) for name in _VALUES])
    return tree


def _measured_from_tree(tree: Tree) -> dict[str, Any]:
    """The fields of a search that `_measured_to_tree` kept."""
    names = {name: tree[name] for name in _NAMES}
    columns = [frozen_array(f"measured/{name}", tree[name], (None,)) for name in _VALUES]
    if len({column.size for column in columns}) > 1:
        raise FormatError("measured: median, lowest and highest must be as many numbers")
    rows = zip(*(column.tolist() for column in columns), strict=True)
    found = tuple(_measured(names, row) for row in rows)
    rate = tree.get("rate")
    if rate is None:
        return {"measured": found}
    row = frozen_array("measured/rate", rate, (len(_VALUES),)).tolist()
    return {"measured": found, "rate_measured": _measured(names, row)}


def _measured(names: dict[str, Any], row: Any) -> Measured:
    return Measured(**names, **dict(zip(_VALUES, row, strict=True)))
