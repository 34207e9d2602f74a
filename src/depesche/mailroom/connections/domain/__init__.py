"""What the name service says of the domains that mails come from, and what receivers make of it."""
