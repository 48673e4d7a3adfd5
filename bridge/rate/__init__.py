"""The continuous network: its description, its PyTorch module, its training."""
