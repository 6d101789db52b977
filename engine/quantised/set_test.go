package quantised_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/softbench/softbench/engine/quantised"
	"github.com/softbench/softbench/engine/safetensors"
	"github.com/softbench/softbench/internal/golden"
)

// Configs of what is not read are refused by name.
func TestRefusedConfigs(t *testing.T) {
	for text, part := range map[string]string{
		`{"quant_method":"hqq"}`: `quant_method "hqq"`,
		`{"bits":4}`:             `quant_method ""`,
		`{"quant_method":"gptq","checkpoint_format":"gptq_p"}`: `layout "gptq_p"`,
		`{"quant_method":"gptq","format":"marlin"}`:            `layout "marlin"`,
		`{"quant_method":"gptq","is_marlin_format":true}`:      `layout "marlin"`,
		`{"quant_method":"awq","format":"gemv_fast"}`:          `layout "gemv_fast"`,
		`[]`: "the value is a JSON array, which it cannot be",
		`{"quant_method":"awq","version":"gemv"}`:                                                                         `version "gemv"`,
		`{"quant_method":"compressed-tensors","format":"nvfp4-pack-quantized"}`:                                           `format "nvfp4-pack-quantized"`,
		`{"quant_method":"fp8","weight_block_size":[0,128]}`:                                                              "block of 0",
		`{"quant_method":"compressed-tensors","format":"int-quantized","sparsity_config":{"format":"sparse-24-bitmask"}}`: "sparsity_config",
	} {
		if _, err := ParseConfig([]byte(text)); err == nil || !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want one line with %q", text, err, part)
		}
	}
}

// What does not belong together is refused with the tensor's name.
func TestRefusedTensors(t *testing.T) {
	entry := func(name string, d safetensors.DType, shape ...int) safetensors.Entry {
		n := d.Bits() / 8
		for _, x := range shape {
			n *= x
		}
		return safetensors.Entry{Name: name, DType: d, Shape: shape, Data: make([]byte, n)}
	}
	order := entry("a.g_idx", "I32", 32)
	order.Data[3] = 0x80 // a group below zero
	for name, c := range map[string]struct {
		config  string
		entries []safetensors.Entry
		part    string
	}{
		"no scales":    {`{"quant_method":"gptq"}`, []safetensors.Entry{entry("a.qweight", "I32", 4, 8)}, `"a.scales", which belongs to it, is missing`},
		"odd zeros":    {`{"quant_method":"gptq","bits":4}`, []safetensors.Entry{entry("a.qweight", "I32", 4, 8), entry("a.scales", "F16", 2, 8), entry("a.qzeros", "I32", 7, 1)}, "do not belong together"},
		"wild groups":  {`{"quant_method":"gptq","bits":4}`, []safetensors.Entry{entry("a.qweight", "I32", 4, 8), entry("a.scales", "F16", 2, 8), entry("a.qzeros", "I32", 2, 1), order}, "to group -2147483648 of 2"},
		"awq shapes":   {`{"quant_method":"awq","bits":4}`, []safetensors.Entry{entry("a.qweight", "I32", 8, 1), entry("a.scales", "F16", 2, 16), entry("a.qzeros", "I32", 2, 2)}, "not AWQ's"},
		"packed shape": {`{"quant_method":"compressed-tensors","format":"pack-quantized"}`, []safetensors.Entry{entry("a.weight_packed", "I32", 8, 4), entry("a.weight_shape", "I64", 2), entry("a.weight_scale", "F16", 8, 1)}, "weight_shape says 0 by 0"},
		"fp8 scales":   {`{"quant_method":"fp8"}`, []safetensors.Entry{entry("a.weight", "F8_E4M3", 8, 8), entry("a.weight_scale_inv", "F32", 3, 3)}, "does not fit"},
		"no state":     {`{"quant_method":"bitsandbytes"}`, []safetensors.Entry{entry("a.weight", "U8", 32, 1)}, "quant_state"},
		"garbled":      {`{"quant_method":"bitsandbytes"}`, []safetensors.Entry{entry("a.weight", "U8", 32, 1), entry("a.weight.quant_state.bitsandbytes__nf4", "U8", 9)}, "not JSON"},
		"int8 rows":    {`{"quant_method":"bitsandbytes"}`, []safetensors.Entry{entry("a.weight", "I8", 8, 8), entry("a.SCB", "F32", 7)}, "want 8 elements"},
		"mxfp4 blocks": {`{"quant_method":"mxfp4"}`, []safetensors.Entry{entry("a_blocks", "U8", 2, 4, 3, 8), entry("a_scales", "U8", 2, 4, 3)}, "want U8 and"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.safetensors")
			if err := safetensors.Write(path, c.entries, nil); err != nil {
				t.Fatal(err)
			}
			set, err := safetensors.OpenSet(path)
			if err != nil {
				t.Fatal(err)
			}
			defer set.Close()
			config, err := ParseConfig([]byte(c.config))
			if err != nil {
				t.Fatal(err)
			}
			if _, err = Decode(config, set.All()); err == nil || !strings.HasPrefix(err.Error(), path+": tensor ") || !strings.Contains(err.Error(), c.part) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %v: want one line with %q", err, c.part)
			}
		})
	}
}

// No file and config, however made, end in anything but weights or an error.
func FuzzDecode(f *testing.F) {
	for _, name := range []string{"gptq-order", "awq", "ct-pack-zero", "fp8-block", "bnb-nf4", "mxfp4"} {
		dir := golden.Dir(f, "formats", "quantised", name)
		data, err := os.ReadFile(filepath.Join(dir, "model.safetensors"))
		if err != nil {
			f.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(dir, "config.json"))
		if err != nil {
			f.Fatal(err)
		}
		var config struct {
			Q json.RawMessage `json:"quantization_config"`
		}
		if err := json.Unmarshal(text, &config); err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(config.Q), data)
	}
	f.Fuzz(func(t *testing.T, config, data []byte) {
		c, err := ParseConfig(config)
		if err != nil {
			return
		}
		path := filepath.Join(t.TempDir(), "x.safetensors")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		set, err := safetensors.OpenSet(path)
		if err != nil {
			return
		}
		defer set.Close()
		tensors, err := Decode(c, set.All())
		if err != nil {
			return
		}
		for _, x := range tensors {
			if x.Readable() && x.Elements() < 1<<16 && len(x.Shape) > 0 {
				x.F32()
			}
		}
	})
}
