"""What keeps secrets in and hostile addresses out, for every room."""
