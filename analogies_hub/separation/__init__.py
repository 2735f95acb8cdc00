"""Taking pictures apart into what two domains share and what only one of them has.

The networks, operations and training that `didd` and `content_transfer` have in common: one
encoder for the common code, one for each attribute's separate code, one decoder for all.
Importing this package loads no torch.
"""
