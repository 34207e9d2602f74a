"""A server that stands 40 ms away: two network namespaces, a link with delay, a fast sink, the client."""
