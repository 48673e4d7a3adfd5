"""Parts of a network whose outcome follows from a formula, held against a simulator."""
