package tokenizer

import (
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// The few messages of sentencepiece_model.proto that are needed. Unknown fields are skipped,
// as Protocol Buffers require.

// protoField is one field of a message: a number for wire types 0, 1 and 5, bytes for wire type 2.
type protoField struct {
	number int
	wire   protowire.Type
	value  uint64
	bytes  []byte
}

// eachField calls visit with each field of a message, in order. base is the message's place in the file.
func eachField(message []byte, base int, visit func(f protoField, at int) error) error {
	for i := 0; i < len(message); {
		at := base + i
		number, wire, n := protowire.ConsumeTag(message[i:])
		if n < 0 {
			return fmt.Errorf("byte %d: malformed field key: %w", at, protowire.ParseError(n))
		}
		i += n
		f := protoField{number: int(number), wire: wire}
		switch rest := message[i:]; wire {
		case protowire.VarintType:
			f.value, n = protowire.ConsumeVarint(rest)
		case protowire.Fixed64Type:
			f.value, n = protowire.ConsumeFixed64(rest)
		case protowire.BytesType:
			f.bytes, n = protowire.ConsumeBytes(rest)
		case protowire.Fixed32Type:
			var bits uint32
			bits, n = protowire.ConsumeFixed32(rest)
			f.value = uint64(bits)
		default:
			return fmt.Errorf("byte %d: field %d has wire type %d; is this a SentencePiece model?", at, number, wire)
		}
		if n < 0 {
			return fmt.Errorf("byte %d: field %d is cut off or malformed: %w", at, number, protowire.ParseError(n))
		}
		i += n
		if err := visit(f, at); err != nil {
			return err
		}
	}
	return nil
}

func (f protoField) float() float32 { return math.Float32frombits(uint32(f.value)) }

// Piece types of sentencepiece_model.proto.
const (
	pieceNormal      = 1
	pieceUnknown     = 2
	pieceControl     = 3
	pieceUserDefined = 4
	pieceUnused      = 5
	pieceByte        = 6
)

// protoPiece is one entry of a SentencePiece vocabulary; its id is its index.
type protoPiece struct {
	text  string
	score float32
	kind  int
}

// protoModel is what a tokenizer.model says that matters for ids.
type protoModel struct {
	pieces       []protoPiece
	modelType    int // 1 unigram, 2 BPE, 3 word, 4 char
	asSuffix     bool
	byteFallback bool
	bos, eos     string
	charsmap     []byte
	denormalizes bool
	dummyPrefix  bool
	trimSpaces   bool // remove_extra_whitespaces
	escapeSpaces bool
}

func parseProto(data []byte) (*protoModel, error) {
	m := &protoModel{modelType: 1, bos: "<s>", eos: "</s>", dummyPrefix: true, trimSpaces: true, escapeSpaces: true}
	err := eachField(data, 0, func(f protoField, at int) error {
		if f.number > 5 || f.wire != protowire.BytesType {
			if f.number <= 5 {
				return fmt.Errorf("byte %d: field %d has wire type %d; is this a SentencePiece model?", at, f.number, f.wire)
			}
			return nil
		}
		switch f.number {
		case 1:
			return m.readPiece(f.bytes, at)
		case 2:
			return m.readTrainer(f.bytes, at)
		case 3:
			return m.readNormalizer(f.bytes, at)
		case 5:
			return eachField(f.bytes, at, func(g protoField, _ int) error {
				m.denormalizes = m.denormalizes || g.number == 2 && len(g.bytes) > 0
				return nil
			})
		}
		return nil
	})
	if err == nil && len(m.pieces) == 0 {
		err = fmt.Errorf("has no pieces; is this a SentencePiece model?")
	}
	return m, err
}

func (m *protoModel) readPiece(message []byte, at int) error {
	if len(m.pieces) == maxTokens {
		return fmt.Errorf("byte %d: more than %d pieces", at, maxTokens)
	}
	p := protoPiece{kind: pieceNormal}
	err := eachField(message, at, func(f protoField, at int) error {
		switch {
		case f.number == 1 && f.wire == protowire.BytesType:
			if len(f.bytes) > maxPieceBytes {
				return fmt.Errorf("byte %d: a piece of %d bytes, more than %d", at, len(f.bytes), maxPieceBytes)
			}
			p.text = string(f.bytes)
		case f.number == 2 && f.wire == protowire.Fixed32Type:
			p.score = f.float()
		case f.number == 3 && f.wire == protowire.VarintType:
			p.kind = int(min(f.value, 1<<16))
		case f.number <= 3:
			return fmt.Errorf("byte %d: field %d of a piece has wire type %d", at, f.number, f.wire)
		}
		return nil
	})
	m.pieces = append(m.pieces, p)
	return err
}

func (m *protoModel) readTrainer(message []byte, at int) error {
	return eachField(message, at, func(f protoField, _ int) error {
		switch {
		case f.number == 3 && f.wire == protowire.VarintType:
			m.modelType = int(min(f.value, 1<<16))
		case f.number == 24 && f.wire == protowire.VarintType:
			m.asSuffix = f.value != 0
		case f.number == 35 && f.wire == protowire.VarintType:
			m.byteFallback = f.value != 0
		case f.number == 46 && f.wire == protowire.BytesType:
			m.bos = string(f.bytes)
		case f.number == 47 && f.wire == protowire.BytesType:
			m.eos = string(f.bytes)
		}
		return nil
	})
}

func (m *protoModel) readNormalizer(message []byte, at int) error {
	return eachField(message, at, func(f protoField, _ int) error {
		switch {
		case f.number == 2 && f.wire == protowire.BytesType:
			m.charsmap = f.bytes
		case f.number == 3 && f.wire == protowire.VarintType:
			m.dummyPrefix = f.value != 0
		case f.number == 4 && f.wire == protowire.VarintType:
			m.trimSpaces = f.value != 0
		case f.number == 5 && f.wire == protowire.VarintType:
			m.escapeSpaces = f.value != 0
		}
		return nil
	})
}
