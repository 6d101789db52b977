package rescue_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/softbench/softbench/internal/rescue"
)

func faulty() { var none []int; _ = none[3] }

// TestGroupBringsThePanic: Wait panics with what a goroutine did, once all have
// ended, and the stack is that goroutine's.
func TestGroupBringsThePanic(t *testing.T) {
	var g rescue.Group
	ended := make([]bool, 8)
	for i := range ended {
		g.Go(func() {
			defer func() { ended[i] = true }()
			if i == 3 {
				faulty()
			}
		})
	}
	err := rescue.Try(func() error { g.Wait(); return nil })
	var p *rescue.Panic
	if !errors.As(err, &p) || !strings.Contains(p.Error(), "index out of range [3]") || !strings.Contains(string(p.Stack), "faulty") {
		t.Fatalf("got %v", err)
	}
	for i, e := range ended {
		if !e {
			t.Errorf("Wait did not wait for goroutine %d", i)
		}
	}
	var calm rescue.Group
	calm.Go(func() {})
	if err := rescue.Try(func() error { calm.Wait(); return nil }); err != nil {
		t.Error(err)
	}
}

func TestTryHandsOnErrors(t *testing.T) {
	wrong := errors.New("wrong")
	if err := rescue.Try(func() error { return wrong }); err != wrong {
		t.Error(err)
	}
}
