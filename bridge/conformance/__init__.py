"""Which importers of NIR read it right: small graphs, each of them a trap, run by all of them.

What is right is computed by `bridge.exchange.nir` and the reference backend. Every importer runs in
a process of its own, and every graph in a child of it: a crash or a hang costs that cell alone.
"""
