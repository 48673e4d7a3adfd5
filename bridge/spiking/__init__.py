"""A spiking network: populations, projections, filters, readouts; its drive and recording."""
