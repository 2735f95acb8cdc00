"""The nodes, in modules by what they serve; importing this package imports none of them."""
