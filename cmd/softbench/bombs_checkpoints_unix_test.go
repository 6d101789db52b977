//go:build unix

package main

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
)

// torchFile is a file of torch's whose program is this, compressed.
func torchFile(program filler) filler {
	return func(w io.Writer) error {
		z := zip.NewWriter(w)
		z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
		e, err := z.Create("m/data.pkl")
		if err == nil {
			err = program(e)
		}
		if err != nil {
			return err
		}
		return z.Close()
	}
}

// entries is a zip of n entries without content.
func entries(n int) filler {
	return func(w io.Writer) error {
		var b bytes.Buffer
		first, _ := b.WriteString("PK\x03\x04" + strings.Repeat("\x00", 26)) // an entry's own header
		for i := range n {
			name := fmt.Sprintf("m/data/%07d", i)
			b.WriteString("PK\x01\x02\x14\x00\x14\x00" + strings.Repeat("\x00", 20) + string([]byte{byte(len(name)), 0}) + strings.Repeat("\x00", 16) + name)
		}
		size := b.Len() - first
		b.WriteString("PK\x06\x06" + u64(44) + "\x2d\x00\x2d\x00" + u64(0) + u64(n) + u64(n) + u64(size) + u64(first))
		b.WriteString("PK\x06\x07" + u32(0) + u64(first+size) + u32(1))
		b.WriteString("PK\x05\x06\x00\x00\x00\x00" + strings.Repeat("\xff", 12) + "\x00\x00")
		_, err := b.WriteTo(w)
		return err
	}
}

// Parts of a GGUF file.
func u64(n int) string      { return string(binary.LittleEndian.AppendUint64(nil, uint64(n))) }
func u32(n int) string      { return string(binary.LittleEndian.AppendUint32(nil, uint32(n))) }
func short(s string) string { return u64(len(s)) + s }
func ggufHead(tensors, keys int) string {
	return "GGUF" + u32(3) + u64(tensors) + u64(keys)
}
func ggufTexts(key string, n int) string { return short(key) + u32(9) + u32(8) + u64(n) }
func ggufText(key, value string) string  { return short(key) + u32(8) + short(value) }

// triangle are the n·(n+1)/2 strings of some a and some b, n letters at most, each of which any
// two parts of make.
func triangle(n int) (all []string) {
	for i := range n {
		for j := range n - i + 1 {
			if i+j > 0 {
				all = append(all, strings.Repeat("a", i)+strings.Repeat("b", j))
			}
		}
	}
	return all
}

// ggufOf is a GGUF file with the tokenizer of these tokens.
func ggufOf(model string, tokens []string) filler {
	return func(w io.Writer) error {
		head := ggufHead(0, 4) + ggufText("general.architecture", "llama") + ggufText("tokenizer.ggml.model", model) +
			short("tokenizer.ggml.scores") + u32(9) + u32(6) + u64(len(tokens)) + strings.Repeat("\x00\x00\x00\x00", len(tokens)) +
			ggufTexts("tokenizer.ggml.tokens", len(tokens))
		return counted(head, len(tokens), func(i int) string { return short(tokens[i]) }, "")(w)
	}
}

const (
	inspectM    = "inspect m"
	inspectGGUF = "inspect m.gguf"
	tokenizeM   = "tokenize m --text a"
	withAdapter = "inspect $M --adapter a"
	lora        = `"peft_type":"LORA","r":2,"lora_alpha":2,"target_modules":["q_proj"]`
)

// headed is a safetensors file with this header.
func headed(head string, n int, piece func(int) string, tail string) filler {
	return func(w io.Writer) error {
		var b bytes.Buffer
		if err := counted(head, n, piece, tail)(&b); err != nil {
			return err
		}
		if _, err := io.WriteString(w, u64(b.Len())); err != nil {
			return err
		}
		_, err := b.WriteTo(w)
		return err
	}
}

