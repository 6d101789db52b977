package strictyaml

import (
	"fmt"
	"math"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// Int is a whole number. The library would cut 2.7 to 2 and read "3" as 3 without a word; Int refuses both.
type Int int

// UnmarshalYAML accepts an integer that fits.
func (i *Int) UnmarshalYAML(node ast.Node) error {
	if n, ok := node.(*ast.IntegerNode); ok {
		switch v := n.Value.(type) {
		case int64:
			if int64(int(v)) == v {
				*i = Int(v)
				return nil
			}
		case uint64:
			if v <= math.MaxInt {
				*i = Int(v)
				return nil
			}
		}
	}
	return refuse(node, "a whole number")
}

// Uint64 is a whole number from 0.
type Uint64 uint64

// UnmarshalYAML accepts an integer from 0 to 2^64-1.
func (u *Uint64) UnmarshalYAML(node ast.Node) error {
	if n, ok := node.(*ast.IntegerNode); ok {
		switch v := n.Value.(type) {
		case int64:
			if v >= 0 {
				*u = Uint64(v)
				return nil
			}
		case uint64:
			*u = Uint64(v)
			return nil
		}
	}
	return refuse(node, "a whole number from 0")
}

func refuse(node ast.Node, want string) error {
	return &yaml.SyntaxError{Message: fmt.Sprintf("%s stands where %s belongs", node.String(), want), Token: node.GetToken()}
}
