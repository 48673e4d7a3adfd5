"""Make the reference recording from the shipped network: writes two files beside this one.

    python data/make_reference.py

Two trials (one Go, one NoGo) of 1 s of models/go_nogo_n200_lif.h5 on the NumPy reference: the drive
as reference_drive.h5, what it gave as reference_recording.h5.
"""

from pathlib import Path

import bridge
from bridge.methods.scoring import task_drive

HERE = Path(__file__).parent


def main() -> None:
    """Simulate and save."""
    conversion = bridge.load(HERE.parent / "models" / "go_nogo_n200_lif.h5")
    _, drive = task_drive(conversion.network, 2, seed=0)
    recording = bridge.simulate(conversion.network, drive, backend="reference", margins=True)
    bridge.save(drive, HERE / "reference_drive.h5", force=True)
    bridge.save(recording, HERE / "reference_recording.h5", force=True)
    print(f"{recording.spikes.count} spikes")


if __name__ == "__main__":
    main()
