"""Networks that were trained as spiking networks, as trees for the HDF5 store."""

from bridge.exchange.hdf5 import Tree
from bridge.exchange.rate_networks import learning_from_tree, learning_to_tree
from bridge.exchange.spiking_networks import network_from_tree, network_to_tree, network_version
from bridge.methods.src.trained import TrainedNetwork

# That of the kind itself.
_SINCE = 5


def trained_to_tree(trained: TrainedNetwork) -> Tree:
    """A trained network with its history, and its checkpoint if it has one."""
    return {
        "network": network_to_tree(trained.network),
        **learning_to_tree(trained.history, trained.checkpoint),
    }


def trained_from_tree(tree: Tree) -> TrainedNetwork:
    """The trained network of a tree."""
    return TrainedNetwork(network=network_from_tree(tree["network"]), **learning_from_tree(tree))


def trained_version(trained: TrainedNetwork) -> int:
    """The oldest version whose readers know all that it holds."""
    return max(_SINCE, network_version(trained.network))
