"""The test of a connection, step by step (M16): `run` for the way out, `run_mailbox` for the mailbox."""
