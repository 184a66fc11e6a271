"""How much damage the validator finds, and how often it is wrong about good files.

The rule a reader must not break: a rule of the validator is never written while looking at the
held-out part, and no damage here is made with the validator's own word lists.
"""
