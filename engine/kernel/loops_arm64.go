//go:build !noasm

package kernel

// The loops of the generated assembly.

//go:noescape
func tileF32NEON(t *tile)

//go:noescape
func tileWideNEON(t *tile)

//go:noescape
func tileDotNEON(t *tile)

//go:noescape
func scaleNEON(x *float32, n int, a float32)

//go:noescape
func sumSquaresNEON(x *float32, n int) (sum float32)

//go:noescape
func normNEON(dst, x, weight *float32, n int, r float32)

//go:noescape
func rotateNEON(a, b, cos, sin *float32, n int)

//go:noescape
func swigluNEON(dst, gate, up *float32, n int)

//go:noescape
func expNEON(x *float32, n int, shift, scale float32)

//go:noescape
func maximumNEON(x *float32, n int) (m float32)

//go:noescape
func indexOfNEON(x *float32, n int, a float32) (i int)

//go:noescape
func sumExpNEON(x *float32, n int, m float32) (sum float32)

//go:noescape
func widenNEON(dst *float32, src *uint16, n int)

//go:noescape
func roundNEON(dst *uint16, src *float32, n int)

//go:noescape
func weighNEON(t *weighing)

//go:noescape
func peakF32NEON(n int)

//go:noescape
func peakDotNEON(n int)

//go:noescape
func sumNEON(x *float32, n int) (sum float32)

//go:noescape
func shiftNEON(dst, x *float32, n int, a float32)

//go:noescape
func selfGateNEON(x *float32, n int, a, b float32)

//go:noescape
func geluNEON(x *float32, n int)
