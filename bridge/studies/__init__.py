"""Figures of Kim, Li & Sejnowski 2019, run again with many networks."""
