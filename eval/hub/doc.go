// Package hub is a client of the Hugging Face hub and a reader of its local cache.
//
// It owns the cache's layout, which is huggingface_hub's (blobs, refs, snapshots and
// links, locks: each finds what the other downloaded), the environment's settings, the names of repositories and revisions,
// and how files are listed, downloaded, resumed and verified. It must not know what the
// files are: which hold a split is tasks/data's business, which make a checkpoint is
// engine/checkpoint's. It asks the network for nothing unless List or Fetch is called.
//
// It refuses: any listed path, commit or hash that is not one; bytes that do not have
// the hash that the hub lists; a token to anywhere but the hub's own address.
package hub
