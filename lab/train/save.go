package train

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"reflect"
	"strings"

	"github.com/softbench/softbench/internal/atomicfile"
	"github.com/softbench/softbench/internal/regularfile"
)

// stateMagic begins a training state's file.
const stateMagic = "softbench training state 1\n"

// stateHeader is what a state must agree on with the training that resumes it.
type stateHeader struct {
	Config  Config
	Steps   int
	Batch   int
	Accum   int
	Rate    float64
	Warmup  int
	Decay   float64
	Clip    float64
	Seed    uint64
	Begin   Beginning
	Adam    Adam
	Mix     string // the exercises
	Set     string
	DType   string
	First   int32  // -1: none
	Tokens  uint32 // CRC-32 of the text's ids, and of the windows' starts
	Done    int
	Numbers int
}

func (t *Trainer) header() stateHeader {
	o := &t.opts
	sum := crc32.NewIEEE()
	var id [4]byte
	for _, v := range t.tokens {
		binary.LittleEndian.PutUint32(id[:], uint32(v))
		sum.Write(id[:])
	}
	for _, v := range o.Starts {
		binary.LittleEndian.PutUint32(id[:], uint32(v))
		sum.Write(id[:])
	}
	first := int32(-1)
	if o.First != nil {
		first = *o.First
	}
	return stateHeader{
		o.Config, o.Steps, o.Batch, o.Accumulate, o.Rate, o.Warmup, o.Decay, o.Clip, o.Seed, o.Begin, o.Adam, o.exercises(), o.Set.Name(), o.DType.String(), first,
		sum.Sum32(), t.Done, len(t.Model.Params.All),
	}
}

// savedHeader is a state's first line: the header, and what the caller wants to
// keep with it.
type savedHeader struct {
	stateHeader
	Note string
}

// Save writes the training's whole state, and a note that Restore gives back, in one
// step: after any failure the file is what it was before.
func (t *Trainer) Save(path, note string) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		sum := crc32.NewIEEE()
		out := io.MultiWriter(w, sum)
		head, err := json.Marshal(savedHeader{t.header(), note})
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(out, "%s%s\n", stateMagic, head); err != nil {
			return err
		}
		for _, part := range [][]float32{t.Model.Params.All, t.optim.first, t.optim.second} {
			if err := writeFloats(out, part); err != nil {
				return err
			}
		}
		return binary.Write(w, binary.LittleEndian, sum.Sum32())
	})
}

// Restore goes on from a saved state of the same training; anything else is an
// error and changes nothing.
func (t *Trainer) Restore(path string) (note string, err error) {
	f, err := regularfile.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	note, err = t.restore(bufio.NewReaderSize(f, 1<<20))
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return note, nil
}

func (t *Trainer) restore(r *bufio.Reader) (string, error) {
	sum := crc32.NewIEEE()
	in := io.TeeReader(r, sum)
	magic := make([]byte, len(stateMagic))
	if _, err := io.ReadFull(in, magic); err != nil || string(magic) != stateMagic {
		return "", errors.New("not a training state of this version")
	}
	line, err := r.ReadBytes('\n')
	if err != nil {
		return "", errors.New("cut off in its first line")
	}
	sum.Write(line)
	var was savedHeader
	if err := json.Unmarshal(line, &was); err != nil {
		return "", fmt.Errorf("not a training state: %w", err)
	}
	now := t.header()
	done := was.Done
	was.Done = now.Done
	if diff := differences(was.stateHeader, now); diff != "" {
		return "", fmt.Errorf("the state of another training: %s", diff)
	}
	if done < 0 || done > t.opts.Steps {
		return "", fmt.Errorf("%d steps done of %d cannot be", done, t.opts.Steps)
	}
	var parts [3][]float32
	for i := range parts {
		parts[i] = make([]float32, now.Numbers)
		if err := readFloats(in, parts[i]); err != nil {
			return "", errors.New("cut off: it ends before its weights do")
		}
	}
	var want uint32
	if err := binary.Read(r, binary.LittleEndian, &want); err != nil || want != sum.Sum32() {
		return "", errors.New("damaged: its checksum is wrong")
	}
	copy(t.Model.Params.All, parts[0])
	copy(t.optim.first, parts[1])
	copy(t.optim.second, parts[2])
	t.optim.Steps, t.Done = done, done
	return was.Note, nil
}

// differences lists the settings in which two trainings differ.
func differences(was, now stateHeader) string {
	return strings.Join(fieldDifferences(reflect.ValueOf(was), reflect.ValueOf(now)), "; ")
}

func fieldDifferences(a, b reflect.Value) (out []string) {
	for i := range a.NumField() {
		x, y := a.Field(i).Interface(), b.Field(i).Interface()
		name := a.Type().Field(i).Name
		switch {
		case x == y:
		case a.Field(i).Kind() == reflect.Struct:
			out = append(out, fieldDifferences(a.Field(i), b.Field(i))...)
		case name == "Tokens":
			out = append(out, "other text or tokenizer")
		default:
			out = append(out, fmt.Sprintf("%s was %v, is %v", strings.ToLower(name), x, y))
		}
	}
	return out
}

func writeFloats(w io.Writer, v []float32) error {
	buf := make([]byte, 0, 1<<16)
	for len(v) > 0 {
		n := min(len(v), cap(buf)/4)
		buf = buf[:0]
		for _, x := range v[:n] {
			buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(x))
		}
		if _, err := w.Write(buf); err != nil {
			return err
		}
		v = v[n:]
	}
	return nil
}

func readFloats(r io.Reader, v []float32) error {
	buf := make([]byte, 1<<16)
	for len(v) > 0 {
		n := min(len(v), len(buf)/4)
		if _, err := io.ReadFull(r, buf[:n*4]); err != nil {
			return err
		}
		for i := range n {
			v[i] = math.Float32frombits(binary.LittleEndian.Uint32(buf[i*4:]))
		}
		v = v[n:]
	}
	return nil
}
