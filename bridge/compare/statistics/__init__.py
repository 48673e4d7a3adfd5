"""Statistics of spike trains, and whether those of two simulators differ by more than chance."""
