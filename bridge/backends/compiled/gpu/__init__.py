"""A whole run on a GPU: one kernel in Triton, written by what writes the loop in C++."""
