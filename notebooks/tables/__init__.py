"""The tables of results on record that pages show, made from the files in `data/`."""
