package lmeval

import (
	"context"
	"fmt"

	"github.com/softbench/softbench/reports/rundir"
	"github.com/softbench/softbench/tasks/data"
)

// Docs are source documents by task and softbench's hash.
type Docs map[string]map[string][]data.Field

// Documents reads a run's source documents again, from the files that it read. notes
// say of which tasks that cannot be: files that are gone or are others now.
func Documents(ctx context.Context, run *rundir.Run) (docs Docs, notes []string, err error) {
	docs = Docs{}
	failed := map[string]bool{}
	for _, f := range run.Process.Files {
		if failed[f.Task] {
			continue
		}
		found := docs[f.Task]
		if found == nil {
			found = map[string][]data.Field{}
			docs[f.Task] = found
		}
		err := data.ReadOrdered(ctx, f.Path, f.SHA256, func(hash string, doc []data.Field) error {
			found[hash] = doc
			return nil
		})
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		if err != nil {
			failed[f.Task] = true
			delete(docs, f.Task)
			notes = append(notes, fmt.Sprintf("task %s: its documents cannot be read again, so doc and doc_hash are not the harness's: %v", f.Task, err))
		}
	}
	return docs, notes, nil
}

// find is a sample's document as the harness hashes it: Python's JSON with an indent
// of 2, keys in the file's order. Of hellaswag the harness logs what its process_docs
// adds too.
func (d Docs) find(task string, s *rundir.Sample, choices []string, gold int) (string, bool) {
	doc, ok := d[task][s.DocHash]
	if !ok || !data.Plain(doc) {
		return "", false
	}
	if task == "hellaswag" && s.Context != nil {
		list := make([]any, len(choices))
		for i, c := range choices {
			list[i] = c
		}
		doc = append(doc[:len(doc):len(doc)], data.Field{Key: "query", Value: *s.Context}, data.Field{Key: "choices", Value: list}, data.Field{Key: "gold", Value: int64(gold)})
	}
	return string(data.PythonJSON(doc)), true
}
