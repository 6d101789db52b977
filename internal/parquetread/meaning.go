package parquetread

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Physical types.
const (
	boolean = iota
	int32Type
	int64Type
	int96
	float
	double
	byteArray
	fixedBytes
)

var physicalNames = []string{"BOOLEAN", "INT32", "INT64", "INT96", "FLOAT", "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"}

// Logical types.
const (
	logicalString    = 1
	logicalMap       = 2
	logicalList      = 3
	logicalEnum      = 4
	logicalDecimal   = 5
	logicalDate      = 6
	logicalTime      = 7
	logicalTimestamp = 8
	logicalInteger   = 10
	logicalUnknown   = 11
	logicalJSON      = 12
	logicalBSON      = 13
	logicalUUID      = 14
	logicalFloat16   = 15
	logicalVariant   = 16
)

var logicalNames = map[int64]string{logicalBSON: "BSON", logicalVariant: "VARIANT", 17: "GEOMETRY", 18: "GEOGRAPHY"}

// Converted types, as older files have them.
const (
	convertedUTF8            = 0
	convertedMap             = 1
	convertedMapKeyValue     = 2
	convertedList            = 3
	convertedEnum            = 4
	convertedDecimal         = 5
	convertedDate            = 6
	convertedTimeMillis      = 7
	convertedTimeMicros      = 8
	convertedTimestampMillis = 9
	convertedTimestampMicros = 10
	convertedUint8           = 11
	convertedUint64          = 14
	convertedInt8            = 15
	convertedInt64           = 18
	convertedJSON            = 19
	convertedBSON            = 20
	convertedInterval        = 21
)

// Units of time.
const (
	millis = 1
	micros = 2
	nanos  = 3
)

// scalar is a value as it is stored: a number's bits, or bytes.
type scalar struct {
	n uint64
	b []byte
}

// meaning turns a stored value into what is handed out: bool, int64, float64, string,
// or json.Number for an unsigned integer beyond int64 and for a decimal, whose digits
// it has. Dates, times and timestamps are text as Python's str has them; bytes without
// a meaning are text where they are UTF-8, else "base64:" and their base64.
type meaning func(scalar) (any, error)

func (e *element) meaning() (meaning, error) {
	l := e.logical
	if l.id == 0 {
		l = e.fromConverted()
	}
	fits := func(types ...int64) bool { return slices.Contains(types, e.physical) }
	kind := "a type unknown here"
	switch {
	case l.id == 0 || l.id == logicalUnknown:
		return e.plain(), nil
	case l.id == -1:
		return nil, errors.New("values of the type INTERVAL are not read")
	case (l.id == logicalString || l.id == logicalEnum || l.id == logicalJSON) && fits(byteArray, fixedBytes):
		return text, nil
	case l.id == logicalInteger && fits(int32Type, int64Type):
		return integer(l, e.physical), nil
	case l.id == logicalDecimal && fits(int32Type, int64Type, byteArray, fixedBytes):
		if l.scale < 0 || l.scale > 1000 {
			return nil, fmt.Errorf("a decimal of scale %d", l.scale)
		}
		return decimal(l.scale, e.physical), nil
	case l.id == logicalDate && fits(int32Type):
		return func(v scalar) (any, error) { return date(int64(int32(v.n))) }, nil
	case l.id == logicalTime && fits(int32Type, int64Type):
		return clock(l), nil
	case l.id == logicalTimestamp && fits(int64Type):
		return timestamp(l), nil
	case l.id == logicalUUID && e.physical == fixedBytes && e.length == 16:
		return uuid, nil
	case l.id == logicalFloat16 && e.physical == fixedBytes && e.length == 2:
		return func(v scalar) (any, error) { return half(binary.LittleEndian.Uint16(v.b)), nil }, nil
	case logicalNames[l.id] != "":
		kind = "the type " + logicalNames[l.id]
	case l.id < logicalVariant:
		return nil, fmt.Errorf("its logical type %d does not go with the physical type %s", l.id, physicalNames[e.physical])
	}
	return nil, fmt.Errorf("values of %s are not read", kind)
}

