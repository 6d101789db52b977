package train

import (
	"slices"

	"github.com/softbench/softbench/engine/attention"
)

// Kinds are the attention kinds that are trained: those without weights of their
// own.
func Kinds() []attention.Kind {
	return slices.DeleteFunc(attention.Kinds(), func(k attention.Kind) bool { return k.Definition().Learned })
}
