//go:build (amd64 || arm64) && !noasm

package kernel

import "math"

// The vectorised exponential, within 2 ulp of e^x:
//
//	n = round(x·log2 e)
//	r = x - n·ln 2            (ln 2 in two parts, |r| <= ln 2 / 2)
//	e^x = 2^n · (1 + (r + r²·(c2 + c3·r + c4·r² + c5·r³ + c6·r⁴)))
//
// The coefficients minimise the largest relative error on that interval (Remez),
// 3.1e-9, which is a twentieth of float32's rounding. x is first clamped to
// where e^x is 0 or +Inf anyway, so that -Inf gives 0 and +Inf gives +Inf; NaN
// stays NaN. e^0 is exactly 1.
const (
	expLowest  = -150
	expHighest = 130
	expLn2Hi   = 0.693359375 // 9 bits: n·expLn2Hi is exact
	expLn2Lo   = math.Ln2 - expLn2Hi
	expC2      = 0.4999999343212929
	expC3      = 0.1666652039904253
	expC4      = 0.041668390783547914
	expC5      = 0.008368745108942591
	expC6      = 0.0013814540176801306
)
