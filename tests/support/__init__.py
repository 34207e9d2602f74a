"""Real servers, real processes and the waiting for them, for tests that need the outside world."""
