package quantised

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/softbench/softbench/engine/quantise"
	"github.com/softbench/softbench/engine/safetensors"
)

// Layout is whose tensors and config quantised weights are written as.
type Layout string

// The layouts. GPTQ's holds whole numbers alone.
const (
	CompressedTensors Layout = "compressed-tensors"
	BitsAndBytes      Layout = "bitsandbytes"
	GPTQ              Layout = "gptq"
)

// LayoutOf is the layout that a scheme's weights are written in: the one named, or where none is
// the method's usual one. It is an error where the scheme's weights cannot be stored so that
// others load them.
func LayoutOf(s quantise.Scheme, named string) (Layout, error) {
	levels := s.Method == quantise.NF4 || s.Method == quantise.FP4
	usual := CompressedTensors
	if levels {
		usual = BitsAndBytes
	}
	switch layout := cmp.Or(Layout(named), usual); {
	case s.Method == quantise.HQQ:
		return "", fmt.Errorf("%s has zeros that are not whole numbers, which no format that transformers and vLLM load keeps: quantise on the fly with --quantize %s, or write rtn-asym", s.Method, s)
	case layout != CompressedTensors && layout != BitsAndBytes && layout != GPTQ:
		return "", fmt.Errorf("a layout %q: want %s, %s or %s", named, CompressedTensors, BitsAndBytes, GPTQ)
	case levels && s.Group == 0:
		return "", fmt.Errorf("%s by rows cannot be stored: bitsandbytes has one block size for all weights; want a group of 32, 64 or 128", s.Method)
	case layout == GPTQ && (levels || s.Method == quantise.FP8 || s.Int8()), layout != GPTQ && layout != usual:
		return "", fmt.Errorf("the layout %s does not hold %s, which is written as %s", layout, s.Method, usual)
	default:
		return layout, nil
	}
}

// Format is what scales and numbers are rounded to, for quantise.Scheme: empty where it is the
// weights' own. GPTQ's loaders have float16, whatever the model has.
func (l Layout) Format() safetensors.DType {
	if l == GPTQ {
		return safetensors.F16
	}
	return ""
}

// Fits is the error of a matrix that a layout does not hold.
func (l Layout) Fits(s quantise.Scheme, rows, cols int) error {
	if s.Group > 0 && cols%s.Group != 0 {
		return fmt.Errorf("%d columns, which are not whole groups of %d: the format has no shorter ones; want --group row or one that divides it", cols, s.Group)
	}
	if l == GPTQ && (rows*s.Bits%32 != 0 || cols*s.Bits%32 != 0) {
		return fmt.Errorf("%d rows and %d columns, of which codes of %d bits do not fill whole words, as GPTQ's layout wants: leave --layout out", rows, cols, s.Bits)
	}
	return nil
}

// Config is the quantization_config of weights that Entries makes. ignore are the
// names of the linear modules that are not quantised, the head last.
func (l Layout) Config(s quantise.Scheme, ignore []string) map[string]any {
	switch l {
	case GPTQ:
		return gptqConfig(s, ignore)
	case BitsAndBytes:
		return map[string]any{
			"quant_method": "bitsandbytes", "load_in_4bit": true, "load_in_8bit": false, "bnb_4bit_quant_type": string(s.Method),
			"bnb_4bit_use_double_quant": false, "bnb_4bit_quant_storage": "uint8", "llm_int8_skip_modules": ignore,
		}
	}
	weights := map[string]any{"num_bits": s.Bits, "type": "int", "symmetric": s.Symmetric(), "strategy": "channel", "group_size": nil, "dynamic": false}
	if s.Group > 0 {
		weights["strategy"], weights["group_size"] = "group", s.Group
	}
	format := "pack-quantized"
	if s.Method == quantise.FP8 {
		weights["type"], format = "float", "float-quantized"
	}
	var inputs any
	if s.Int8() {
		format = "int-quantized"
		inputs = map[string]any{"num_bits": 8, "type": "int", "symmetric": true, "strategy": "token", "dynamic": true}
	}
	return map[string]any{
		"quant_method": "compressed-tensors", "format": format, "quantization_status": "compressed", "ignore": ignore,
		"config_groups": map[string]any{"group_0": map[string]any{
			"targets": []string{"Linear"}, "weights": weights, "input_activations": inputs, "output_activations": nil,
		}},
	}
}

