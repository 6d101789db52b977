//go:build unix

package main

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// taskOver is a task whose documents are in a file of this name; "" where it is none of documents.
func taskOver(file string) string {
	if !strings.HasPrefix(file, "docs.") {
		return ""
	}
	head := "name: own\ndataset: {files: {test: " + file + "}}\n"
	if strings.HasPrefix(file, "docs.txt") {
		return head + "kind: rolling_perplexity\ntext: \"{{.text}}\"\n"
	}
	return head + "kind: multiple_choice\ncontext: \"{{.q}}?\"\nchoices: c\ngold: {field: g}\n"
}

// document is what the task above reads.
const document = `{"q":"a","c":["b","d"],"g":0}` + "\n"

// members is n times the same part, compressed once: gzip's members and Zstandard's frames
// may follow each other.
func members(compress func([]byte) ([]byte, error), head, piece string, size, n int) filler {
	return func(w io.Writer) error {
		for i, part := range []string{head, strings.Repeat(piece, size/len(piece))} {
			b, err := compress([]byte(part))
			if err != nil {
				return err
			}
			if _, err := w.Write(bytes.Repeat(b, 1+i*(n-1))); err != nil {
				return err
			}
		}
		return nil
	}
}

func gzipped(b []byte) ([]byte, error) {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	err := w.Close()
	return out.Bytes(), err
}

func zstandard(b []byte) ([]byte, error) {
	w, err := zstd.NewWriter(nil)
	if err != nil {
		return nil, err
	}
	return w.EncodeAll(b, nil), nil
}

// runs is a Zstandard frame of this window's size byte and n blocks that each stand for 128 KB of
// one byte, in four bytes.
func runs(window, b byte, n int) filler {
	block := binary.LittleEndian.AppendUint32(nil, 128<<10<<3|1<<1)[:3]
	return repeated("\x28\xb5\x2f\xfd\x00"+string([]byte{window}), n, string(append(block, b)), "")
}

// thrift is a Parquet file with this metadata.
func thrift(head string, n int, piece string) filler {
	return func(w io.Writer) error {
		size := len(head) + n*len(piece)
		return repeated("PAR1"+head, n, piece, string(binary.LittleEndian.AppendUint32(nil, uint32(size)))+"PAR1")(w)
	}
}

const (
	large      = "one document is more than 64 MiB"
	manyValues = "more than 1048576 values"
)

