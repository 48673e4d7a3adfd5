"""A comparison as plain values, for programs: what the report says, as JSON."""

import math
from contextlib import suppress
from dataclasses import asdict
from functools import cache
from importlib.metadata import PackageNotFoundError
from typing import Any

from bridge.compare.agreement import Agreement
from bridge.compare.report.outcome import Outcome
from bridge.compare.statistics.comparison import StatisticalComparison
from bridge.compare.statistics.settled import from_ms_of
from bridge.versions import version

FORMAT, FORMAT_VERSION = "spikebridge-agreement", 1


def plain(agreement: Agreement, said: Outcome) -> dict[str, Any]:
    """Everything but the recordings; numbers that are not finite become None.

    `agreed` is the verdict; `faithfulness` says apart from it whether the spiking network is still
    the rate network it was made from; `exact`, `probes` and `statistical` hold what each level
    found, fields named as in the classes of `bridge.compare`.
    """
    told = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "agreed": agreement.agreed,
        "verdict": said.verdict,
        "evidence": said.evidence,
        "backends": list(agreement.labels),
        "seed": agreement.seed,
        "fault": agreement.fault or None,
        "exact": [
            {**asdict(each), "agreed": each.agreed, "certified": each.certified}
            for each in agreement.exact
        ],
        "probes": [
            {
                "label": each.label,
                "agreed": each.agreed,
                "findings": [
                    {**asdict(finding), "passed": finding.passed} for finding in each.findings
                ],
            }
            for each in agreement.probes
        ],
        "statistical": [_statistical(each) for each in agreement.statistical],
        "faithfulness": _faithfulness(agreement, said),
        "error_curves": [
            {
                "neuron": each.neuron,
                "rates_hz": each.rates_hz.tolist(),
                "output_error": each.output_error.tolist(),
                "best": each.best,
            }
            for each in agreement.curves
        ],
        "statistics": said.statistics,
        "statistics_from_ms": {
            label: from_ms_of(agreement.from_ms, recording)
            for label, recording in agreement.described().items()
        },
        "versions": versions(),
    }
    finite: dict[str, Any] = _finite(told)
    return finite


# One that is not there is looked for in every folder, each time that it is asked for.
@cache
def versions() -> dict[str, str]:
    """The packages that a comparison rests on, as far as they are there, with their versions."""
    found = {}
    for name in _PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


_PACKAGES = (
    "spikebridge",
    "numpy",
    "scipy",
    "torch",
    "snntorch",
    "brian2",
    "nest-simulator",
    "h5py",
)


def _faithfulness(agreement: Agreement, said: Outcome) -> dict[str, Any] | None:
    """The spiking network compared with its rate network, if there is one."""
    found = agreement.faithfulness
    if found is None:
        return None
    judged = {name: getattr(found, name) for name in ("rate_correct", "p", "failed", "output_kept")}
    return {**asdict(found), **judged, "verdict": said.conversion[0]}


def _statistical(found: StatisticalComparison) -> dict[str, Any]:
    return {
        "labels": found.labels,
        "agreed": found.agreed,
        "trials": found.trials,
        "p": found.p,
        "alpha": found.alpha,
        "power": found.power,
        "effect": found.effect,
        "identical": found.identical,
        "step_ms": found.step_ms,
        "left_out": found.left_out,
        "seconds": found.seconds,
        "quantities": [
            {
                "name": part.name,
                "unit": part.unit,
                "p_spread": part.p_spread,
                "p_single": part.p_single,
                "share_beyond_1.96": part.notable,
                "share_beyond_1.96_yardstick": part.notable_yardstick,
                "largest_z": part.largest_z,
                "rmse": part.rmse,
                "rmse_yardstick": part.rmse_yardstick,
                "rmse_ratio": part.ratio,
            }
            for part in found.quantities
        ],
        "time_course_correlation": {
            "between": found.time_course[0],
            "yardstick": found.time_course[1],
        },
        "earth_movers_distances": {
            name: {"between": apart, "yardstick": yardstick}
            for name, (apart, yardstick) in found.distances.items()
        },
    }


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
