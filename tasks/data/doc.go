// Package data finds and reads the documents of a task: JSON lines, Parquet or plain text, from a
// directory of the user's, from the Hugging Face hub's local cache, or, only when asked for,
// downloaded from the hub.
//
// It owns where a dataset's split lies, how a row becomes a map of plain Go values, and the hash that
// names a document whatever format it came in. It must not know what a task is, how a prompt is
// built, or anything of models. It never touches the network unless Source.Download is set.
package data
