"""Logging in by OAuth 2.0 (M11): whom we ask, how a person consents, and tokens that are renewed in time.

providers: who issues tokens, as a table. protocol: what is asked and what an answer means (pure). tokens: the
access token of this moment, renewed once for all processes. actions, queries: settings and consent.
"""
