// Package world makes the small world that softbench's own models learn: plain English about people,
// animals, toys, materials, tools, jobs, causes, routines and short stories, and held-out questions
// over it in the forms of ARC, HellaSwag, PIQA and LAMBADA.
//
// It owns the world's rules (rules.go, explicit tables), which combinations are held out of the
// training text (holdout.go), the sentences and stories that show the rules (text.go, stories.go), the
// questions (questions.go), and the training of a byte-level BPE tokenizer on any text (bpe.go).
//
// Everything is a pure function of a seed. The rules are the same for every seed: only the draws differ.
//
// What a question asks is held out by who or what it is about: a name (or a toy) that a question uses
// in one domain never appears in that domain in training text of any seed, whereas the rule itself is
// stated there about others. Wrong options are drawn so that, seen without its question, every option
// is equally often right.
//
// The package must not know models, trainers, tasks or scoring: it writes text and JSON lines.
package world
