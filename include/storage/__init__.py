"""Files that outlive a task: the lake, on a disk or in a bucket, behind one interface.

Import `Lake` from `include.storage.lake`, from anywhere in `include`, and `replacement`, `write_file` from
`include.storage.local_files` for files of this machine that must be whole.
It imports settings and errors, and knows nothing of what the files hold.
"""