// Entries are the tensors that hold m, quantised by s, as the weight called name.
// Decode makes the numbers of m's rows of them.
func (l Layout) Entries(s quantise.Scheme, name string, m *quantise.Matrix) ([]safetensors.Entry, error) {
	if err := l.Fits(s, m.Rows, m.Cols); err != nil {
		return nil, fmt.Errorf("tensor %q has %w", name, err)
	}
	module := strings.TrimSuffix(name, ".weight")
	if l == GPTQ {
		return gptqEntries(module, m)
	}
	across := m.Cols / m.Group
	scales := func(d safetensors.DType) safetensors.Entry {
		return safetensors.Float32(module+".weight_scale", d, []int{m.Rows, across}, m.Scales)
	}
	codes := make([]uint8, m.Cols)
	switch s.Method {
	case quantise.FP8, quantise.W8A8:
		data := make([]byte, m.Rows*m.Cols)
		for i := range m.Rows {
			m.RowCodes(i, data[i*m.Cols:][:m.Cols])
		}
		format := safetensors.E4M3
		if s.Int8() {
			format = "I8"
			for i := range data {
				data[i] ^= 0x80 // codes count from -128
			}
		}
		return []safetensors.Entry{{Name: name, DType: format, Shape: []int{m.Rows, m.Cols}, Data: data}, scales(m.Format)}, nil
	case quantise.NF4, quantise.FP4:
		return fourBitEntries(s, name, m)
	}
	words := ceil(m.Cols*m.Bits, 32)
	packed := make([]byte, 4*m.Rows*words)
	for i := range m.Rows {
		m.RowCodes(i, codes)
		for j, c := range codes {
			put(packed, i*words, 1, j, m.Bits, c)
		}
	}
	shape := binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, uint64(m.Rows)), uint64(m.Cols))
	all := []safetensors.Entry{
		{Name: module + ".weight_packed", DType: "I32", Shape: []int{m.Rows, words}, Data: packed},
		{Name: module + ".weight_shape", DType: "I64", Shape: []int{2}, Data: shape},
		scales(m.Format),
	}
	if m.Zeros == nil {
		return all, nil
	}
	height := ceil(m.Rows*m.Bits, 32)
	zeros := make([]byte, 4*height*across)
	for n, z := range m.Zeros {
		put(zeros, n%across, across, n/across, m.Bits, uint8(z))
	}
	return append(all, safetensors.Entry{Name: module + ".weight_zero_point", DType: "I32", Shape: []int{height, across}, Data: zeros}), nil
}

// put stores number n of so many bits where field reads it.
func put(data []byte, start, stride, n, bits int, v uint8) {
	at := n * bits
	w, shift := at/32, at%32
	or := func(w int, v uint32) {
		p := data[4*(start+w*stride):]
		binary.LittleEndian.PutUint32(p, binary.LittleEndian.Uint32(p)|v)
	}
	or(w, uint32(v)<<shift)
	if shift+bits > 32 {
		or(w+1, uint32(v)>>(32-shift))
	}
}

// fourBitEntries are bitsandbytes' tensors: the codes two in a byte, the first in the
// upper half, the largest magnitudes, the table and what belongs to all.
func fourBitEntries(s quantise.Scheme, name string, m *quantise.Matrix) ([]safetensors.Entry, error) {
	data := make([]byte, ceil(m.Rows*m.Cols, 2))
	codes := make([]uint8, m.Cols)
	for i := range m.Rows {
		m.RowCodes(i, codes)
		for j, c := range codes {
			n := i*m.Cols + j
			data[n/2] |= c << (4 * (1 - n%2))
		}
	}
	about, err := json.Marshal(state{Type: string(s.Method), Block: m.Group, DType: formatNames[m.Format], Shape: []int{m.Rows, m.Cols}})
	if err != nil {
		return nil, err
	}
	return []safetensors.Entry{
		{Name: name, DType: "U8", Shape: []int{len(data), 1}, Data: data},
		safetensors.Float32(name+".absmax", safetensors.F32, []int{len(m.Scales)}, m.Scales),
		safetensors.Float32(name+".quant_map", safetensors.F32, []int{16}, m.Levels),
		{Name: name + ".quant_state.bitsandbytes__" + string(s.Method), DType: "U8", Shape: []int{len(about)}, Data: about},
	}, nil
}

var formatNames = map[safetensors.DType]string{safetensors.F16: "float16", safetensors.BF16: "bfloat16", safetensors.F32: "float32"}
