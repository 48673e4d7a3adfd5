"""Pictures as tasks: sets of labelled pictures, and spikes in which they are shown."""
