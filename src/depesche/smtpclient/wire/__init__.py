"""The protocol without any I/O: octets in, events and octets out."""
