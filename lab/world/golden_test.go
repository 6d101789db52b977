package world

// SHA-256 (first 8 bytes) of 50,000 words and of 200 questions of each form, all of seed 1.
const goldenText = "8f857e048fda14cb"

// The varied world's 50,000 words of seed 1.
const goldenVaried = "6d04d31a37b6eef1"

var goldenQuestions = map[string]string{
	"arc_easy":       "b850e13817f021c0",
	"hellaswag":      "38f8144da543f446",
	"piqa":           "f64fdffeff1f5e47",
	"lambada_openai": "933a8bca008b6831",
}
