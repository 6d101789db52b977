package compare

import "maps"

// A run records its tokenizer twice: as the hash of the file's bytes and, unless an
// earlier version wrote it, as that of what the file says.
const (
	tokenizerFile    = "tokenizer_sha256"
	tokenizerContent = "tokenizer_content_sha256"
)

// Tokenizers returns the settings with one of the two hashes of the tokenizer: that of
// what it says where both sides know it, else that of its file.
func Tokenizers(a, b map[string]string) (x, y map[string]string) {
	drop := tokenizerContent
	if a[tokenizerContent] != "" && b[tokenizerContent] != "" {
		drop = tokenizerFile
	}
	x, y = map[string]string{}, map[string]string{}
	maps.Copy(x, a)
	maps.Copy(y, b)
	delete(x, drop)
	delete(y, drop)
	return x, y
}

// tokenizerNote says that two tokenizers are written differently and say the same.
func tokenizerNote(a, b *Side) string {
	if c := a.MustMatch[tokenizerContent]; c == "" || c != b.MustMatch[tokenizerContent] || a.MustMatch[tokenizerFile] == b.MustMatch[tokenizerFile] {
		return ""
	}
	return "the tokenizers' files differ in their bytes, and say the same"
}
