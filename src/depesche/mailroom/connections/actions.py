"""The only writers of the settings, the keystore and the connection's health."""
