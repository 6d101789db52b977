package world

// SHA-256 (first 8 bytes) of 50,000 words and of 200 questions of each form, all of seed 1.
const goldenText = "8f857e048fda14cb"

var goldenQuestions = map[string]string{
	"arc_easy":       "b69ad045ff9733b7",
	"hellaswag":      "38f8144da543f446",
	"piqa":           "8e3b400472c9313e",
	"lambada_openai": "933a8bca008b6831",
}
