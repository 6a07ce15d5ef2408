"""Services that the platform starts on this machine by itself."""
