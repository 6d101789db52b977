package lm

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/internal/hashmodel"
	"github.com/softbench/softbench/lm/answer"
)

// overflowing is a backend that fails at rows of a token as one fails whose numbers
// overflow.
type overflowing struct {
	hashmodel.Backend
	token int32
}

func (b *overflowing) Forward(ctx context.Context, batch *engine.Batch) error {
	for r, token := range batch.Tokens {
		if token == b.token {
			return batch.NotFinite("the residual stream", r)
		}
	}
	return b.Backend.Forward(ctx, batch)
}

// TestOverflowNamesTheRequest: an overflow is reported with the request that meets
// it, wherever in the forest: in what many share, in a branch, in a decoded text.
func TestOverflowNamesTheRequest(t *testing.T) {
	for _, c := range []struct{ token, want string }{
		{"Q", "request 0"}, // in the prefix of all
		{"x", "request 1"}, // in a continuation
		{"y", "request 2"}, // in a context that two share
		{"z", "request 3"},
		{"R", "request 4"}, // in a text in windows
		{"G", "request 5"}, // in a prompt to go on from
	} {
		for batch := range 9 {
			b := &overflowing{token: int32(c.token[0])}
			l, err := New(engine.New(b, hashmodel.Vocab), letters{}, Options{MaxLength: 12})
			if err != nil {
				t.Fatal(err)
			}
			p := l.NewPlan()
			for _, r := range [][2]string{{"Qab", "cd"}, {"Qab", "cxd"}, {"Qaby", "ef"}, {"Qaby", "zgh"}} {
				if err := p.Loglikelihood(Request{r[0], r[1]}, func(answer.Answer) error { return nil }); err != nil {
					t.Fatal(err)
				}
			}
			if err := errors.Join(
				p.Rolling("abcdefghijklmnopqrstuvwRs", func(answer.Answer) error { return nil }),
				p.Generate([]int32{1, 'a', 'G', 'b'}, 3, func(answer.Answer) error { return nil }),
			); err != nil {
				t.Fatal(err)
			}
			_, err = p.Run(context.Background(), RunOptions{BatchTokens: batch})
			var overflow *engine.NotFinite
			if !errors.As(err, &overflow) || !strings.HasPrefix(fmt.Sprint(err), c.want+": ") {
				t.Errorf("token %s, batches of %d: %v; want %s", c.token, batch, err, c.want)
			}
		}
	}
}
