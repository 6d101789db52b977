package engine_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/softbench/softbench/engine/quantised"
	"github.com/softbench/softbench/engine/safetensors"
	"github.com/softbench/softbench/internal/golden"
)

// TestQuantised compares the weights of a small model in each quantised format with
// those of the format's reference, to the bit, and every position's
// log-probability with what transformers computes with them.
func TestQuantised(t *testing.T) {
	for _, name := range golden.Formats(t, "quantised") {
		t.Run(name, func(t *testing.T) {
			g := golden.FormatModel(t, "quantised", name, "")
			compareWeights(t, g.Dir)
			compareFormat(t, g)
		})
	}
}

// compareWeights compares the decoded tensors of a checkpoint with their hashes.
func compareWeights(t *testing.T, dir string) {
	t.Helper()
	var known struct{ Weights map[string]string }
	readJSON(t, dir+".json", &known)
	set, err := safetensors.OpenSet(dir + "/model.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	tensors := set.All()
	var config struct {
		Q json.RawMessage `json:"quantization_config"`
	}
	if readJSON(t, dir+"/config.json", &config); config.Q != nil {
		c, err := quantised.ParseConfig(config.Q)
		if err != nil {
			t.Fatal(err)
		}
		if tensors, err = quantised.Decode(c, tensors); err != nil {
			t.Fatal(err)
		}
	}
	found := 0
	for _, x := range tensors {
		want, ok := known.Weights[x.Name]
		if !ok {
			continue
		}
		found++
		var bytes []byte
		for _, v := range x.F32() {
			bytes = binary.LittleEndian.AppendUint32(bytes, math.Float32bits(v))
		}
		if sum := sha256.Sum256(bytes); hex.EncodeToString(sum[:]) != want {
			t.Errorf("%s: the numbers are not the reference's: %v ...", x.Name, x.F32()[:6])
		}
	}
	if found != len(known.Weights) || found == 0 {
		t.Errorf("%d of %d weights found", found, len(known.Weights))
	}
}

func readJSON(t *testing.T, path string, v any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, v)
	}
	if err != nil {
		t.Fatal(strings.TrimSpace(path + ": " + err.Error()))
	}
}
