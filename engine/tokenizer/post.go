package tokenizer

import (
	"encoding/json"
	"fmt"
)

// template is what the post-processor makes of one sequence: the ids of the text, once or more, with
// special ids around them. nil text positions cannot occur: text is marked by sequence.
type template []templateItem

type templateItem struct {
	sequence bool    // the ids of the text
	ids      []int32 // special ids otherwise
}

// plainTemplate adds nothing.
var plainTemplate = template{{sequence: true}}

// apply returns the ids with the template's special ids, or without them.
func (t template) apply(ids []int32, special bool) []int32 {
	if len(t) == 1 && t[0].sequence {
		return ids
	}
	out := make([]int32, 0, len(ids)+len(t))
	for _, item := range t {
		switch {
		case item.sequence:
			out = append(out, ids...)
		case special:
			out = append(out, item.ids...)
		}
	}
	return out
}

// parsePost reads the post_processor section.
func parsePost(raw json.RawMessage) (template, error) {
	if isNull(raw) {
		return plainTemplate, nil
	}
	kind, err := typeOf(raw)
	if err != nil {
		return nil, err
	}
	switch kind {
	case "ByteLevel": // trims offsets only
		return plainTemplate, nil
	case "Sequence":
		var s struct{ Processors []json.RawMessage }
		if err := unmarshal(raw, &s); err != nil {
			return nil, err
		}
		result, found := plainTemplate, ""
		for i, p := range s.Processors {
			t, err := parsePost(p)
			if err != nil {
				return nil, fmt.Errorf("processors[%d]: %w", i, err)
			}
			if kind, _ := typeOf(p); kind != "ByteLevel" {
				if found != "" {
					return nil, fmt.Errorf("%s after %s in a Sequence is not supported", kind, found)
				}
				result, found = t, kind
			}
		}
		return result, nil
	case "TemplateProcessing":
		return parseTemplate(raw)
	case "BertProcessing", "RobertaProcessing":
		var b struct{ Sep, Cls *nameAndID }
		if err := unmarshal(raw, &b); err != nil {
			return nil, err
		}
		if b.Sep == nil || b.Cls == nil {
			return nil, fmt.Errorf("%s needs sep and cls", kind)
		}
		return template{{ids: []int32{b.Cls.id}}, {sequence: true}, {ids: []int32{b.Sep.id}}}, nil
	}
	return nil, fmt.Errorf("type %q is not supported (known: ByteLevel, TemplateProcessing, BertProcessing, RobertaProcessing, Sequence)", kind)
}

// nameAndID is ["[SEP]", 102].
type nameAndID struct {
	name string
	id   int32
}

func (n *nameAndID) UnmarshalJSON(data []byte) error {
	pair := []any{&n.name, &n.id}
	if err := json.Unmarshal(data, &pair); err != nil {
		return err
	}
	if len(pair) != 2 || n.id < 0 {
		return fmt.Errorf("want [token, id]")
	}
	return nil
}

func parseTemplate(raw json.RawMessage) (template, error) {
	var t struct {
		Single []struct {
			Sequence     *struct{ ID string }
			SpecialToken *struct{ ID string }
		}
		SpecialTokens map[string]struct{ IDs []int32 } `json:"special_tokens"`
	}
	if err := unmarshal(raw, &t); err != nil {
		return nil, err
	}
	var out template
	for i, item := range t.Single {
		switch {
		case item.Sequence != nil && item.Sequence.ID == "A":
			out = append(out, templateItem{sequence: true})
		case item.Sequence != nil:
			return nil, fmt.Errorf("single[%d]: sequence %q is not supported (a template for one sequence has only A)", i, item.Sequence.ID)
		case item.SpecialToken != nil:
			special, ok := t.SpecialTokens[item.SpecialToken.ID]
			if !ok {
				return nil, fmt.Errorf("single[%d]: special token %q is not in special_tokens", i, item.SpecialToken.ID)
			}
			for _, id := range special.IDs {
				if id < 0 || id >= maxTokenID {
					return nil, fmt.Errorf("special_tokens: %q has id %d, outside 0..%d", item.SpecialToken.ID, id, maxTokenID-1)
				}
			}
			out = append(out, templateItem{ids: special.IDs})
		default:
			return nil, fmt.Errorf("single[%d]: neither Sequence nor SpecialToken", i)
		}
	}
	return out, nil
}
