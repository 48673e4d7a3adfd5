"""Roads from a rate network to a spiking one; so far the one-to-one mapping of Kim et al. 2019."""
