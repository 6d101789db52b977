package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/big"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/softbench/softbench/internal/regularfile"
	"github.com/softbench/softbench/tasks/py"
)

// value is a value of a task file, with the place where it stands.
type value struct {
	py    py.Value // a scalar; of a list or mapping without functions, the whole
	items []*value // of a list
	keys  []string // of a mapping, in order
	dict  map[string]*value
	call  string // of !function, what it names: module.function
	file  string
	line  int
}

func (v *value) isList() bool    { return v.items != nil }
func (v *value) isMapping() bool { return v.dict != nil }

// errorf is an error at the value's place.
func (v *value) errorf(format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s", v.file, v.line, fmt.Sprintf(format, args...))
}

// get is the value of a mapping's key; nil where it has none, or null.
func (v *value) get(key string) *value {
	if w := v.dict[key]; w != nil && !w.isNull() {
		return w
	}
	return nil
}

func (v *value) isNull() bool {
	return v.py == nil && v.items == nil && v.dict == nil && v.call == ""
}

// text is a text, and whether it is one.
func (v *value) text() (string, bool) {
	s, ok := v.py.(string)
	return s, ok && v.call == ""
}

const (
	maxFile  = 16 << 20
	maxNodes = 1 << 20 // values of one file, aliases counted as often as they stand there
	maxDeep  = 100
)

// parseFile reads a file's one document, which must be a mapping.
func parseFile(path string) (*value, error) {
	text, err := regularfile.ReadAll(context.Background(), path, maxFile)
	if err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			return nil, fmt.Errorf("%s: %w", path, pe.Err)
		}
		return nil, err
	}
	return parseText(text, path)
}

func parseText(text []byte, path string) (v *value, err error) {
	defer func() {
		if p := recover(); p != nil { // a file of the user's must not end the program
			err = fmt.Errorf("%s: not readable as YAML: %v", path, strings.Join(strings.Fields(fmt.Sprint(p)), " "))
		}
	}()
	var doc yaml.Node
	err = yaml.NewDecoder(bytes.NewReader(text)).Decode(&doc)
	for tries := 0; err != nil && tries < 1000; tries++ { // the library lacks YAML's escape of a slash in double quotes
		m := unknownEscape.FindStringSubmatch(err.Error())
		if m == nil {
			break
		}
		lines := bytes.SplitAfter(text, []byte("\n"))
		at, _ := strconv.Atoi(m[1])
		for at > 0 && at <= len(lines) && !bytes.Contains(lines[at-1], []byte(`\/`)) {
			at++ // the line is that of the text's beginning
		}
		if at < 1 || at > len(lines) {
			break
		}
		lines[at-1] = bytes.ReplaceAll(lines[at-1], []byte(`\/`), []byte(`/`))
		text = bytes.Join(lines, nil)
		err = yaml.NewDecoder(bytes.NewReader(text)).Decode(&doc)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %s", path, strings.TrimPrefix(strings.Join(strings.Fields(err.Error()), " "), "yaml: "))
	}
	if len(doc.Content) != 1 {
		return nil, fmt.Errorf("%s: the file is empty", path)
	}
	c := &converter{file: path}
	v, err = c.convert(doc.Content[0], 0)
	if err != nil {
		return nil, err
	}
	if !v.isMapping() {
		return nil, fmt.Errorf("%s: it holds %s, where a mapping of a task's or a group's keys belongs", path, py.TypeName(v.py))
	}
	return v, nil
}

var unknownEscape = regexp.MustCompile(`line (\d+): found unknown escape character`)

type converter struct {
	file  string
	nodes int
}

func (c *converter) convert(n *yaml.Node, depth int) (*value, error) {
	v := &value{file: c.file, line: n.Line}
	if c.nodes++; c.nodes > maxNodes || depth > maxDeep {
		return nil, v.errorf("the file holds more values, or more within each other, than task files do")
	}
	switch n.Kind {
	case yaml.AliasNode:
		return c.convert(n.Alias, depth+1)
	case yaml.SequenceNode:
		v.items = []*value{}
		list := &py.List{Items: []py.Value{}}
		for _, item := range n.Content {
			w, err := c.convert(item, depth+1)
			if err != nil {
				return nil, err
			}
			v.items = append(v.items, w)
			list.Items = append(list.Items, w.py)
		}
		v.py = list
	case yaml.MappingNode:
		return v, c.mapping(v, n, depth)
	case yaml.ScalarNode:
		return v, c.scalar(v, n)
	default:
		return nil, v.errorf("this YAML is not understood")
	}
	return v, nil
}

