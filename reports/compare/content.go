package compare

import "maps"

// A run records its tokenizer twice: as the hash of the file's bytes and, unless an
// earlier version wrote it, as that of what the file says. Likewise a task's definition:
// with the names of its documents' files, and without.
const (
	tokenizerFile    = "tokenizer_sha256"
	tokenizerContent = "tokenizer_content_sha256"
	digestOfAll      = "digest"
	contentDigest    = "content_digest"
)

// ByContent returns the settings of two runs, or of their task, with one of the two hashes of
// each thing that they record twice: that of what it says where both sides know it, else that
// of its file. Equal files of a tokenizer say the same, also where an earlier version hashed what
// they say otherwise.
func ByContent(a, b map[string]string) (x, y map[string]string) {
	x, y = map[string]string{}, map[string]string{}
	maps.Copy(x, a)
	maps.Copy(y, b)
	for file, content := range map[string]string{tokenizerFile: tokenizerContent, digestOfAll: contentDigest} {
		drop := content
		if a[content] != "" && b[content] != "" && (file != tokenizerFile || a[file] != b[file]) {
			drop = file
		}
		delete(x, drop)
		delete(y, drop)
	}
	return x, y
}

// tokenizerNote says that two tokenizers are written differently and say the same.
func tokenizerNote(a, b *Side) string {
	if c := a.MustMatch[tokenizerContent]; c == "" || c != b.MustMatch[tokenizerContent] || a.MustMatch[tokenizerFile] == b.MustMatch[tokenizerFile] {
		return ""
	}
	return "the tokenizers' files differ in their bytes, and say the same"
}
