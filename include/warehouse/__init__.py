"""Storage: the lake (Parquet files behind one filesystem interface) and the SQL warehouse."""
