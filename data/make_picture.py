"""Draw the picture of the README from the shipped network: writes demo.png beside this file.

python data/make_picture.py
"""

from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure

import bridge

HERE = Path(__file__).parent
COLOURS = {"brian2": "#00798c", "snntorch": "#edae49"}


def main() -> None:
    """Run both simulators on a few trials and draw a Go and a NoGo trial."""
    matplotlib.rcParams.update(
        {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    )
    conversion = bridge.load(HERE.parent / "models" / "go_nogo_n200_lif.h5")
    agreement = bridge.compare(conversion, trials=4, seed=0)
    times = np.arange(1, 201) * 0.005
    figure = Figure(figsize=(10, 4.6), layout="constrained")
    grid = figure.subplots(2, 3, sharex=True)
    grid[1, 2].sharey(grid[0, 2])
    for row, (name, label) in zip(grid, (("Go", 1), ("NoGo", 0)), strict=True):
        trial = int(np.argmax(agreement.trials.labels == label))
        row[2].plot(times, agreement.rate_outputs[:, trial], color="#1b2a41", label="rate network")
        for axes, backend, width in zip(row, COLOURS, (4.0, 1.2), strict=False):
            recording = agreement.frozen[backend]
            mine = np.asarray(recording.spikes.trial) == trial
            seconds = np.asarray(recording.spikes.step)[mine] * recording.dt_ms / 1000
            axes.plot(seconds, recording.spikes.neuron[mine], "|", color="#1b2a41", markersize=1.5)
            axes.set(title=f"{name}: {backend}, {mine.sum()} spikes", xlim=(0, 1))
            output = recording.readouts["output"][:, trial]
            row[2].plot(times, output, color=COLOURS[backend], linewidth=width, label=backend)
        row[0].set_ylabel("neuron")
        row[2].set(title=f"{name}: outputs")
    grid[0, 2].legend(frameon=False, fontsize=8)
    for axes in grid[1]:
        axes.set_xlabel("time (s)")
    figure.savefig(HERE / "demo.png", dpi=130)


if __name__ == "__main__":
    main()
