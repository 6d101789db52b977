package tokenizer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// further is the special tokens beside the usual ones, in the order in which they are added.
type further struct {
	named []json.RawMessage // of the model's own: image_token and its like
	list  []json.RawMessage
}

// furtherTokens reads them as transformers 5.24 does: every key ..._token that is not one of the usual, then
// the entries of extra_special_tokens where that is a map; where it is a list, that list, and
// additional_special_tokens only where there is none.
func furtherTokens(config map[string]json.RawMessage) (f further, err error) {
	own, err := members(config[wholeObject])
	if err != nil {
		return f, err
	}
	for _, m := range own {
		if strings.HasSuffix(m.name, "_token") && !slices.Contains(namedTokens, m.name) && isToken(m.value) {
			f.named = append(f.named, m.value)
		}
	}
	extra := config["extra_special_tokens"]
	if !isNull(extra) && bytes.TrimSpace(extra)[0] == '{' {
		tokens, err := members(extra)
		if err != nil {
			return f, fmt.Errorf("extra_special_tokens: %w", err)
		}
		for _, m := range tokens {
			f.named = append(f.named, m.value)
		}
	} else if f.list, err = tokenItems(extra); err != nil {
		return f, fmt.Errorf("extra_special_tokens: %w", err)
	}
	if len(f.list) == 0 {
		if f.list, err = tokenItems(config["additional_special_tokens"]); err != nil {
			return f, fmt.Errorf("additional_special_tokens: %w", err)
		}
	}
	return f, nil
}

// tokenItems reads a list; nothing for null and for a map.
func tokenItems(raw json.RawMessage) (list []json.RawMessage, err error) {
	if isNull(raw) || bytes.TrimSpace(raw)[0] == '{' {
		return nil, nil
	}
	return list, unmarshal(raw, &list)
}

// isToken reports whether a value is a token: a string, or what transformers writes of an AddedToken.
func isToken(raw json.RawMessage) bool {
	var s string
	var object struct {
		Type string `json:"__type"`
	}
	return json.Unmarshal(raw, &s) == nil || json.Unmarshal(raw, &object) == nil && object.Type == "AddedToken"
}

// wholeObject is the key under which readObject leaves the object's own text: maps have no order.
const wholeObject = "\x00"

type member struct {
	name  string
	value json.RawMessage
}

// members lists an object's members in the order of the text.
func members(object json.RawMessage) ([]member, error) {
	if isNull(object) {
		return nil, nil
	}
	d := json.NewDecoder(bytes.NewReader(object))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, fmt.Errorf("is not an object")
	}
	var out []member
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		out = append(out, member{fmt.Sprint(name), value})
	}
	return out, nil
}
