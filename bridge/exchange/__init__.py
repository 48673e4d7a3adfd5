"""Files: the HDF5 store, where every description and result is kept."""
