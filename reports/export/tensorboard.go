package export

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// EventFile is one event file of TensorBoard: all runs of a series.
type EventFile struct {
	Series string
	Name   string // of the file
	Data   []byte
}

// TensorBoard gives each series' event file: a scalar for every number of every run, at the run's
// step and end. A file is a TFRecord of tensorflow.Event messages (tensorflow/core/util/event.proto).
func TensorBoard(runs []At) (files []EventFile) {
	var names []string
	series := map[string][]At{}
	for _, r := range runs {
		if _, ok := series[r.Series]; !ok {
			names = append(names, r.Series)
		}
		series[r.Series] = append(series[r.Series], r)
	}
	for _, name := range names {
		all := series[name]
		slices.SortStableFunc(all, func(a, b At) int { return int(a.Step - b.Step) })
		var b bytes.Buffer
		first := seconds(all[0])
		writeRecord(&b, event(first, 0, fileVersion("brain.Event:2")))
		for _, r := range all {
			var summary []byte
			for _, n := range numbersOf(r.Side) {
				for _, v := range n.values() {
					summary = protowire.AppendTag(summary, 1, protowire.BytesType) // Summary.value
					summary = protowire.AppendBytes(summary, scalar(v))
				}
			}
			message := protowire.AppendTag(nil, 5, protowire.BytesType) // Event.summary
			writeRecord(&b, event(seconds(r), r.Step, protowire.AppendBytes(message, summary)))
		}
		files = append(files, EventFile{name, fmt.Sprintf("events.out.tfevents.%010d.softbench", int64(first)), b.Bytes()})
	}
	return files
}

func seconds(a At) float64 { return float64(a.when().UnixMicro()) / 1e6 }

// event is an Event with its wall time and step.
func event(wall float64, step int64, what []byte) []byte {
	b := protowire.AppendTag(nil, 1, protowire.Fixed64Type)
	b = protowire.AppendFixed64(b, math.Float64bits(wall))
	b = protowire.AppendTag(b, 2, protowire.VarintType)
	b = protowire.AppendVarint(b, uint64(step))
	return append(b, what...)
}

func fileVersion(version string) []byte {
	return protowire.AppendString(protowire.AppendTag(nil, 3, protowire.BytesType), version)
}

// scalar is a Summary.Value with a tag and a simple value.
func scalar(v tagged) []byte {
	b := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), v.tag)
	b = protowire.AppendTag(b, 2, protowire.Fixed32Type)
	return protowire.AppendFixed32(b, math.Float32bits(float32(v.value)))
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// masked is TFRecord's checksum: CRC-32C, turned by 15 bits, plus a constant, so that a checksum
// over data with checksums is none of those.
func masked(data []byte) uint32 {
	crc := crc32.Checksum(data, castagnoli)
	return (crc>>15 | crc<<17) + 0xa282ead8
}

// writeRecord writes a TFRecord: length, its checksum, data, its checksum, all little-endian.
func writeRecord(b *bytes.Buffer, data []byte) {
	length := binary.LittleEndian.AppendUint64(nil, uint64(len(data)))
	b.Write(length)
	b.Write(binary.LittleEndian.AppendUint32(nil, masked(length)))
	b.Write(data)
	b.Write(binary.LittleEndian.AppendUint32(nil, masked(data)))
}
