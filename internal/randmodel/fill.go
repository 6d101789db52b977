package randmodel

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/softbench/softbench/engine/kernel"
)

// Fill puts one number into every element of the bfloat16 tensors whose names hold
// part, or of one row of each where row is not negative, of a checkpoint in dir.
func Fill(dir, part string, number float32, row int) error {
	path := filepath.Join(dir, "model.safetensors")
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	n := binary.LittleEndian.Uint64(data)
	var header map[string]struct {
		DType   string `json:"dtype"`
		Shape   []int  `json:"shape"`
		Offsets []int  `json:"data_offsets"`
	}
	if err := json.Unmarshal(data[8:8+n], &header); err != nil {
		return err
	}
	filled := 0
	for name, x := range header {
		if x.Offsets == nil || !strings.Contains(name, part) {
			continue
		}
		if x.DType != "BF16" {
			return fmt.Errorf("%s is %s, not BF16", name, x.DType)
		}
		filled++
		b := data[8+n:][x.Offsets[0]:x.Offsets[1]]
		if row >= 0 {
			width := len(b) / x.Shape[0]
			b = b[row*width:][:width]
		}
		for i := 0; i < len(b); i += 2 {
			binary.LittleEndian.PutUint16(b[i:], kernel.ToBF16(number))
		}
	}
	if filled == 0 {
		return fmt.Errorf("no tensor's name holds %q", part)
	}
	return os.WriteFile(path, data, 0o644)
}
