"""Rate dynamics as targets for a spiking network (DePasquale, Churchland and Abbott 2016)."""
