package checkpoint

import (
	"strings"
	"testing"
)

// Of a multimodal model the text's settings are read, from wherever its files have them;
// what holds none, or a model that is not known, is refused in a line.
func TestTextPart(t *testing.T) {
	const text = `"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1, "vocab_size": 64`
	for _, c := range []struct{ config, kind, err string }{
		{`{"model_type": "llava", "text_config": {"model_type": "mistral", ` + text + `}}`, "mistral", ""},
		{`{"model_type": "llava", "text_config": {` + text + `}}`, "llama", ""},
		{`{"model_type": "qwen2_vl", "vision_config": {}, ` + text + `}`, "qwen2_vl_text", ""},
		{`{"model_type": "llava", "text_config": {"model_type": "llava", "text_config": {` + text + `}}}`, "", "a text_config of its own"},
		{`{"model_type": "llava", "text_config": {"model_type": "llava", ` + text + `}}`, "", "llava"},
		{`{"model_type": "llava", "text_config": [1]}`, "", "text_config"},
		{`{"model_type": "llava", "text_config": {"model_type": "mamba", ` + text + `}}`, "", "mamba"},
		{`{"model_type": "fuyu", "text_config": {` + text + `}}`, "", `"fuyu" is not supported`},
		{`{"text_config": {` + text + `}}`, "", "is not supported"},
	} {
		got, _, err := ParseConfig([]byte(c.config), "")
		switch {
		case c.err == "" && (err != nil || got.ModelType != c.kind || got.Hidden != 32):
			t.Errorf("%s: %q of width %d, %v; want %s", c.config, got.ModelType, got.Hidden, err, c.kind)
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err) || strings.Contains(err.Error(), "\n")):
			t.Errorf("%s: %v, want %s", c.config, err, c.err)
		}
	}
}
