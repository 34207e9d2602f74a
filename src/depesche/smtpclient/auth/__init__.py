"""SASL mechanisms without any I/O: octets in, octets out."""
