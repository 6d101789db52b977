package golden

import (
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// Divergence is how far a model with cut weights is from the model, in float64.
type Divergence struct {
	Model string `json:"model"` // its directory below that of the goldens
	Mask  uint32 `json:"mask"`  // which bits of each float32 weight the other model keeps
	// Float32Error is how far from these those are whose logits torch computes in float32.
	Float32Error float64              `json:"float32_error"`
	Sequences    []DivergenceSequence `json:"sequences"`
}

// DivergenceSequence has numbers of each of IDs but the last, of the token after it.
type DivergenceSequence struct {
	IDs   Int32s   `json:"ids"`
	KL    Float64s `json:"kl"`
	First Float64s `json:"first"` // log-probability of the next of IDs
	Other Float64s `json:"other"`
	Same  string   `json:"same"` // 1 where the argmax is, else 0
}

// ReadDivergences returns the recorded ones.
func ReadDivergences(t testing.TB) (all []Divergence) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(Dir(t), "divergence.json"))
	if err == nil {
		err = json.Unmarshal(data, &all)
	}
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// CutWeights copies a checkpoint of one safetensors file and keeps of each float32 or bfloat16
// weight the bits of mask.
func CutWeights(t testing.TB, dir string, mask uint32) string {
	t.Helper()
	out := t.TempDir()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if e.Name() == "model.safetensors" {
			cut(t, data, mask)
		}
		if err := os.WriteFile(filepath.Join(out, e.Name()), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func cut(t testing.TB, file []byte, mask uint32) {
	size := binary.LittleEndian.Uint64(file)
	var header map[string]struct {
		DType string    `json:"dtype"`
		At    [2]uint64 `json:"data_offsets"`
	}
	if err := json.Unmarshal(file[8:8+size], &header); err != nil {
		t.Fatal(err)
	}
	for name, tensor := range header {
		data := file[8+size:][tensor.At[0]:tensor.At[1]]
		switch tensor.DType {
		case "F32":
			for i := 0; i < len(data); i += 4 {
				binary.LittleEndian.PutUint32(data[i:], binary.LittleEndian.Uint32(data[i:])&mask)
			}
		case "BF16":
			for i := 0; i < len(data); i += 2 {
				binary.LittleEndian.PutUint16(data[i:], binary.LittleEndian.Uint16(data[i:])&uint16(mask>>16))
			}
		case "":
			if name != "__metadata__" {
				t.Fatalf("%s has no dtype", name)
			}
		default:
			t.Fatalf("%s is %s", name, tensor.DType)
		}
	}
}
