package eval

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/softbench/softbench/reports/rundir"
)

// Shard is a part of a run that one process computes by itself: documents, passkey trials
// and samples of diagnostics (see Work.deal). The zero Shard is the whole run.
type Shard struct{ Number, Of int }

// ParseShard reads "2/3".
func ParseShard(s string) (Shard, error) {
	number, of, _ := strings.Cut(s, "/")
	n, err := strconv.Atoi(number)
	m, wrong := strconv.Atoi(of)
	if err != nil || wrong != nil || n < 1 || n > m {
		return Shard{}, fmt.Errorf("%q is not a shard: want number/of, such as 2/3 for the second of three", s)
	}
	return Shard{n, m}, nil
}

func (s Shard) String() string { return fmt.Sprintf("%d/%d", s.Number, s.Of) }

// name is what the journal says of it: "" for the whole run.
func (s Shard) name() string {
	if s.Of == 0 {
		return ""
	}
	return s.String()
}

// ShardResult says how much of a run a shard is.
type ShardResult struct {
	Shard    string `json:"shard"`
	Requests int    `json:"requests"` // of the shard
	Of       int    `json:"of"`       // requests of the whole run
	Tokens   int64  `json:"tokens"`   // distinct, of the shard, without those of diagnostics
	Resumed  int    `json:"resumed"`  // were done by an earlier process
}

// RunShard computes one shard into o.Out, as the journal of the whole run: its
// settings are the whole run's, and it is never finished by itself. Shards know
// nothing of each other; Run merges them.
func RunShard(ctx context.Context, o RunOptions, part Shard) (*ShardResult, error) {
	o.part = part
	m, work, err := prepare(ctx, &o)
	if errors.Is(err, rundir.ErrFinished) {
		return nil, noShardWanted(o.Out)
	}
	if err != nil {
		return nil, err
	}
	defer m.Close()
	settings, err := settingsOf(ctx, m, work, o)
	if err != nil {
		return nil, err
	}
	mine, err := work.deal(ctx, m, part)
	if err != nil {
		return nil, err
	}
	j := newJournal()
	prepared, err := work.prepare(ctx, m, j, mine)
	if err != nil {
		return nil, err
	}
	err = j.open(ctx, o, settings, planOf(m, work, o, mine))
	if errors.Is(err, rundir.ErrFinished) {
		return nil, noShardWanted(o.Out)
	}
	if err != nil {
		return nil, err
	}
	defer j.close()
	r := &ShardResult{Shard: part.String(), Tokens: prepared.Tokens(), Resumed: j.resumed()}
	if _, err := compute(ctx, m, work, j, prepared, o, mine); err != nil {
		return nil, err
	}
	for k := range work.requests {
		r.Of++
		if mine.has(k.task, k.doc) {
			r.Requests++
		}
	}
	return r, nil
}

// readShards reads the journals of shards and checks that they are of this run,
// agree where they overlap, and leave no gap.
func readShards(ctx context.Context, dirs []string, settings rundir.Settings, w *Work) (map[recordKey]rundir.Record, error) {
	all := map[recordKey]rundir.Record{}
	from := map[recordKey]string{}
	for _, dir := range dirs {
		records, err := rundir.ReadPart(ctx, dir, settings)
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			k := recordKey{r.Task, r.Doc, r.Request}
			if first, ok := all[k]; ok && !reflect.DeepEqual(first, r) {
				return nil, fmt.Errorf("%s and %s have different results of %s document %d request %d: one of them is not of this run", from[k], dir, k.task, k.doc, k.request)
			}
			all[k], from[k] = r, dir
		}
	}
	lack, of := 0, 0
	var first recordKey
	for k := range w.requests {
		of++
		if _, ok := all[k]; ok {
			continue
		}
		if lack == 0 {
			first = k
		}
		lack++
	}
	if lack > 0 {
		return nil, fmt.Errorf("the shards lack %d of %d requests, the first of them %s document %d request %d: name every shard, and finish one that was stopped with --resume",
			lack, of, first.task, first.doc, first.request)
	}
	return all, nil
}
