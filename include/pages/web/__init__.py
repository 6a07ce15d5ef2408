"""The pages that people click through: what came in, what was set aside, what was labelled; served inside Airflow's UI.

`app.create_app` makes a FastAPI application for any `host.Host`, which says who is asking, what they may do and what
runs; it never imports Airflow. One router a page, its queries in `include.warehouse`, its template in `templates/web`.
"""
