package checkpoint

import (
	"fmt"
	"strings"

	"github.com/softbench/softbench/engine/attention"
)

// backends are transformers' and flash-linear-attention's names of ways to
// compute softmax attention.
var backends = map[string]bool{
	"eager": true, "sdpa": true, "sdpa_paged": true, "eager_paged": true, "paged_attention": true,
	"flash_attention_2": true, "flash_attention_3": true, "flash_attention_4": true, "flex_attention": true,
	"flash_attn": true, "parallel_attn": true, "naive_attn": true,
}

// flaKinds are the kinds in flash-linear-attention's attn_impl names, between
// "parallel_" or "naive_" and "attn". Its rectified attention keeps the keys
// whose score is at least zero and takes softmax over them: masked-softmax.
var flaKinds = map[string]attention.Spec{
	"scaled_":           {Kind: attention.Softmax, Scaled: true},
	"softpick_":         {Kind: attention.Softpick},
	"scaled_softpick_":  {Kind: attention.Softpick, Scaled: true},
	"rectified_":        {Kind: attention.MaskedSoftmax},
	"scaled_rectified_": {Kind: attention.MaskedSoftmax, Scaled: true},
}

// kindOf reads one value of a config: a kind's own name, an attn_impl of
// flash-linear-attention, or a backend (a way, not a kind: softmax).
func kindOf(value string) (spec attention.Spec, backend, ok bool) {
	if backends[value] {
		return attention.Spec{}, true, true
	}
	if spec, err := attention.Parse(value); err == nil {
		return spec, false, true
	}
	for _, way := range []string{"parallel_", "naive_"} {
		if name, found := strings.CutPrefix(value, way); found {
			name, found = strings.CutSuffix(name, "attn")
			spec, ok := flaKinds[name]
			return spec, false, found && ok
		}
	}
	return attention.Spec{}, false, false
}

// attentionKeys may name the kind, the first that does.
var attentionKeys = []string{"attn_impl", "_attn_implementation", "attn_implementation"}

// attentionOf resolves the attention kind: the override, else what the config
// names, else softmax. Two keys naming different kinds are refused.
func attentionOf(f *fields, override string, own attention.Spec) (attention.Spec, []string, error) {
	var (
		spec = own  // the model type's
		from string // the key that named a kind
		bad  error
	)
	for _, key := range attentionKeys {
		value := f.text(key, "")
		if value == "" {
			continue
		}
		got, backend, ok := kindOf(value)
		switch {
		case !ok && bad == nil:
			bad = fmt.Errorf("%s %q is not known: name the kind with --attention, one of %s", key, value, attention.Names())
		case !ok || backend:
		case from == "":
			spec, from = got, key
		case got != spec && bad == nil:
			bad = fmt.Errorf("%s says %s, but %s says %s: remove one, or choose with --attention", from, spec, key, got)
		}
	}
	if f.err != nil {
		return spec, nil, f.err
	}
	if override == "" {
		return spec, nil, bad
	}
	chosen, err := attention.Parse(override)
	if err != nil {
		return spec, nil, fmt.Errorf("--attention: %w", err)
	}
	if bad == nil && chosen == spec {
		return chosen, nil, nil
	}
	was := spec.String()
	if bad != nil {
		was = "unclear"
	}
	return chosen, []string{fmt.Sprintf("attention is %s as asked; by config.json it is %s", chosen, was)}, nil
}
