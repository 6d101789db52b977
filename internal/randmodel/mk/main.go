// Command mk writes a random checkpoint.
//
//	go run ./internal/randmodel/mk -preset 340m -seed 1 -type llama -dtype bfloat16 -tokenizer DIR -out DIR
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"

	"github.com/softbench/softbench/internal/randmodel"
)

func main() {
	var (
		o      randmodel.Options
		out    = flag.String("out", "", "directory to write (required)")
		config = flag.String("config", "", "JSON object of members to set in config.json")
	)
	flag.StringVar(&o.Preset, "preset", "tiny", "size: tiny or 340m")
	flag.StringVar(&o.Type, "type", "llama", "model type: llama, mistral, qwen2, qwen3 or transformer")
	flag.Uint64Var(&o.Seed, "seed", 1, "seed")
	flag.StringVar(&o.DType, "dtype", "float32", "float32, float16 or bfloat16")
	flag.StringVar(&o.Attention, "attention", "", "attention kind (default softmax)")
	flag.StringVar(&o.Tokenizer, "tokenizer", "", "directory whose tokenizer files are copied")
	flag.BoolVar(&o.Tie, "tie", false, "tie the head to the embedding")
	flag.BoolVar(&o.Bias, "bias", false, "give the model every bias its type allows")
	flag.BoolVar(&o.QKNorm, "qk-norm", false, "normalise q and k (type transformer)")
	flag.Float64Var(&o.Gain, "gain", 1, "standard deviation of the logits, about")
	flag.Float64Var(&o.ScoreGain, "score-gain", 1, "factor on the attention scores")
	flag.Int64Var(&o.ShardBytes, "shard-bytes", 0, "split the weights into files of at most so many bytes (0: one file)")
	flag.IntVar(&o.Hidden, "hidden", 0, "hidden size (0: the preset's, as below)")
	flag.IntVar(&o.Intermediate, "intermediate", 0, "MLP width")
	flag.IntVar(&o.Layers, "layers", 0, "layers")
	flag.IntVar(&o.Heads, "heads", 0, "query heads")
	flag.IntVar(&o.KVHeads, "kv-heads", 0, "key and value heads")
	flag.IntVar(&o.Vocab, "vocab", 0, "vocabulary size")
	flag.IntVar(&o.MaxPositions, "max-positions", 0, "max_position_embeddings")
	flag.Parse()
	if err := run(*out, *config, o); err != nil {
		fmt.Fprintln(os.Stderr, "mk:", err)
		os.Exit(2)
	}
}

func run(out, config string, o randmodel.Options) error {
	if out == "" || flag.NArg() > 0 {
		return fmt.Errorf("want -out DIR and no other arguments; see -help")
	}
	if config != "" {
		if err := json.Unmarshal([]byte(config), &o.Config); err != nil {
			return fmt.Errorf("-config: %v", err)
		}
	}
	return randmodel.Write(out, o)
}
