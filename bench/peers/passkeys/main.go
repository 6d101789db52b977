// Command passkeys prints the prompts of a suite's passkey grid as JSON, for
// programs that have no tokenizer of ours.
//
//	go run ./bench/peers/passkeys MODEL SUITE.yaml
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/softbench/softbench/configs"
	"github.com/softbench/softbench/engine/tokenizer"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "passkeys:", err)
		os.Exit(2)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return errors.New("want MODEL and SUITE.yaml")
	}
	tok, err := tokenizer.Load(args[0])
	if err != nil {
		return err
	}
	suite, err := configs.Resolve(args[1])
	if err != nil {
		return err
	}
	if suite.Passkey == nil {
		return fmt.Errorf("%s has no passkey grid", args[1])
	}
	trials, err := suite.Passkey.Build(tok)
	if err != nil {
		return err
	}
	type trial struct {
		Prompt []int32 `json:"prompt"`
		Answer []int32 `json:"answer"`
	}
	var out []trial
	for _, t := range trials {
		out = append(out, trial{t.Prompt, t.Answer})
	}
	return json.NewEncoder(os.Stdout).Encode(out)
}
