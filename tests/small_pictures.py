"""Files of pictures in the formats of MNIST and N-MNIST, small: class k has its own bright rows."""

import gzip
import struct

import numpy as np

# A task of few steps on them.
TASK = "mnist:gain=60,shown=30,silent=3"


def idx(array):
    """An array of bytes as an idx file has it."""
    array = np.asarray(array, np.uint8)
    return struct.pack(f">{1 + array.ndim}I", 0x800 | array.ndim, *array.shape) + array.tobytes()


def pictures(count, rng, side=28):
    """Pictures whose class decides which two rows are bright, and their labels."""
    labels = np.arange(count) % 10
    made = rng.integers(0, 40, (count, side, side))
    for number, label in enumerate(labels):
        made[number, 2 * label : 2 * label + 2] = 255
    return made, labels


def write_mnist(folder, training=60, held_out=20, *, packed=True):
    """The four files of MNIST below a folder."""
    rng = np.random.default_rng(0)
    home = folder / "mnist"
    home.mkdir(parents=True)
    for part, count in (("train", training), ("t10k", held_out)):
        made, labels = pictures(count, rng)
        for name, array in (("images-idx3", made), ("labels-idx1", labels)):
            file = home / f"{part}-{name}-ubyte"
            if packed:
                file.with_name(file.name + ".gz").write_bytes(gzip.compress(idx(array)))
            else:
                file.write_bytes(idx(array))
    return home


def event(column, row, polarity, time_us):
    """An event as N-MNIST has it: five bytes."""
    return bytes([column, row, polarity << 7 | time_us >> 16, time_us >> 8 & 255, time_us & 255])


def write_nmnist(folder, each=2):
    """A few files of each class below a folder: events in a row of the class's own."""
    home = folder / "n-mnist"
    rng = np.random.default_rng(1)
    for part in ("Train", "Test"):
        for label in range(10):
            place = home / part / str(label)
            place.mkdir(parents=True)
            for number in range(each):
                times = np.sort(rng.integers(0, 300_000, 40))
                events = [
                    event(int(rng.integers(34)), 3 * label, int(rng.integers(2)), int(t))
                    for t in times
                ]
                (place / f"{number:05d}.bin").write_bytes(b"".join(events))
    return home
