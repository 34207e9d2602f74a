"""Benchmarks beside other programs: `make bench`."""
