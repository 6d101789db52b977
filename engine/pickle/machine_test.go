package pickle

import (
	"strings"
	"testing"
)

// The machine knows the opcodes of a dictionary of tensors and no others, and bounds
// what a short pickle may ask for.
func TestMachine(t *testing.T) {
	for name, c := range map[string]struct{ program, part string }{
		"a name of code":      {"\x80\x02cos\nsystem\n.", `it names "system" of "os"`},
		"by the stack":        {"\x80\x04\x8c\x02os\x8c\x06system\x93.", `it names "system" of "os"`},
		"builtins":            {"cbuiltins\neval\n.", `it names "eval"`},
		"another opcode":      {"}i.", "opcode 0x69"},
		"cut off":             {"}", "cut off"},
		"nothing":             {".", "nothing on the stack"},
		"no mark":             {"t.", "no mark"},
		"long text":           {"X\xff\xff\xff\xff.", "cut off"},
		"huge number":         {"\x8a\x20.", "more than 64 bits"},
		"not remembered":      {"h\x07.", "not remembered"},
		"adds to a number":    {"K\x01K\x02K\x03s.", "not a list or a dictionary"},
		"calls a number":      {"K\x01)R.", "not a tensor's"},
		"wrong arguments":     {"ctorch._utils\n_rebuild_tensor_v2\n)R.", "arguments that torch does not give it"},
		"a strange reference": {"K\x01Q.", "not to a storage"},
		"builds a number":     {"K\x01}b.", "builds something other"},
	} {
		t.Run(name, func(t *testing.T) {
			if v, err := run([]byte(c.program)); err == nil || !strings.Contains(err.Error(), c.part) {
				t.Errorf("%v, %v: want an error with %q", v, err, c.part)
			}
		})
	}
}