func (c *converter) mapping(v *value, n *yaml.Node, depth int) error {
	v.dict = map[string]*value{}
	dict := py.NewDict()
	set := func(key string, k py.Value, w *value) {
		if _, there := v.dict[key]; !there {
			v.keys = append(v.keys, key)
		}
		v.dict[key] = w
		dict.Set(k, w.py)
	}
	var own []func()
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, err := c.convert(n.Content[i], depth+1)
		if err != nil {
			return err
		}
		w, err := c.convert(n.Content[i+1], depth+1)
		if err != nil {
			return err
		}
		if n.Content[i].Tag == "!!merge" && n.Content[i].Value == "<<" {
			from := []*value{w}
			if w.isList() {
				from = w.items
			}
			for j := len(from) - 1; j >= 0; j-- {
				if !from[j].isMapping() {
					return w.errorf("<< takes a mapping, or a list of them")
				}
				for _, key := range from[j].keys {
					set(key, key, from[j].dict[key])
				}
			}
			continue
		}
		if k.isList() || k.isMapping() || k.call != "" {
			return k.errorf("a key of this kind is not understood")
		}
		key, err := py.Str(k.py)
		if err != nil {
			return k.errorf("%v", err)
		}
		own = append(own, func() { set(key, k.py, w) })
	}
	for _, f := range own {
		f()
	}
	v.py = dict
	return nil
}

// What PyYAML, which reads YAML 1.1, takes a plain scalar for.
var (
	boolForm  = regexp.MustCompile(`^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$`)
	floatForm = regexp.MustCompile(`^(?:[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$`)
	intForm   = regexp.MustCompile(`^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+)$`)
	sixtyForm = regexp.MustCompile(`^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$`)
	dateForm  = regexp.MustCompile(`^[0-9][0-9][0-9][0-9]-[0-9][0-9]?-[0-9][0-9]?(?:$|[Tt \t])`)
	nullForm  = regexp.MustCompile(`^(?:~|null|Null|NULL|)$`)
)

func (c *converter) scalar(v *value, n *yaml.Node) error {
	plain := n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0
	switch tag := n.Tag; {
	case tag == "!function":
		v.call = n.Value
		v.py = filepath.Join(filepath.Dir(c.file), n.Value)
		return nil
	case n.Style&yaml.TaggedStyle != 0 && tag == "!!null":
		return nil
	case n.Style&yaml.TaggedStyle != 0 && tag != "!!str":
		return v.errorf("the tag %s is not understood", tag)
	case n.Style&yaml.TaggedStyle != 0 || !plain:
		v.py = n.Value
		return nil
	}
	var err error
	if v.py, err = plainScalar(n.Value); err != nil {
		return v.errorf("%v", err)
	}
	return nil
}

// mayBeOther is false of most texts: a word that begins or is as long as none of the forms above.
func mayBeOther(s string) bool {
	if s == "" {
		return true
	}
	if c := s[0] | 0x20; c >= 'a' && c <= 'z' {
		return len(s) <= len("false")
	}
	return s[0] < 0x80
}

// plainScalar is what a scalar without quotes is.
func plainScalar(s string) (py.Value, error) {
	switch {
	case !mayBeOther(s):
		return s, nil
	case nullForm.MatchString(s):
		return nil, nil
	case boolForm.MatchString(s):
		return strings.Contains(" yes true on ", " "+strings.ToLower(s)+" "), nil
	case intForm.MatchString(s):
		digits := strings.ReplaceAll(s, "_", "")
		if n, err := strconv.ParseInt(digits, 0, 64); err == nil {
			return n, nil
		}
		if n, ok := new(big.Int).SetString(digits, 0); ok {
			return n, nil
		}
		return nil, fmt.Errorf("the number %s is not understood", s)
	case floatForm.MatchString(s):
		switch digits := strings.ToLower(strings.ReplaceAll(s, "_", "")); strings.TrimLeft(digits, "+-") {
		case ".inf":
			return math.Inf(map[bool]int{true: -1, false: 1}[digits[0] == '-']), nil
		case ".nan":
			return math.NaN(), nil
		default:
			f, err := strconv.ParseFloat(digits, 64)
			return f, err
		}
	case sixtyForm.MatchString(s):
		return sixty(s)
	case dateForm.MatchString(s):
		return nil, fmt.Errorf("%s is a date in YAML; put it in quotes", s)
	}
	return s, nil
}

// sixty is a number to base 60, which YAML 1.1 takes a time for.
func sixty(s string) (py.Value, error) {
	if strings.Contains(s, ".") {
		return nil, fmt.Errorf("%s is a number to base 60 in YAML 1.1; put it in quotes", s)
	}
	digits := strings.ReplaceAll(strings.TrimLeft(s, "+-"), "_", "")
	n := int64(0)
	for part := range strings.SplitSeq(digits, ":") {
		k, err := strconv.ParseInt(part, 10, 64)
		if err != nil || n > math.MaxInt64/3600 {
			return nil, fmt.Errorf("the number %s is not understood", s)
		}
		n = n*60 + k
	}
	if s[0] == '-' {
		n = -n
	}
	return n, nil
}
