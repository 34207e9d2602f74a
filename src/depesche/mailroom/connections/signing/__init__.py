"""DKIM (RFC 6376, 8463): keys made here, their records in DNS, the signature on each mail that goes out."""
