"""`.mat` files as the code of Kim et al. 2019 writes them, for the tests."""

import numpy as np
from scipy.io import savemat

UNITS = 7
INHIBITORY = np.array([False, True, False, True, True, False, False])
SOM = np.array([False, True, False, False, True, False, False])
SIGNS = np.where(INHIBITORY, -1.0, 1.0)


def original_fields(**fields):
    """In the types that TensorFlow leaves: float32 arrays, int64 sizes, uint8 flags."""
    rng = np.random.default_rng(0)
    open_ = rng.random((UNITS, UNITS)) < 0.6
    som_m = np.ones((UNITS, UNITS))
    som_m[np.ix_(SOM, INHIBITORY)] = 0
    single = {
        "w": np.abs(rng.normal(0, 1.5, (UNITS, UNITS))) * open_,
        "w0": np.abs(rng.normal(0, 1.5, (UNITS, UNITS))) * open_,
        "m": np.diag(SIGNS),
        "som_m": som_m,
        "w_in": rng.normal(0, 1, (UNITS, 1)),
        "w_out": rng.normal(0, 0.1, (1, UNITS)),
        "b_out": np.array([[0.125]]),
        "taus_gaus": rng.normal(0, 1, (UNITS, 1)),
        "taus_gaus0": rng.normal(0, 1, (UNITS, 1)),
    }
    given = {name: value.astype(np.float32) for name, value in single.items()} | {
        "N": np.int64(UNITS),
        "inh": INHIBITORY[:, None].astype(np.uint8),
        "exc": (~INHIBITORY)[:, None].astype(np.uint8),
        "taus": np.array([[4, 20]]),
    }
    return {name: value for name, value in (given | fields).items() if value is not None}


def write_original(path, **fields):
    """A file of them; a field of None is left out."""
    savemat(path, original_fields(**fields))
    return path
