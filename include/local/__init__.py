"""What the platform starts on this machine by itself: PostgreSQL, Airflow, the sandbox; and set-up.

Commands import `platform`, `airflow` and `postgres`; `install`, `preflight` and `load_settings` are run as modules.
It imports settings and errors, and knows nothing of products: a deployment on other services never imports it.
"""
