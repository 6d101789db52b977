package hub

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// retry calls try until it has no error, one that will not go away, or too many in a
// row without headway; try says whether it made some.
func (c *Client) retry(ctx context.Context, what string, try func() (ahead bool, err error)) error {
	delay := time.Second
	for failed := 1; ; failed++ {
		ahead, err := try()
		var again temporary
		if err == nil || ctx.Err() != nil || !errors.As(err, &again) {
			return err
		}
		if ahead {
			failed, delay = 1, time.Second
		}
		if failed >= tries {
			return fmt.Errorf("%w, in %d tries", again.error, tries)
		}
		pause := delay + time.Duration(rand.Int64N(int64(delay/4))) // not all of a cluster at once
		var status *statusError
		if errors.As(err, &status) && status.after > 0 {
			if status.after > longest {
				return fmt.Errorf("%w and asks to wait for %v", again.error, status.after.Round(time.Second))
			}
			pause = status.after
		}
		if pause > 5*time.Second {
			c.note("%s: %v: the next try is in %v", what, again.error, pause.Round(time.Second))
		}
		if err := c.pause(ctx, pause); err != nil {
			return err
		}
		delay *= 2
	}
}

func (c *Client) pause(ctx context.Context, d time.Duration) error {
	if c.wait != nil {
		return c.wait(ctx, d)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// retryAfter reads the header: seconds, or a date. What is neither counts as not
// there.
func retryAfter(s string) time.Duration {
	s = strings.TrimSpace(s)
	if seconds, err := strconv.ParseInt(s, 10, 64); err == nil {
		return time.Duration(min(max(seconds, 0), 1<<30)) * time.Second
	}
	if at, err := http.ParseTime(s); err == nil {
		return max(time.Until(at), 0)
	}
	return 0
}