// checkpointBombs are weights, adapters and tokenizers; more of them are TestHostileCheckpoints'.
func checkpointBombs() []bomb {
	same := func(s string) func(int) string { return func(int) string { return s } }
	const million = 1_000_000
	b64 := func(i int) string {
		return fmt.Sprintf(`{"token_bytes":"%s"},`, base64.StdEncoding.EncodeToString([]byte{byte(i), byte(i >> 8), byte(i >> 16)}))
	}
	return []bomb{
		{"unknown keys", "m/model.safetensors", headed(`{"a":{"x":0`, 15*million, same(`,"x":0`), "}}"), inspectM, ""},
		{"brackets", "m/model.safetensors", headed(`{"a":`, 6*million, same(brackets), ""), inspectM, ""},
		{"shards", "m/model.safetensors.index.json", counted(`{"weight_map":{"":"a"`, 600_000, func(i int) string { return fmt.Sprintf(`,"%d":"%d"`, i, i) }, "}}"), inspectM, ""},
		{"torch's shards", "m/pytorch_model.bin.index.json", counted(`{"weight_map":{"":"a"`, 600_000, func(i int) string { return fmt.Sprintf(`,"%d":"%d"`, i, i) }, "}}"), inspectM, ""},
		{"config of numbers", "m/config.json", repeated(`{"x":[0`, 30*million, ",0", "]}"), inspectM, ""},
		{"config of layers", "m/config.json", repeated(`{"model_type":"llama","layer_types":["full_attention"`, 7*million, `,""`, "]}"), inspectM, ""},

		{"memo", "m/pytorch_model.bin", torchFile(repeated("N", 5<<20, "\x94", ".")), inspectM, ""},
		{"list", "m/pytorch_model.bin", torchFile(repeated("]", 30<<20, "Na", ".")), inspectM, ""},
		{"dictionary", "m/pytorch_model.bin", torchFile(repeated("}", 20<<20, "NNs", ".")), inspectM, ""},
		{"stack", "m/pytorch_model.bin", torchFile(repeated("", 60<<20, "N", ".")), inspectM, ""},
		{"marks", "m/pytorch_model.bin", torchFile(repeated("", 30<<20, "(t", ".")), inspectM, ""},
		{"tuples", "m/pytorch_model.bin", torchFile(repeated("N", 60<<20, "\x85", ".")), inspectM, ""},
		{"tuples of one", "m/pytorch_model.bin", torchFile(repeated("Nq\x00", 15<<20, "h\x00\x870h\x00h\x00h\x00", ".")), inspectM, ""},
		{"shapes", "m/pytorch_model.bin", torchFile(func(w io.Writer) error {
			head := "(" + strings.Repeat("K\x00", 1<<19) + "tq\x01" + "ctorch._utils\n_rebuild_tensor_v2\nq\x02" +
				"((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x00tQq\x03" // a storage
			return repeated(head, 1<<12, "h\x02(h\x03K\x00h\x01h\x01NNtR", ".")(w)
		}), inspectM, ""},
		{"entries", "m/pytorch_model.bin", entries(3 << 20), inspectM, "its zip has"},
		{"a program", "m/pytorch_model.bin", torchFile(repeated("", 2<<27, "N", ".")), inspectM, ""},

		{"adapter's config", "a/adapter_config.json", repeated("{"+lora+`,"x":`, million, brackets, ""), withAdapter, ""},
		{"a tuple as a name", "m/pytorch_model.bin", torchFile(repeated("}N", 1_900_000, "\x85", "}s.")), inspectM, ""},
		{"adapter's modules", "a/adapter_config.json", repeated(`{"peft_type":"LORA","r":2,"lora_alpha":2,"target_modules":[""`, 6*million, `,""`, "]}"), withAdapter, ""},
		{"adapter's tensors", "a/adapter_model.safetensors", headed("{", million, func(i int) string {
			return fmt.Sprintf(`%s"t%d":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}`, ","[min(i, 1)^1:], i)
		}, "}"), withAdapter, "524288"},
		{"adapter's matrices", "a/adapter_model.safetensors", headed("{", 100_000, func(i int) string {
			return fmt.Sprintf(`%s"base_model.model.%d.lora_%c.weight":{"dtype":"F32","shape":[0,0],"data_offsets":[0,0]}`, ","[min(i, 1)^1:], i/2, 'A'+i%2)
		}, "}"), withAdapter, ""},

		{"GGUF's tensors", "m.gguf", counted(ggufHead(1<<20, 0), 1<<20, func(i int) string { return short(fmt.Sprintf("%064d", i)) + u32(1) + u64(32) + u32(0) + u64(0) }, ""), inspectGGUF, ""},
		{"GGUF's long names", "m.gguf", repeated(ggufHead(1<<17, 0), 1<<17, short(strings.Repeat("a", 4096))+u32(1)+u64(32)+u32(0)+u64(0), ""), inspectGGUF, ""},
		{"GGUF's keys", "m.gguf", counted(ggufHead(0, 1<<16), 1<<16, func(i int) string { return short(fmt.Sprintf("%04096d", i)) + u32(0) + "\x00" }, ""), inspectGGUF, ""},
		{"GGUF's texts", "m.gguf", repeated(ggufHead(0, 3)+ggufText("general.architecture", "llama")+ggufText("tokenizer.ggml.model", "gpt2")+ggufTexts("tokenizer.ggml.tokens", 8<<20), 8<<20, u64(0), ""), inspectGGUF, ""},
		{"GGUF's merges", "m.gguf", repeated(ggufHead(0, 5)+ggufText("general.architecture", "llama")+ggufText("tokenizer.ggml.model", "gpt2")+ggufText("tokenizer.ggml.pre", "gpt-2")+
			ggufTexts("tokenizer.ggml.tokens", 1)+short("a")+ggufTexts("tokenizer.ggml.merges", 6<<20), 6<<20, short("a a"), ""), "tokenize m.gguf --text a", ""},
		{"GGUF's implied merges", "m.gguf", ggufOf("llama", triangle(300)), "tokenize m.gguf --text a", ""},
		{"GGUF's claims", "m.gguf", fixed(ggufHead(1<<20, 1<<16)), inspectGGUF, ""},
		{"GGUF's array", "m.gguf", fixed(ggufHead(0, 1) + ggufTexts("tokenizer.ggml.tokens", 1<<60)), inspectGGUF, ""},

		{"SentencePiece's implied merges", "m/tokenizer.model", func(w io.Writer) error {
			all := triangle(300)
			return counted("", len(all), func(i int) string {
				piece := "\x0a" + string(binary.AppendUvarint(nil, uint64(len(all[i])))) + all[i]
				return "\x0a" + string(binary.AppendUvarint(nil, uint64(len(piece)))) + piece
			}, "\x0a\x09\x0a\x05<unk>\x18\x02\x12\x02\x18\x02")(w)
		}, tokenizeM, ""},
		{"SentencePiece's charsmap", "m/tokenizer.model", repeated("\x0a\x03\x0a\x01a\x1a\x80\x80\x80\x18\x12\xfb\xff\xff\x17", 50<<20, "a", ""), tokenizeM, ""},
		{"unigram", "m/tokenizer.json", repeated(`{"model":{"type":"Unigram","unk_id":0,"vocab":[["a",0]`, 5*million, `,["a",0]`, "]}}"), tokenizeM, ""},
		{"tekken", "m/tekken.json", counted(`{"config":{"pattern":"a"},"vocab":[`, 2_400_000, b64, `{}]}`), tokenizeM, ""},
		{"tekken of braces", "m/tekken.json", repeated(`{"config":{"pattern":"a"},"vocab":[`, 20*million, "{},", `{}]}`), tokenizeM, ""},
		{"tekken's special tokens", "m/tekken.json", repeated(`{"config":{"pattern":"a"},"vocab":[{"token_bytes":"YQ=="}],"special_tokens":[`, 20*million, "{},", `{}]}`), tokenizeM, ""},
		{"tekken's pairs", "m/tekken.json", func(w io.Writer) error {
			all := triangle(300)
			return counted(`{"config":{"pattern":"a"},"vocab":[`, len(all), func(i int) string {
				return fmt.Sprintf(`{"token_bytes":"%s"},`, base64.StdEncoding.EncodeToString([]byte(all[i])))
			}, `{"token_bytes":"YQ=="}]}`)(w)
		}, tokenizeM, ""},
		{"chat template", "m/tokenizer_config.json", repeated(`{"chat_template":"`, million, "{% for x in range(9) %}", ""), tokenizeM, ""},
	}
}
