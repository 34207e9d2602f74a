"""Django's SQLite backend, with turns: whoever wants to write next is next."""