// fromConverted is the logical type that a converted type stands for. -1 is
// INTERVAL's, which has none.
func (e *element) fromConverted() logicalType {
	switch c := e.converted; {
	case c == convertedUTF8:
		return logicalType{id: logicalString}
	case c == convertedEnum:
		return logicalType{id: logicalEnum}
	case c == convertedDecimal:
		return logicalType{id: logicalDecimal, scale: e.scale}
	case c == convertedDate:
		return logicalType{id: logicalDate}
	case c == convertedTimeMillis:
		return logicalType{id: logicalTime, unit: millis, utc: true}
	case c == convertedTimeMicros:
		return logicalType{id: logicalTime, unit: micros, utc: true}
	case c == convertedTimestampMillis:
		return logicalType{id: logicalTimestamp, unit: millis, utc: true}
	case c == convertedTimestampMicros:
		return logicalType{id: logicalTimestamp, unit: micros, utc: true}
	case c >= convertedUint8 && c <= convertedUint64:
		return logicalType{id: logicalInteger, width: 8 << (c - convertedUint8)}
	case c >= convertedInt8 && c <= convertedInt64:
		return logicalType{id: logicalInteger, width: 8 << (c - convertedInt8), signed: true}
	case c == convertedJSON:
		return logicalType{id: logicalJSON}
	case c == convertedBSON:
		return logicalType{id: logicalBSON}
	case c == convertedInterval:
		return logicalType{id: -1}
	}
	return logicalType{}
}

// plain is a value without a logical type.
func (e *element) plain() meaning {
	switch e.physical {
	case boolean:
		return func(v scalar) (any, error) { return v.n != 0, nil }
	case int32Type:
		return func(v scalar) (any, error) { return int64(int32(v.n)), nil }
	case int64Type:
		return func(v scalar) (any, error) { return int64(v.n), nil }
	case int96:
		return int96Timestamp
	case float:
		return func(v scalar) (any, error) { return float64(math.Float32frombits(uint32(v.n))), nil }
	case double:
		return func(v scalar) (any, error) { return math.Float64frombits(v.n), nil }
	}
	return func(v scalar) (any, error) {
		if utf8.Valid(v.b) {
			return string(v.b), nil
		}
		return "base64:" + base64.StdEncoding.EncodeToString(v.b), nil
	}
}

func text(v scalar) (any, error) {
	if !utf8.Valid(v.b) {
		return nil, errors.New("the text is not valid UTF-8")
	}
	return string(v.b), nil
}

func integer(l logicalType, physical int64) meaning {
	switch {
	case l.signed && physical == int32Type:
		return func(v scalar) (any, error) { return int64(int32(v.n)), nil }
	case l.signed:
		return func(v scalar) (any, error) { return int64(v.n), nil }
	case physical == int32Type:
		return func(v scalar) (any, error) { return int64(uint32(v.n)), nil }
	}
	return func(v scalar) (any, error) {
		if v.n > math.MaxInt64 {
			return json.Number(fmt.Sprint(v.n)), nil
		}
		return int64(v.n), nil
	}
}

// decimal is a number with all digits of its scale, as Python's Decimal prints it.
func decimal(scale, physical int64) meaning {
	return func(v scalar) (any, error) {
		var n *big.Int
		switch {
		case physical == int32Type:
			n = big.NewInt(int64(int32(v.n)))
		case physical == int64Type:
			n = big.NewInt(int64(v.n))
		case len(v.b) > 1000:
			return nil, fmt.Errorf("a decimal of %d bytes", len(v.b))
		default: // two's complement, the highest byte first
			n = new(big.Int).SetBytes(v.b)
			if len(v.b) > 0 && v.b[0] >= 0x80 {
				n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(v.b))))
			}
		}
		if scale == 0 {
			if n.IsInt64() {
				return n.Int64(), nil
			}
			return json.Number(n.String()), nil
		}
		digits, sign := new(big.Int).Abs(n).String(), ""
		if n.Sign() < 0 {
			sign = "-"
		}
		if missing := int(scale) + 1 - len(digits); missing > 0 {
			digits = strings.Repeat("0", missing) + digits
		}
		point := len(digits) - int(scale)
		return json.Number(sign + digits[:point] + "." + digits[point:]), nil
	}
}

