package quantised

import (
	"encoding/binary"
	"fmt"
	"regexp"

	"github.com/softbench/softbench/engine/quantise"
	"github.com/softbench/softbench/engine/safetensors"
)

// GPTQConfigFile is a second copy of quantization_config, where programs of before it was in
// config.json look.
const GPTQConfigFile = "quantize_config.json"

// gptqConfig is GPTQ's quantization_config. Zero points that are all the same are stored as its first
// version does, which every loader knows; others as its second, as the first cannot tell a zero of 0
// without borrowing from its neighbour.
func gptqConfig(s quantise.Scheme, ignore []string) map[string]any {
	group := s.Group
	if group == 0 {
		group = -1
	}
	version := "gptq"
	if !s.Symmetric() {
		version = "gptq_v2"
	}
	config := map[string]any{
		"quant_method": "gptq", "bits": s.Bits, "group_size": group, "desc_act": false, "sym": s.Symmetric(), "lm_head": false,
		"checkpoint_format": version, "pack_dtype": "int32",
	}
	skipped := map[string]any{}
	for _, module := range ignore[:len(ignore)-1] { // the head has a member of its own
		skipped["-:^"+regexp.QuoteMeta(module)+"$"] = map[string]any{}
	}
	if len(skipped) > 0 {
		config["dynamic"] = skipped
	}
	return config
}

// gptqEntries are GPTQ's tensors: codes packed along the inputs, scales and zeros of each group of
// inputs and each output, the group of each input. With act-order, groups have the inputs that lie
// side by side too (gptqmodel's static groups), so that g_idx is in order.
func gptqEntries(module string, m *quantise.Matrix) ([]safetensors.Entry, error) {
	groups := m.Cols / m.Group
	codes := make([]uint8, m.Cols)
	height, width := m.Cols*m.Bits/32, m.Rows*m.Bits/32
	weights, zeros := make([]byte, 4*height*m.Rows), make([]byte, 4*groups*width)
	scales := make([]float32, groups*m.Rows)
	less := uint8(1) // of the first version
	if m.Zeros != nil {
		less = 0
	}
	if m.Format != safetensors.F16 {
		return nil, fmt.Errorf("tensor %q was quantised in %s: GPTQ's layout has float16", module, m.Format)
	}
	for i := range m.Rows {
		m.RowCodes(i, codes)
		for j, c := range codes {
			put(weights, i, m.Rows, j, m.Bits, c)
		}
		for g := range groups {
			zero := m.Zero
			if m.Zeros != nil {
				zero = m.Zeros[i*groups+g]
			}
			put(zeros, g*width, 1, i, m.Bits, uint8(zero)-less)
			scale := m.Scales[i*groups+g]
			if scale > 65504 {
				return nil, fmt.Errorf("tensor %q has a scale beyond float16's range, which GPTQ's layout has: leave --layout out", module)
			}
			scales[g*m.Rows+i] = scale
		}
	}
	var order []byte
	for j := range m.Cols {
		order = binary.LittleEndian.AppendUint32(order, uint32(j/m.Group))
	}
	return []safetensors.Entry{
		{Name: module + ".qweight", DType: "I32", Shape: []int{height, m.Rows}, Data: weights},
		{Name: module + ".qzeros", DType: "I32", Shape: []int{groups, width}, Data: zeros},
		safetensors.Float32(module+".scales", m.Format, []int{groups, m.Rows}, scales),
		{Name: module + ".g_idx", DType: "I32", Shape: []int{m.Cols}, Data: order},
	}, nil
}
