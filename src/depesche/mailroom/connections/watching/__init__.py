"""The watch over the mail: what the connections look at, and the ways in which an alarm is told."""
