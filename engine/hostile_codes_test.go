package engine_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	. "github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/engine/checkpoint"
	"github.com/softbench/softbench/engine/kernel"
	"github.com/softbench/softbench/internal/golden"
)

// rawTensor is a tensor of a safetensors file as it lies there.
type rawTensor struct {
	DType   string `json:"dtype"`
	Shape   []int  `json:"shape"`
	Offsets [2]int `json:"data_offsets"`
	data    []byte
}

// widths are the bits of one element.
var widths = map[string]int{"F64": 64, "I64": 64, "F32": 32, "I32": 32, "U32": 32, "F16": 16, "BF16": 16, "I16": 16, "U8": 8, "I8": 8, "BOOL": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8}

// resized is t with another type and shape: its bytes again and again, as many as these take.
func (t rawTensor) resized(dtype string, shape ...int) rawTensor {
	n := widths[dtype] / 8
	for _, d := range shape {
		n *= d
	}
	out := make([]byte, n)
	for at := 0; at < n && len(t.data) > 0; {
		at += copy(out[at:], t.data)
	}
	return rawTensor{DType: dtype, Shape: slices.Clone(shape), data: out}
}

func (t rawTensor) filled(b byte) rawTensor {
	t.data = bytes.Repeat([]byte{b}, len(t.data))
	return t
}

func readRaw(t *testing.T, path string) map[string]rawTensor {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	n := binary.LittleEndian.Uint64(data)
	all := map[string]rawTensor{}
	header := map[string]json.RawMessage{}
	if err := json.Unmarshal(data[8:8+n], &header); err != nil {
		t.Fatal(err)
	}
	delete(header, "__metadata__")
	for name, text := range header {
		var x rawTensor
		if err := json.Unmarshal(text, &x); err != nil {
			t.Fatal(err)
		}
		x.data = data[8+int(n):][x.Offsets[0]:x.Offsets[1]]
		all[name] = x
	}
	return all
}

func writeRaw(t *testing.T, path string, all map[string]rawTensor) {
	t.Helper()
	header, at := map[string]rawTensor{}, 0
	var body []byte
	for _, name := range slices.Sorted(maps.Keys(all)) {
		x := all[name]
		x.Offsets = [2]int{at, at + len(x.data)}
		at += len(x.data)
		header[name] = x
		body = append(body, x.data...)
	}
	text, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	for len(text)%8 != 0 {
		text = append(text, ' ')
	}
	file := append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...)
	if err := os.WriteFile(path, append(file, body...), 0o666); err != nil {
		t.Fatal(err)
	}
}

// hostileTensors are what a tensor may be instead.
func hostileTensors(x rawTensor) map[string]rawTensor {
	n := 1
	for _, d := range x.Shape {
		n *= d
	}
	out := map[string]rawTensor{
		"scalar": x.resized(x.DType), "column": x.resized(x.DType, n, 1), "row": x.resized(x.DType, 1, n), "flat": x.resized(x.DType, n), "nothing": x.resized(x.DType, 0),
		"cube": x.resized(x.DType, 1, 1, n), "zeros": x.filled(0), "ones": x.filled(0xff), "high": x.filled(0x80), "threes": x.filled(3),
	}
	for _, dtype := range []string{"I64", "I32", "F32", "BF16", "U8", "I8", "F8_E4M3", "BOOL"} {
		if dtype != x.DType {
			out["as "+dtype] = x.resized(dtype, x.Shape...)
		}
	}
	for i, d := range x.Shape {
		for _, other := range []int{0, 1, d - 1, d + 1, 2 * d, 3 * d, d / 2, d / 3, 7} {
			shape := slices.Clone(x.Shape)
			if shape[i] = other; other >= 0 {
				out[fmt.Sprintf("%v", shape)] = x.resized(x.DType, shape...)
			}
		}
	}
	if len(x.Shape) == 2 {
		out["turned"] = x.resized(x.DType, x.Shape[1], x.Shape[0])
		out["fewer and more"] = x.resized(x.DType, x.Shape[0]/2, x.Shape[1]*2)
		out["more and fewer"] = x.resized(x.DType, x.Shape[0]*2, x.Shape[1]/2)
	}
	return out
}

// hostileNumbers replace a member of quantization_config that is a number, or a list of them.
var hostileNumbers = []any{-1, 0, 1, 2, 3, 4, 5, 7, 8, 16, 17, 33, 1 << 40, 1.5, "4", nil, []int{}, []int{1, 1}, []int{7, 3}, []int{16, 16}, []int{1 << 40, 1}, []int{1, 1 << 40}, []int{0, 0}}

