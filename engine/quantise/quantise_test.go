package quantise_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/softbench/softbench/engine/quantise"
	"github.com/softbench/softbench/engine/safetensors"
)

// Every scheme, at sizes that no group divides: numbers are near the weights, more
// bits are nearer, and a row's numbers do not depend on the rows beside it but for
// HQQ's, whose solver stops for all at once.
func TestOddSizes(t *testing.T) {
	all := matrix()
	for _, size := range [][2]int{{1, 1}, {3, 31}, {5, 33}, {2, 65}, {1, 127}, {4, 200}} {
		rows, cols := size[0], size[1]
		w := all[:rows*cols]
		for _, group := range []string{"32", "64", "128", "row"} {
			for _, method := range []string{"rtn", "rtn-asym", "hqq", "nf4", "fp4", "fp8"} {
				last := math.Inf(1)
				for _, bits := range []string{"2", "3", "4", "8"} {
					name := method + ":" + bits + ":" + group
					if _, err := quantise.Parse(name); err != nil {
						continue
					}
					m, codes, numbers := made(t, name+" F32", w, rows, cols)
					var loss float64
					for i, x := range w {
						loss += math.Abs(float64(x - numbers[i]))
					}
					if loss > last+1e-9 || loss/float64(len(w)) > 0.05 {
						t.Errorf("%s of %v: a loss of %v, with fewer bits %v", name, size, loss, last)
					}
					last = loss
					for i, c := range codes {
						if int(c) >= 1<<m.Bits {
							t.Fatalf("%s of %v: code %d is %d", name, size, i, c)
						}
					}
					if method == "hqq" {
						continue
					}
					_, alone, _ := made(t, name+" F32", w[(rows-1)*cols:], 1, cols)
					if !slices.Equal(alone, codes[(rows-1)*cols:]) {
						t.Errorf("%s of %v: the last row alone has other codes", name, size)
					}
				}
			}
		}
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"hqq:4": "hqq:4:64", "nf4": "nf4:4:64", "fp8": "fp8:8:64", "w8a8": "w8a8:8:row", "w8a8:8:row": "w8a8:8:row", "fp4:4:128": "fp4:4:128", "nf4::32": "nf4:4:32", "rtn:2:row": "rtn:2:row", "rtn-asym:3:32": "rtn-asym:3:32",
	} {
		s, err := quantise.Parse(text)
		if err != nil || s.String() != want {
			t.Errorf("%q is read as %v, %v: want %s", text, s, err, want)
		}
	}
	for text, says := range map[string]string{
		"": "one of rtn, rtn-asym, hqq, nf4, fp4, fp8, w8a8", "w8a8:8:64": "no groups", "w8a8:4": "no 4 bits", "hqq": "how many bits", "hqq:5": "[2 3 4 8]", "hqq:4:48": "32, 64, 128 or row", "nf4:3": "[4]",
		"hqq:4:64:1": "method:bits[:group]", "awful:4": "method:bits[:group]", "rtn:four": "[2 3 4 8]", "rtn:4:0": "32, 64, 128 or row", "rtn:4:-64": "32, 64, 128 or row", "fp8:4": "[8]",
	} {
		if _, err := quantise.Parse(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v: want %q", text, err, says)
		}
	}
}

// A task that fails stops the work, whenever it does.
func TestStopped(t *testing.T) {
	stop := errors.New("stop")
	for limit := range 4 {
		n := 0
		each := func(count int, one func(i int) error) error {
			for i := range count {
				if n++; n > limit {
					return stop
				}
				if err := one(i); err != nil {
					return err
				}
			}
			return nil
		}
		s := quantise.Scheme{Method: quantise.HQQ, Bits: 4, Group: 32}
		if _, err := s.Quantise(matrix(), rows, cols, safetensors.F32, each); !errors.Is(err, stop) {
			t.Errorf("stopped after %d tasks: %v", limit, err)
		}
	}
}
