"""Files that outlive a task: the lake, on a disk or in a bucket, behind one interface.

Import `Lake` from `include.storage.lake`, from anywhere in `include`.
It imports settings and errors, and knows nothing of what the files hold.
"""
