"""From an address alone to settings that work (M8, M9, M11).

presets: the providers that are met most often, as a table. names: what the name service says. autoconfig:
what the domain itself publishes. candidates: what to try, in order (pure). probing: whether a server is
really there, speaks TLS that verifies, and offers a login. search: all of it, side by side and within a
quarter of a minute.
"""
