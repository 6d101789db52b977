package golden

import "testing"

// Continuation is a greedy continuation by the tiny model (TinyCheckpoint
// "tiny") in float32; the end-of-text token does not stop it.
type Continuation struct {
	Text      string  `json:"text"`
	IDs       []int32 `json:"ids"` // of the text, BOS first
	Generated []int32 `json:"generated"`
	// Lead is the smallest lead, over the steps, of the best logit over the
	// second.
	Lead float64 `json:"lead"`
}

// Continuations reads the golden continuations, of passkey prompts and others.
func Continuations(t testing.TB) []Continuation {
	t.Helper()
	path := Dir(t, "passkey.json")
	var file struct {
		Format  int            `json:"format"`
		Prompts []Continuation `json:"prompts"`
	}
	read(t, path, &file)
	checkFormat(t, path, file.Format)
	if len(file.Prompts) == 0 {
		t.Fatalf("%s: no prompts", path)
	}
	return file.Prompts
}
