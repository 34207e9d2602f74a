"""What every test may use. The fixtures for real servers live in `tests/support/`."""
