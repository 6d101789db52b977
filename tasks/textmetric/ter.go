package textmetric

import (
	"math"
	"slices"
	"strings"

	"github.com/softbench/softbench/tasks/py"
)

// The bounds of TER's search, which are Tercom's and sacrebleu's.
const (
	terShift      = 10   // words that are moved at once
	terDistance   = 50   // places between what is moved and where the right answer has it
	terBeam       = 25   // places on each side of the diagonal where edits are counted
	terCandidates = 1000 // moves that are tried for an answer
)

// terCounts are the edits that make an answer the right one, and the right one's words.
func terCounts(prediction, target string) []float64 {
	words := func(s string) []string { return strings.FieldsFunc(py.Lower(py.RStrip(s)), py.IsSpace) }
	said, right := words(prediction), words(target)
	if len(right) == 0 {
		return []float64{float64(len(said)), 0}
	}
	shifts, tried := 0, 0
	for {
		gain, moved := 0, []string(nil)
		gain, moved, tried = bestMove(said, right, tried)
		if tried >= terCandidates || gain <= 0 {
			break
		}
		shifts++
		said = moved
	}
	edits, _ := edits(said, right)
	return []float64{float64(shifts + edits), float64(len(right))}
}

// terScore is 100 · edits / words of the right answers, an edit being a word put in, taken out or replaced, or a run
// of words moved; case does not count. Its equal: sacrebleu's corpus_ter with its own settings, lm-evaluation-harness' ter.
func terScore(sums []float64) float64 {
	switch {
	case len(sums) == 0:
		return 0
	case sums[1] > 0:
		return 100 * (sums[0] / sums[1])
	case sums[0] > 0:
		return 100
	}
	return 0
}

// edits are the words to put in, take out or replace so that said becomes right, and what is done, in order: 'i' a
// word of right is put in, 'd' one of said is taken out, 's' one is replaced, ' ' one stays.
func edits(said, right []string) (int, []byte) {
	const infinite = int(1e16)
	type cell struct {
		cost int
		op   byte
	}
	n, m := len(said), len(right)
	rows := make([][]cell, n+1)
	for i := range rows {
		rows[i] = make([]cell, m+1)
		for j := range rows[i] {
			rows[i][j] = cell{infinite, 'x'}
			if i == 0 {
				rows[i][j] = cell{j, 'i'}
			}
		}
	}
	ratio := 1.0
	if n > 0 {
		ratio = float64(m) / float64(n)
	}
	beam := terBeam
	if float64(terBeam) < ratio/2 {
		beam = int(math.Ceil(ratio/2 + terBeam))
	}
	for i := 1; i <= n; i++ {
		diagonal := int(math.Floor(float64(i) * ratio))
		last := min(m+1, diagonal+beam)
		if i == n {
			last = m + 1
		}
		for j := max(0, diagonal-beam); j < last; j++ {
			if j == 0 {
				rows[i][j] = cell{rows[i-1][j].cost + 1, 'd'}
				continue
			}
			same := cell{rows[i-1][j-1].cost + 1, 's'}
			if said[i-1] == right[j-1] {
				same = cell{rows[i-1][j-1].cost, ' '}
			}
			for _, c := range []cell{same, {rows[i-1][j].cost + 1, 'd'}, {rows[i][j-1].cost + 1, 'i'}} {
				if rows[i][j].cost > c.cost {
					rows[i][j] = c
				}
			}
		}
	}
	var trace []byte
	for i, j := n, m; i > 0 || j > 0; {
		op := rows[i][j].op
		trace = append(trace, op)
		switch op {
		case 'i':
			j--
		case 'd':
			i--
		default:
			i--
			j--
		}
	}
	slices.Reverse(trace)
	return rows[n][m].cost, trace
}

// bestMove is the move of a run of words that takes away most edits, and the answer with it; 0 where none helps.
func bestMove(said, right []string, tried int) (int, []string, int) {
	before, trace := edits(said, right)
	align := make([]int, 0, len(right)) // the answer's place of each of right's words
	var wrongRight, wrongSaid []bool
	at := -1
	for _, op := range trace {
		if op != 'i' {
			at++
			wrongSaid = append(wrongSaid, op != ' ')
		}
		if op != 'd' {
			align = append(align, at)
			wrongRight = append(wrongRight, op != ' ')
		}
	}
	type move struct{ gain, length, from, to int }
	better := func(a, b move) bool { // more edits taken away, then longer, then from further left, then to further left
		return slices.Compare([]int{a.gain, a.length, -a.from, -a.to}, []int{b.gain, b.length, -b.from, -b.to}) > 0
	}
	var best *move
	var moved []string
	try := func(from, to, length int) {
		last := -1
		for offset := -1; offset < length; offset++ {
			place := 0
			switch {
			case to+offset == -1:
			case to+offset < len(align):
				place = align[to+offset] + 1
			default:
				return
			}
			if place == last {
				continue
			}
			last = place
			words := shifted(said, from, length, place)
			after, _ := edits(words, right)
			tried++
			if m := (move{before - after, length, from, place}); best == nil || better(m, *best) {
				best, moved = &m, words
			}
		}
	}
search:
	for from := range said {
		for to := range right {
			if max(to-from, from-to) > terDistance {
				continue
			}
			for length := 1; length <= terShift && said[from+length-1] == right[to+length-1]; length++ {
				inside := from <= align[to] && align[to] < from+length
				if !inside && slices.Contains(wrongSaid[from:from+length], true) && slices.Contains(wrongRight[to:to+length], true) {
					try(from, to, length)
					if tried >= terCandidates {
						break search
					}
				}
				if from+length == len(said) || to+length == len(right) {
					break
				}
			}
		}
	}
	if best == nil {
		return 0, said, tried
	}
	return best.gain, moved, tried
}

// shifted has the run of words at from moved to before the word at to.
func shifted(words []string, from, length, to int) []string {
	run := words[from : from+length]
	switch {
	case to < from:
		return slices.Concat(words[:to], run, words[to:from], words[from+length:])
	case to > from+length:
		return slices.Concat(words[:from], words[from+length:to], run, words[to:])
	}
	end := min(length+to, len(words))
	return slices.Concat(words[:from], words[from+length:end], run, words[end:])
}
