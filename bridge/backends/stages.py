"""In which order populations have to be taken within a step."""

from bridge.spiking.network import SpikingNetwork


def stages_of(network: SpikingNetwork) -> list[list[int]]:
    """Numbers of the populations, in stages: what acts within the step acts on a later stage."""
    names = [population.name for population in network.populations]
    stage = [0] * len(names)
    for number, name in enumerate(names):
        before = [
            stage[names.index(part.source)]
            for part in network.projections
            if part.target == name and part.within_step and part.source in names
        ]
        stage[number] = 1 + max(before, default=-1)
    return [
        [number for number in range(len(names)) if stage[number] == each]
        for each in range(max(stage) + 1)
    ]
