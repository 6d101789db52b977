"""What huggingface_hub makes of a cache: called by TestHuggingFaceHub.

    check_cache.py read REPO COMMIT PATH...   the cache that softbench wrote: it is whole, and found offline
    check_cache.py write REPO                 download REPO from the endpoint of the environment

The cache and the endpoint are the environment's (HF_HOME, HF_ENDPOINT, HF_HUB_OFFLINE).
"""

import os
import sys

import huggingface_hub
from huggingface_hub import hf_hub_download, scan_cache_dir, snapshot_download

command, repo = sys.argv[1:3]
print("huggingface_hub", huggingface_hub.__version__)
if command == "write":
    print(snapshot_download(repo, max_workers=2))
    sys.exit()
commit, paths = sys.argv[3], sys.argv[4:]
info = scan_cache_dir()
assert not info.warnings, info.warnings
(found,) = info.repos
assert (found.repo_id, found.repo_type) == (repo, "model"), found
(revision,) = found.revisions
assert revision.commit_hash == commit and revision.refs == {"main"}, revision
directory = snapshot_download(repo, local_files_only=True)
assert os.path.basename(directory) == commit, directory
names = sorted(os.path.relpath(os.path.join(d, f), directory) for d, _, files in os.walk(directory) for f in files)
assert names == sorted(paths), names
for path in paths:
    assert os.path.exists(hf_hub_download(repo, path, local_files_only=True)), path