// documentBombs are files of documents.
func documentBombs() []bomb {
	all := []bomb{
		{"a line", "docs.jsonl", repeated(`{"q":"`, 250<<16, "aaaaaaaaaaaaaaaa", `"}`), "", large},
		{"a line without a bracket", "docs.jsonl", repeated("", 250<<16, "aaaaaaaaaaaaaaaa", ""), "", large},
		{"a line of values", "docs.jsonl", repeated(`{"c":[0`, 20<<20, ",0", `]}`), "", manyValues},
		{"lines of brackets", "docs.jsonl", repeated(document+`{"c":`, 3<<20, brackets, ""), "", "more than 500 deep"},
		{"objects in each other", "docs.jsonl", repeated("", 10<<20, `{"":`, ""), "", "more than 500 deep"},
		{"lines of braces", "docs.jsonl", repeated("", 20<<20, "{}\n", ""), "", "own"},
		{"an array of braces", "docs.json", repeated("[{}", 20<<20, ",{}", "]"), "", "own"},
		{"an array of brackets", "docs.json", repeated("", 6<<20, brackets, ""), "", "something else than objects"},
		{"an array that does not end", "docs.json", repeated(`[{"q":"`, 20<<20, "aaaaaaaaaaaaaaaa", ""), "", large},
		{"an object over lines", "docs.json", repeated("{\n", 20<<20, `"q":"aaaaaaaa",`+"\n", ""), "", manyValues},
		{"spaces", "docs.json", repeated("[", 300<<16, "                ", ""), "", "MiB of the file are blank"},
		{"documents, bad at the last", "docs.jsonl", repeated("", 1_400_000, document, `{"q":"a","c":["b","d"],"g":7}`), "", "unknown answer key 7"},
		{"a number", "docs.json", repeated(`[{"q":`, 4<<20, "1111111111111111", ""), "", "4300"},
		{"a table's row", "docs.csv", repeated("q,c,g\n", 30<<20, ",", "\n"), "", ""},
		{"a quote", "docs.csv", repeated("q,c,g\n\"", 250<<16, "aaaaaaaaaaaaaaaa", ""), "", large},
		{"quotes", "docs.csv", repeated("q,c,g\n\"", 250<<16, `""""""""""""""""`, ""), "", large},
		{"a table of nothing", "docs.tsv", repeated("q\tc\tg\n", 60<<20, "\n", ""), "", "docs.tsv"},
		{"a table's tabs", "docs.tsv", repeated("q\tc\tg\n", 50<<20, "\t", "\n"), "", ""},
		{"a text", "docs.txt", repeated("", 300<<16, "aaaaaaaaaaaaaaaa", ""), "", "128 MiB"},
		{"a window", "docs.jsonl.zst", runs(0xa0, ' ', 100), "", "window"},
		{"runs", "docs.jsonl.zst", runs(0x50, 'a', 16000), "", large},
		{"runs of text", "docs.txt.zst", runs(0x88, 'a', 16000), "", "128 MiB"},
		{"runs of brackets", "docs.json.zst", runs(0x50, '[', 16000), "", "docs.json.zst"},
		{"runs of commas", "docs.csv.zst", runs(0x50, ',', 16000), "", "docs.csv.zst"},
		{"skipped", "docs.jsonl.zst", fixed("\x50\x2a\x4d\x18\xff\xff\xff\xff"), "", "docs.jsonl.zst"},
		{"metadata of structs", "docs.parquet", thrift("", 60<<20, "\x1c"), "", ""},
		{"metadata of lists", "docs.parquet", thrift("", 30<<20, "\x19\x19"), "", ""},
		{"metadata of columns", "docs.parquet", thrift("\x15\x02\x19\xfc\x80\x80\x80\x1e", 60<<20, "\x00"), "", ""},
		{"metadata of numbers", "docs.parquet", thrift("\x15\x02\x0f", 60<<20, "\x80"), "", ""},
		{"metadata of maps", "docs.parquet", thrift("", 30<<20, "\x1b\xff\xff\xff\xff\x0f\xcc"), "", ""},
	}
	for name, compress := range map[string]func([]byte) ([]byte, error){"gz": gzipped, "zst": zstandard} {
		all = append(all, []bomb{
			{"a line, " + name, "docs.jsonl." + name, members(compress, `{"q":"`, "a", 32<<20, 64), "", large},
			{"a text, " + name, "docs.txt." + name, members(compress, "", "a", 32<<20, 64), "", "128 MiB"},
		}...)
	}
	all = append(all, []bomb{
		{"lines of braces, gz", "docs.jsonl.gz", members(gzipped, "", "{}\n", 32<<20, 8), "", "own"},
		{"a line of values, zst", "docs.jsonl.zst", members(zstandard, `{"c":[0`, ",0", 32<<20, 8), "", large},
		{"brackets, gz", "docs.json.gz", members(gzipped, `[{"c":`, "[", 32<<20, 8), "", "more than 500 deep"},
		{"cells, zst", "docs.tsv.zst", members(zstandard, "q\tc\tg\n", "\t", 32<<20, 8), "", ""},
		{"blank lines, gz", "docs.jsonl.gz", members(gzipped, "", "\n", 16<<20, 2), "", "no documents"},
		{"blank lines, zst", "docs.jsonl.zst", members(zstandard, "", "\n", 32<<20, 16), "", "MiB of the file are blank"},
	}...)
	for _, name := range []string{"choices", "more_choices", "text"} {
		all = append(all, bomb{name, "docs.parquet", zipped("../../tasks/data/testdata/bombs.zip", name+".parquet"), "", ""})
	}
	for i := range all {
		all[i].args = "run task.yaml --model $M"
	}
	return all
}
