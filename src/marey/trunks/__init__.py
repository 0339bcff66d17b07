"""What trained networks share: trunks, and the weights they may start from."""
