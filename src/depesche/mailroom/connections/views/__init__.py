"""The pages: mail status, outgoing, incoming, keystore. Administrators only."""
