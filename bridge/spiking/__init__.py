"""What a spiking network is: populations, projections, filters, readouts; its drive and recording."""
