package tokenizer

// The byte-level alphabet of GPT-2: every byte has a printable character, printable ASCII and Latin-1
// letters their own, the rest U+0100 onwards in byte order. Source: bytes_to_unicode in GPT-2's encoder.

// byteChar maps a byte to its character, as a string.
var byteChar [256]string

// charByte maps a character below 0x144 to its byte, -1 where the character stands for none.
var charByte [0x144]int16

func init() {
	for i := range charByte {
		charByte[i] = -1
	}
	next := rune(256)
	for b := range 256 {
		c := rune(b)
		if !(b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE) {
			c = next
			next++
		}
		byteChar[b] = string(c)
		charByte[c] = int16(b)
	}
}

// appendByteLevel appends the byte-level spelling of s to dst.
func appendByteLevel(dst []byte, s string) []byte {
	for i := range len(s) {
		dst = append(dst, byteChar[s[i]]...)
	}
	return dst
}

// toByteLevel returns the byte-level spelling of s.
func toByteLevel(s string) string { return string(appendByteLevel(make([]byte, 0, len(s)*2), s)) }

// appendFromByteLevel appends the bytes that token spells to dst; a token with any character outside the
// alphabet is appended as it is (as tokenizers' ByteLevel decoder does).
func appendFromByteLevel(dst []byte, token string) []byte {
	start := len(dst)
	for _, c := range token {
		if c < 0 || int(c) >= len(charByte) || charByte[c] < 0 {
			return append(dst[:start], token...)
		}
		dst = append(dst, byte(charByte[c]))
	}
	return dst
}