// TestNoCheckpointReachesThePanicsOfCodes: whatever the shapes, types and contents of the
// tensors of a quantised weight, and whatever its config says of bits, groups and blocks,
// a checkpoint is refused in one line or is packed, and then its codes stand for the
// numbers that its decoder makes, to the bit.
func TestNoCheckpointReachesThePanicsOfCodes(t *testing.T) {
	// One of each layout that is read in a way of its own.
	for _, name := range []string{
		"awq", "bnb-int8", "bnb-nf4", "ct-float-block", "ct-int-zero", "ct-pack-3", "ct-pack-zero-order", "fp8-block", "fp8-channel", "gptq-order", "gptq-3", "mxfp4",
	} {
		t.Run(name, func(t *testing.T) {
			dir := golden.Dir(t, "formats", "quantised", name)
			tensors := readRaw(t, filepath.Join(dir, "model.safetensors"))
			text, err := os.ReadFile(filepath.Join(dir, "config.json"))
			if err != nil {
				t.Fatal(err)
			}
			h := &hostile{t: t, dir: t.TempDir()}
			for _, of := range slices.Sorted(maps.Keys(tensors)) {
				if !changedModule(of) {
					continue
				}
				for what, x := range hostileTensors(tensors[of]) {
					changed := maps.Clone(tensors)
					changed[of] = x
					h.try(of+": "+what, text, changed)
				}
				changed := maps.Clone(tensors)
				delete(changed, of)
				h.try(of+" gone", text, changed)
				if state := tensors[of]; strings.Contains(of, "quant_state") {
					for _, change := range changedStates(t, state) {
						changed := maps.Clone(tensors)
						changed[of] = change
						h.try(of+" "+string(change.data), text, changed)
					}
				}
			}
			for _, config := range changedConfigs(t, text) {
				h.try(string(config), config, tensors)
			}
			t.Logf("%d tried, %d loaded, of which %d have codes", h.tried, h.loaded, h.coded)
			if h.tried == 0 || h.loaded == h.tried && h.tried > 100 {
				t.Errorf("%d of %d loaded: nothing was hostile", h.loaded, h.tried)
			}
		})
	}
}

// changedModule reports whether a tensor belongs to the weight that is changed.
func changedModule(name string) bool {
	return strings.Contains(name, "layers.0.self_attn.q_proj") || strings.Contains(name, "layers.0.mlp.experts.down_proj")
}

// changedStates are bitsandbytes' quant_state with other sizes of blocks and shapes.
func changedStates(t *testing.T, state rawTensor) (all []rawTensor) {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal(state.data, &members); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"blocksize", "nested_blocksize", "shape", "dtype", "quant_type"} {
		for _, value := range hostileNumbers {
			changed := maps.Clone(members)
			changed[key] = value
			text, err := json.Marshal(changed)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, rawTensor{DType: "U8", Shape: []int{len(text)}, data: text})
		}
	}
	return all
}

// changedConfigs are a config.json with each number of its quantization_config replaced.
func changedConfigs(t *testing.T, text []byte) (all [][]byte) {
	t.Helper()
	var config map[string]any
	if err := json.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	q, ok := config["quantization_config"].(map[string]any)
	if !ok {
		return nil
	}
	for _, key := range []string{"bits", "w_bit", "group_size", "weight_block_size", "checkpoint_format", "desc_act", "version"} {
		for _, value := range hostileNumbers {
			changed, inner := maps.Clone(config), maps.Clone(q)
			inner[key] = value
			changed["quantization_config"] = inner
			text, err := json.Marshal(changed)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, text)
		}
	}
	return all
}

// hostile tries checkpoints in a directory of its own.
type hostile struct {
	t                    *testing.T
	dir                  string
	tried, loaded, coded int
}

func (h *hostile) try(what string, config []byte, tensors map[string]rawTensor) {
	h.t.Helper()
	h.tried++
	if err := os.WriteFile(filepath.Join(h.dir, "config.json"), config, 0o666); err != nil {
		h.t.Fatal(err)
	}
	writeRaw(h.t, filepath.Join(h.dir, "model.safetensors"), tensors)
	defer func() {
		if r := recover(); r != nil {
			h.t.Errorf("%s: panics: %v", what, r)
		}
	}()
	ck, err := checkpoint.Open(h.dir, checkpoint.Options{Threads: 1})
	if err != nil {
		if strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "runtime error") {
			h.t.Errorf("%s: %q: want one line", what, err)
		}
		return
	}
	defer ck.Close()
	h.loaded++
	b, err := NewCPU(h.t.Context(), ck, CPUOptions{Set: kernel.Best(), Threads: 1})
	if err != nil {
		h.t.Errorf("%s: opens, and then: %v", what, err)
		return
	}
	if err := b.Close(); err != nil {
		h.t.Error(err)
	}
	for _, v := range views(ck) {
		if v == nil || !v.Stored.Decoded() || !changedModule(v.Stored.Name) {
			continue
		}
		c := v.Codes()
		if c == nil || c.Coding.Check(v.K) != nil {
			continue
		}
		h.coded++
		w := kernel.Generic{}.NewCoded(c.Coding, v.N, v.K)
		w.PackCodes(0, v.N, c.Row)
		want, got := make([]float32, v.K), make([]float32, v.K)
		for j := range v.N {
			v.RowF32(j, want)
			w.Row(j, got)
			if !slices.Equal(got, want) {
				h.t.Errorf("%s: %s, row %d: %v, want %v", what, v.Stored.Name, j, got, want)
				return
			}
		}
	}
}
