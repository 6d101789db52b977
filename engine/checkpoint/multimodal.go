package checkpoint

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// wrapper is what softbench knows of a model type that reads images, sound or video
// beside text, and whose text part is a model of families: of text alone it
// computes what that computes.
type wrapper struct {
	text string // model_type of its text_config, where that names none
	tie  bool   // tie_word_embeddings of its config class
	flat bool   // older configs have the text's settings beside their own
	// unscaled: transformers' class leaves the text model's logit_scale out.
	unscaled bool
}

// wrappers by model_type, as in transformers 5.24.
var wrappers = map[string]wrapper{
	"aya_vision":      {text: "cohere2", tie: true, unscaled: true},
	"gemma3":          {text: "gemma3_text", tie: true},
	"idefics3":        {text: "llama"},
	"internvl":        {text: "qwen2", tie: true},
	"llava":           {text: "llama"},
	"llava_next":      {text: "llama"},
	"llava_onevision": {text: "qwen2"},
	"mistral3":        {text: "mistral", tie: true},
	"qwen2_5_vl":      {text: "qwen2_5_vl_text", flat: true},
	"qwen2_vl":        {text: "qwen2_vl_text", flat: true},
	"qwen3_vl":        {text: "qwen3_vl_text"},
	"smolvlm":         {text: "llama"},
}

// Wrappers lists the model types of which the text part loads, sorted.
func Wrappers() []string { return slices.Sorted(maps.Keys(wrappers)) }

// textPart is the config of a multimodal model's text part: text_config, with what
// only the whole has. of is the whole's model_type, "" where f is a text model's.
func textPart(f *fields) (text *fields, of string, err error) {
	of = f.text("model_type", "")
	w, known := wrappers[of]
	switch {
	case f.err != nil:
		return nil, "", f.err
	case !known && !f.has("text_config"):
		return f, "", nil
	case !known:
		return nil, "", fmt.Errorf("model_type %q is not supported: of the model types with a text_config, the text part of %s is read", of, strings.Join(Wrappers(), ", "))
	}
	text = f.object("text_config")
	if text == nil && f.err == nil {
		text = &fields{values: map[string]json.RawMessage{}}
		if w.flat {
			maps.Copy(text.values, f.values)
		}
	}
	if f.err != nil {
		return nil, "", f.err
	}
	text.prefix = ""
	if text.has("text_config") {
		return nil, "", fmt.Errorf("text_config holds a text_config of its own: want the settings of a text model")
	}
	for _, key := range []string{"vision_config", "audio_config"} {
		delete(text.values, key)
	}
	kind := text.text("model_type", w.text)
	if w.flat && kind == of { // old files repeat the whole's
		kind = w.text
	}
	text.set("model_type", kind)
	// A stored head that differs from the embedding counts all the same (storedHead).
	text.set("tie_word_embeddings", f.flag("tie_word_embeddings", w.tie) || text.flag("tie_word_embeddings", false))
	if w.unscaled {
		text.set("logit_scale", 1)
	}
	for _, key := range []string{"quantization_config", "dtype", "torch_dtype", "bos_token_id", "eos_token_id", "attn_impl"} {
		if f.has(key) && !text.has(key) {
			text.values[key] = f.values[key]
		}
	}
	if text.err == nil {
		text.err = f.err
	}
	return text, of, text.err
}

// set gives a member a value.
func (f *fields) set(key string, v any) {
	if f.err != nil {
		return
	}
	raw, err := json.Marshal(v)
	if err != nil {
		f.err = err
		return
	}
	f.values[key] = raw
}

// textPrefixes are what stands before a text model's names in the files of a whole
// one: in old files, in new ones, in Idefics', and nothing.
var textPrefixes = []struct{ body, head string }{
	{"language_model.%s", "language_model."},
	{"%slanguage_model.", ""},
	{"%stext_model.", ""},
	{"%s", ""},
}

// textNames gives a multimodal model's tensors the names of its text part's, and
// remembers which are of its other parts.
func (k *Checkpoint) textNames() error {
	n := &k.Config.Names
	base, embed := n.base(), strings.TrimPrefix(n.Embed, n.base())+".weight"
	head := strings.TrimPrefix(n.headName(), base)
	body, headPrefix := "", ""
	for _, p := range textPrefixes {
		prefix := strings.ReplaceAll(p.body, "%s", base)
		if k.set.Tensor(prefix+embed) != nil {
			body, headPrefix = prefix, p.head
			break
		}
	}
	if body == "" {
		return nil // names says what is missing
	}
	k.others = map[string]bool{}
	var first string
	err := k.set.Rename(func(name string) string {
		rest, ok := strings.CutPrefix(name, body)
		switch {
		case ok && (body != base || k.ofText(rest)):
			return base + rest
		case name == headPrefix+head:
			return n.headName()
		}
		if first == "" || name < first {
			first = name
		}
		k.others[name] = true
		return name
	})
	if len(k.others) > 0 {
		k.Notes = append(k.Notes, fmt.Sprintf("the text part of a %s model is computed: %d tensors of its other parts (such as %q) are not read", k.Config.TextOf, len(k.others), first))
	} else {
		k.Notes = append(k.Notes, fmt.Sprintf("the text part of a %s model is computed", k.Config.TextOf))
	}
	return err
}

// ofText reports whether a name, less the base, is one of the text part's, where
// the parts share a prefix.
func (k *Checkpoint) ofText(rest string) bool {
	n := &k.Config.Names
	layers, _, _ := strings.Cut(strings.TrimPrefix(n.Layer, n.base()), "%d")
	return strings.HasPrefix(rest, layers) || rest == strings.TrimPrefix(n.Embed, n.base())+".weight" ||
		strings.HasPrefix(rest, strings.TrimPrefix(n.Norm, n.base())+".")
}

// storedHead unties the head from the embedding where a different one is stored,
// as transformers does: of a multimodal model they are tied by its class's default
// mostly.
func (k *Checkpoint) storedHead() {
	c := &k.Config
	head, embed := k.set.Tensor(c.Names.headName()), k.set.Tensor(c.Names.Embed+".weight")
	if !c.TieEmbeddings || head == nil || embed == nil || sameNumbers(head, embed) {
		return
	}
	c.TieEmbeddings = false
	k.Notes = append(k.Notes, "the stored head is read, which differs from the embedding, though by config.json (tie_word_embeddings, or its default) they are one, as by transformers")
}
