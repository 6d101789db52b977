//go:build !noasm

package kernel

import "unsafe"

// The loops of the generated assembly.

//go:noescape
func tileF32AVX512(t *tile)

//go:noescape
func tileDotAVX512(t *tile)

//go:noescape
func tileWideAVX512(t *tile)

//go:noescape
func tileF32AVX2(t *tile)

//go:noescape
func tileWideAVX2(t *tile)

//go:noescape
func tileInt8AVX512(t *tile)

//go:noescape
func tileInt8AVX2(t *tile)

//go:noescape
func tileQuadsAVX512(t *tile)

//go:noescape
func tileQuadsAVX2(t *tile)

//go:noescape
func int8MostAVX512(x *float32, n int) (bits uint32)

//go:noescape
func int8MostAVX2(x *float32, n int) (bits uint32)

//go:noescape
func int8PairsAVX512(dst *int16, x *float32, n int, scale float32)

//go:noescape
func int8PairsAVX2(dst *int16, x *float32, n int, scale float32)

//go:noescape
func int8QuadsAVX512(dst *byte, x *float32, n int, scale float32)

//go:noescape
func int8QuadsAVX2(dst *byte, x *float32, n int, scale float32)

//go:noescape
func int8EndsAVX512(e *int8Ends)

//go:noescape
func int8EndsAVX2(e *int8Ends)

//go:noescape
func transpose8AVX2(dst unsafe.Pointer, ldd uintptr, src unsafe.Pointer, lds uintptr, n int)

//go:noescape
func scaleAVX512(x *float32, n int, a float32)

//go:noescape
func sumSquaresAVX512(x *float32, n int) (sum float32)

//go:noescape
func normAVX512(dst, x, weight *float32, n int, r float32)

//go:noescape
func rotateAVX512(a, b, cos, sin *float32, n int)

//go:noescape
func swigluAVX512(dst, gate, up *float32, n int)

//go:noescape
func maximumAVX512(x *float32, n int) (m float32)

//go:noescape
func indexOfAVX512(x *float32, n int, a float32) (i int)

//go:noescape
func sumExpAVX512(x *float32, n int, m float32) (sum float32)

//go:noescape
func widenAVX512(dst *float32, src *uint16, n int)

//go:noescape
func roundAVX512(dst *uint16, src *float32, n int)

//go:noescape
func pairAVX512(dst, a, b *float32, n int)

//go:noescape
func pairAVX2(dst, a, b *float32, n int)

//go:noescape
func scaleAVX2(x *float32, n int, a float32)

//go:noescape
func sumSquaresAVX2(x *float32, n int) (sum float32)

//go:noescape
func normAVX2(dst, x, weight *float32, n int, r float32)

//go:noescape
func rotateAVX2(a, b, cos, sin *float32, n int)

//go:noescape
func swigluAVX2(dst, gate, up *float32, n int)

//go:noescape
func maximumAVX2(x *float32, n int) (m float32)

//go:noescape
func indexOfAVX2(x *float32, n int, a float32) (i int)

//go:noescape
func sumExpAVX2(x *float32, n int, m float32) (sum float32)

//go:noescape
func widenAVX2(dst *float32, src *uint16, n int)

//go:noescape
func roundAVX2(dst *uint16, src *float32, n int)

//go:noescape
func weighAVX512(t *weighing)

//go:noescape
func weighAVX2(t *weighing)

//go:noescape
func sumAVX512(x *float32, n int) (sum float32)

//go:noescape
func shiftAVX512(dst, x *float32, n int, a float32)

//go:noescape
func selfGateAVX512(x *float32, n int, a, b float32)

//go:noescape
func geluAVX512(x *float32, n int)

//go:noescape
func sumAVX2(x *float32, n int) (sum float32)

//go:noescape
func shiftAVX2(dst, x *float32, n int, a float32)

//go:noescape
func selfGateAVX2(x *float32, n int, a, b float32)

//go:noescape
func geluAVX2(x *float32, n int)
