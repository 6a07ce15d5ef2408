"""Files that outlive a task: the lake, on a disk or in a bucket, behind one interface.

Import from anywhere in `include`: `Lake` from `include.storage.lake`; `Layer` and `Batch`, which name the places in it,
from `include.storage.layers` and `include.storage.batch`; `LakeBucket`
from `include.storage.bucket` for the bucket of a lake on S3; `replacement` and `write_file` from
`include.storage.local_files` for files of this machine that must be whole.
It imports settings and errors, and knows nothing of what the files hold.
"""
