"""Long runs over random input, each a command of its own; the suite runs a few seconds of them."""
