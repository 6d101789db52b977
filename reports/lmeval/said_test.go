package lmeval

import "testing"

// A generated answer is a text, be it one that looks like a number; a rolling loglikelihood is none.
func TestGeneratedAnswers(t *testing.T) {
	s, err := parseSample([]byte(`{"doc_id": 0, "arguments": {"gen_args_0": {"arg_0": "1 and 1?", "arg_1": {"until": ["\n"]}}}, "resps": [["it is 2"]], "filtered_resps": ["2"], "filter": "number", "metrics": ["exact_match"], "exact_match": 1.0}`))
	if err != nil || !s.Generated || s.Text != "it is 2" || s.Taken != "2" || s.Responses != nil {
		t.Errorf("%+v, %v", s, err)
	}
	s, err = parseSample([]byte(`{"doc_id": 0, "arguments": {"gen_args_0": {"arg_0": "a page"}}, "resps": [["-2.5"]], "filtered_resps": ["-2.5"], "metrics": []}`))
	if err != nil || s.Generated || len(s.Responses) != 1 || s.Responses[0].LogLikelihood != -2.5 {
		t.Errorf("%+v, %v", s, err)
	}
}