func date(days int64) (any, error) {
	return inCalendar(time.Unix(days*86400, 0).UTC(), "2006-01-02")
}

// inCalendar is the time as text, within the years that Python has.
func inCalendar(t time.Time, layout string) (any, error) {
	if t.Year() < 1 || t.Year() > 9999 {
		return nil, errors.New("a date outside the years 1 to 9999")
	}
	return t.Format(layout) + fraction(int64(t.Nanosecond())), nil
}

// fraction is a part of a second as Python's str has it: none, six digits or nine.
func fraction(ns int64) string {
	switch {
	case ns == 0:
		return ""
	case ns%1000 == 0:
		return fmt.Sprintf(".%06d", ns/1000)
	}
	return fmt.Sprintf(".%09d", ns)
}

func perSecond(unit int64) int64 {
	return map[int64]int64{millis: 1e3, micros: 1e6, nanos: 1e9}[unit]
}

func clock(l logicalType) meaning {
	per := perSecond(l.unit)
	return func(v scalar) (any, error) {
		n := int64(v.n)
		if l.unit == millis {
			n = int64(int32(v.n))
		}
		if per == 0 || n < 0 || n >= 86400*per {
			return nil, fmt.Errorf("%d is not a time of day", n)
		}
		s := n / per
		return fmt.Sprintf("%02d:%02d:%02d", s/3600, s/60%60, s%60) + fraction(n%per*(1e9/per)), nil
	}
}

func timestamp(l logicalType) meaning {
	per := perSecond(l.unit)
	return func(v scalar) (any, error) {
		if per == 0 {
			return nil, errors.New("a timestamp of an unknown unit")
		}
		n := int64(v.n)
		s, rest := n/per, n%per
		if rest < 0 {
			s, rest = s-1, rest+per
		}
		return instant(s, rest*(1e9/per), l.utc)
	}
}

func instant(s, ns int64, utc bool) (any, error) {
	if s < -1<<40 || s > 1<<40 { // far outside the calendar
		return nil, errors.New("a date outside the years 1 to 9999")
	}
	t, err := inCalendar(time.Unix(s, ns).UTC(), "2006-01-02 15:04:05")
	if err != nil || !utc {
		return t, err
	}
	return t.(string) + "+00:00", nil
}

// int96Timestamp is eight bytes of nanoseconds in the day and four of the Julian day.
func int96Timestamp(v scalar) (any, error) {
	const unixEpoch, second = 2440588, int64(time.Second)
	ns := int64(binary.LittleEndian.Uint64(v.b))
	day := int64(binary.LittleEndian.Uint32(v.b[8:]))
	if ns < 0 || ns > 2*86400*second {
		return nil, fmt.Errorf("%d nanoseconds are not a time of day", ns)
	}
	return instant((day-unixEpoch)*86400+ns/second, ns%second, false)
}

func uuid(v scalar) (any, error) {
	return fmt.Sprintf("%x-%x-%x-%x-%x", v.b[:4], v.b[4:6], v.b[6:8], v.b[8:10], v.b[10:]), nil
}

// half is a 16-bit float.
func half(h uint16) float64 {
	sign := 1.0
	if h>>15 == 1 {
		sign = -1
	}
	exponent, mantissa := int(h>>10&31), float64(h&1023)
	switch exponent {
	case 0:
		return sign * math.Ldexp(mantissa, -24)
	case 31:
		if mantissa != 0 {
			return math.NaN()
		}
		return math.Inf(int(sign))
	}
	return sign * math.Ldexp(1024+mantissa, exponent-25)
}
