package strictyaml

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// A file of a few hundred bytes can stand for gigabytes: by aliases of aliases, or by
// brackets in brackets, for each of which the library copies what is outside. So what a
// file may hold is bounded, and looked at before it is decoded.
const (
	// MaxBytes bounds a YAML file: a suite, a task, a policy.
	MaxBytes = 1 << 20
	// MaxDepth bounds how deep lists and mappings stand in each other.
	MaxDepth = 64
	// MaxNodes bounds the values of a file, those that aliases repeat counted anew.
	MaxNodes = 100_000
)

// bounded refuses what is too large or too deep, by tokens first: the parser itself is
// what a deep file would exhaust.
func bounded(text []byte, file string) error {
	if len(text) > MaxBytes {
		return fmt.Errorf("%s: %d bytes; a YAML file has at most %d", file, len(text), MaxBytes)
	}
	if line, deep := brackets(text); deep {
		return fmt.Errorf("%s:%d: lists or mappings more than %d deep", file, line, MaxDepth)
	}
	tokens := lexer.Tokenize(string(text))
	if len(tokens) > 4*MaxNodes {
		return fmt.Errorf("%s: more than %d values", file, MaxNodes)
	}
	inLine, line, at := 0, 0, 0
	for _, t := range tokens {
		if t.Position != nil && t.Position.Line != line {
			line, inLine = t.Position.Line, 0
		}
		switch t.Type {
		case token.SequenceEntryType, token.MappingKeyType, token.AnchorType, token.TagType:
			inLine++ // "- - -" is a list in a list in a list
		}
		if at = line; inLine > MaxDepth {
			return fmt.Errorf("%s:%d: lists or mappings more than %d deep", file, at, MaxDepth)
		}
	}
	parsed, err := parser.Parse(tokens, 0)
	if err != nil {
		return nil // the decoder says what is wrong, and where
	}
	c := counter{anchors: map[string]int{}}
	for _, d := range parsed.Docs {
		if n := c.count(d.Body, 0); n > MaxNodes || c.deep {
			if c.deep {
				return fmt.Errorf("%s: lists or mappings more than %d deep", file, MaxDepth)
			}
			return fmt.Errorf("%s: more than %d values, those that aliases repeat counted anew", file, MaxNodes)
		}
	}
	return nil
}

// brackets finds the line where so many brackets stand in each other that even the
// lexer should not see them. Quoted text and comments are counted too, but a closing
// bracket always takes one off: what is meant as text hardly opens so many.
func brackets(text []byte) (line int, deep bool) {
	line = 1
	depth := 0
	for _, c := range text {
		switch c {
		case '\n':
			line++
		case '[', '{':
			if depth++; depth > 16*MaxDepth {
				return line, true
			}
		case ']', '}':
			depth = max(0, depth-1)
		}
	}
	return 0, false
}

// counter counts the values of a file as the decoder would make them.
type counter struct {
	anchors map[string]int // values below an anchor
	deep    bool
}

func (c *counter) count(n ast.Node, depth int) int {
	if n == nil {
		return 0
	}
	if depth > 4*MaxDepth {
		c.deep = true
		return 0
	}
	sum := 1
	add := func(n ast.Node) { sum = min(sum+c.count(n, depth+1), 2*MaxNodes) }
	switch n := n.(type) {
	case *ast.SequenceNode:
		if depth > MaxDepth {
			c.deep = true
		}
		for _, v := range n.Values {
			add(v)
		}
	case *ast.MappingNode:
		if depth > 2*MaxDepth {
			c.deep = true
		}
		for _, v := range n.Values {
			add(v)
		}
	case *ast.MappingValueNode:
		add(n.Key)
		add(n.Value)
	case *ast.MappingKeyNode:
		add(n.Value)
	case *ast.TagNode:
		add(n.Value)
	case *ast.AnchorNode:
		add(n.Value)
		if n.Name != nil {
			c.anchors[n.Name.String()] = sum
		}
	case *ast.AliasNode:
		if n.Value != nil {
			sum += c.anchors[n.Value.String()]
		}
	}
	return min(sum, 2*MaxNodes)
}
