"""Who changed what of the settings, and when; and the way back to what worked."""
