"""What the configured servers show for certificates: watched for their end and for a change (M10)."""
