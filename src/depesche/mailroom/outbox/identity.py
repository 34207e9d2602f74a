"""Who a worker is: the inbox has owners of leases too, so this lives where both find it."""

from depesche.mailroom.connections.identity import dead_among, machine, new_owner

__all__ = ["dead_among", "machine", "new_owner"]
