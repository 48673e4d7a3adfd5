"""How fast everything is on this machine, and how far from what the machine could do.

Each case is measured in a fresh process of its own (`python -m bridge.benchmark`), so that its
peak of memory is its own; the process that started it watches.
"""
