//go:build !noasm

package kernel

import "unsafe"

// The loops of codes_avx512_amd64.s and codes_avx2_amd64.s.

//go:noescape
func unpack2CentredAVX512(u *unpack)

//go:noescape
func unpack2OffsetAVX512(u *unpack)

//go:noescape
func unpack3CentredAVX512(u *unpack)

//go:noescape
func unpack3OffsetAVX512(u *unpack)

//go:noescape
func unpack4CentredAVX512(u *unpack)

//go:noescape
func unpack4OffsetAVX512(u *unpack)

//go:noescape
func unpack4LevelAVX512(u *unpack)

//go:noescape
func unpack8CentredAVX512(u *unpack)

//go:noescape
func unpack8OffsetAVX512(u *unpack)

//go:noescape
func unpack8E4M3AVX512(u *unpack)

//go:noescape
func roundCodesBF16AVX512(dst unsafe.Pointer, stride uintptr, src unsafe.Pointer, n int)

//go:noescape
func roundCodesF16AVX512(dst unsafe.Pointer, stride uintptr, src unsafe.Pointer, n int)

//go:noescape
func pairCodesAVX512(dst unsafe.Pointer, stride uintptr, src unsafe.Pointer, n int)

//go:noescape
func pairCodesF16AVX512(dst unsafe.Pointer, stride uintptr, src unsafe.Pointer, n int)

//go:noescape
func unpack2CentredAVX2(u *unpack)

//go:noescape
func unpack2OffsetAVX2(u *unpack)

//go:noescape
func unpack3CentredAVX2(u *unpack)

//go:noescape
func unpack3OffsetAVX2(u *unpack)

//go:noescape
func unpack4CentredAVX2(u *unpack)

//go:noescape
func unpack4OffsetAVX2(u *unpack)

//go:noescape
func unpack4LevelAVX2(u *unpack)

//go:noescape
func unpack8CentredAVX2(u *unpack)

//go:noescape
func unpack8OffsetAVX2(u *unpack)

//go:noescape
func unpack8E4M3AVX2(u *unpack)

//go:noescape
func roundCodesBF16AVX2(dst unsafe.Pointer, stride uintptr, src unsafe.Pointer, n int)

//go:noescape
func roundCodesF16AVX2(dst unsafe.Pointer, stride uintptr, src unsafe.Pointer, n int)

//go:noescape
func pairCodesAVX2(dst unsafe.Pointer, stride uintptr, src unsafe.Pointer, n int)

//go:noescape
func pairCodesF16AVX2(dst unsafe.Pointer, stride uintptr, src unsafe.Pointer, n int)
