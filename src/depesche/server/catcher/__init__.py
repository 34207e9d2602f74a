"""The demo's mail catcher: a real SMTP server whose mails land in a folder and on a page.

Nothing leaves the machine. A mail to the system address takes the same way in as any other.
"""
