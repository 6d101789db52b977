package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/softbench/softbench/engine/tokenizer"
	"github.com/softbench/softbench/internal/golden"
)

// serving starts a server and returns its address, and what stops it and gives its exit code and errors.
func serving(t *testing.T, args ...string) (url string, end func() (int, string)) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready, out := io.Pipe()
	var errs bytes.Buffer
	code := make(chan int, 1)
	go func() {
		defer out.Close()
		code <- execute(ctx, append([]string{"serve", "--port", "0"}, args...), streams{strings.NewReader(""), out, &errs})
	}()
	line, _ := bufio.NewReader(ready).ReadString('\n')
	go func() { _, _ = io.Copy(io.Discard, ready) }()
	end = func() (int, string) { cancel(); c := <-code; code <- c; return c, errs.String() }
	t.Cleanup(func() { end() })
	m := regexp.MustCompile(`http://127\.0\.0\.1:\d+/v1`).FindString(line)
	if m == "" {
		_, text := end()
		t.Fatalf("%q: %s", line, text)
	}
	return m, end
}

// harnessCall is one request of lm-evaluation-harness 0.4.13's local-completions, with the fields
// and values of LocalCompletionsAPI._create_payload, and what parse_logprobs and parse_generations
// make of the answer.
type harnessCall struct{ url, model string }

func (h harnessCall) post(t *testing.T, payload map[string]any) (out struct {
	Choices []struct {
		Index    int
		Text     string
		LogProbs struct {
			TokenLogProbs []*float64           `json:"token_logprobs"`
			TopLogProbs   []map[string]float64 `json:"top_logprobs"`
		}
	}
}) {
	t.Helper()
	body, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	q, err := http.NewRequest(http.MethodPost, h.url+"/completions", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Content-Type", "application/json")
	q.Header.Set("Authorization", "Bearer ") // its api_key where OPENAI_API_KEY is not set
	r, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != 200 || json.Unmarshal(text, &out) != nil {
		t.Fatalf("status %d: %s (%v)", r.StatusCode, text, err)
	}
	slices.SortFunc(out.Choices, func(a, b struct {
		Index    int
		Text     string
		LogProbs struct {
			TokenLogProbs []*float64           `json:"token_logprobs"`
			TopLogProbs   []map[string]float64 `json:"top_logprobs"`
		}
	}) int {
		return a.Index - b.Index
	})
	return out
}

type harnessScore struct {
	sum    float64
	greedy bool
}

func (h harnessCall) loglikelihood(t *testing.T, inputs [][]int32, contexts []int) (out []harnessScore) {
	t.Helper()
	got := h.post(t, map[string]any{"model": h.model, "prompt": inputs, "temperature": 0, "max_tokens": 1, "logprobs": 1, "seed": 1234, "echo": true})
	if len(got.Choices) != len(inputs) {
		t.Fatalf("%d choices for %d prompts", len(got.Choices), len(inputs))
	}
	for i, c := range got.Choices {
		logProbs, top := c.LogProbs.TokenLogProbs, c.LogProbs.TopLogProbs
		if len(logProbs) != len(inputs[i])+1 || len(top) != len(logProbs) || logProbs[0] != nil {
			t.Fatalf("%d log-probabilities, %d candidates for %d tokens and one more", len(logProbs), len(top), len(inputs[i]))
		}
		s := harnessScore{greedy: true}
		for k := contexts[i]; k < len(logProbs)-1; k++ { // [ctxlen:-1]
			s.sum += *logProbs[k]
			s.greedy = s.greedy && *logProbs[k] == slices.Max(slices.Collect(maps.Values(top[k])))
		}
		out = append(out, s)
	}
	return out
}

// The harness's own arithmetic over the answers to its own requests gives, in float32, the scores of a
// run to the bit, one by one and in batches; its generations are the engine's.
func TestServeGivesTheHarnessTheScoresOfARun(t *testing.T) {
	model, docs := golden.TinyCheckpoint(t, "tiny"), golden.Dir(t, "docs")
	t.Chdir(t.TempDir())
	var text bytes.Buffer
	for _, line := range []string{
		"run arc_easy lambada_openai hellaswag --limit 8 --dtype float32 --out r --model " + model + " --data " + docs, "export r --format lm-eval -o h",
	} {
		if code := execute(t.Context(), strings.Fields(line), streams{strings.NewReader(""), &text, &text}); code != 0 {
			t.Fatalf("%s: %s", line, text.String())
		}
	}
	tok, err := tokenizer.Load(model)
	if err != nil {
		t.Fatal(err)
	}
	url, end := serving(t, model, "--dtype", "float32", "--model-name", "tiny")
	h := harnessCall{url, "tiny"}
	files, err := filepath.Glob("h/r/samples_*.jsonl")
	if err != nil || len(files) != 3 {
		t.Fatalf("%v, %v", files, err)
	}
	var inputs [][]int32
	var contexts []int
	var want []harnessScore
	greedy := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			var doc struct {
				Arguments map[string]map[string]string
				Resps     [][][2]string
			}
			if err := json.Unmarshal([]byte(line), &doc); err != nil {
				t.Fatal(err)
			}
			for i, r := range doc.Resps {
				args := doc.Arguments[fmt.Sprintf("gen_args_%d", i)]
				// TemplateLM._encode_pair, with add_bos_token=True.
				context, continuation := args["arg_0"], args["arg_1"]
				if trimmed := strings.TrimRight(context, " \n"); trimmed != context {
					context, continuation = trimmed, context[len(trimmed):]+continuation
				}
				whole, own := tok.Encode(context+continuation, true), tok.Encode(context, true)
				if len(own)+len(whole[len(own):]) > 256 { // longer than the context: the harness cuts it elsewhere than a run does
					continue
				}
				inputs = append(inputs, append(slices.Clone(own), whole[len(own):]...))
				contexts = append(contexts, len(own))
				var s harnessScore
				if _, err := fmt.Sscan(r[0][0], &s.sum); err != nil {
					t.Fatal(err)
				}
				if s.greedy = r[0][1] == "True"; s.greedy {
					greedy++
				}
				want = append(want, s)
			}
		}
	}
	if len(want) < 60 || greedy == 0 || greedy == len(want) {
		t.Fatalf("%d requests, of them %d greedy", len(want), greedy)
	}
	for _, batch := range []int{1, 7, len(inputs)} {
		for from := 0; from < len(inputs); from += batch {
			to := min(from+batch, len(inputs))
			for i, got := range h.loglikelihood(t, inputs[from:to], contexts[from:to]) {
				if got != want[from+i] {
					t.Fatalf("batches of %d, request %d: %v, the run has %v", batch, from+i, got, want[from+i])
				}
			}
		}
	}
	prompt := tok.Encode("Question: Which animal lays eggs?\nAnswer:", true)
	generated := h.post(t, map[string]any{"prompt": [][]int32{prompt}, "model": "tiny", "max_tokens": 12, "temperature": 0, "stop": []string{"\n", "</s>"}, "seed": 1234})
	if got := generated.Choices[0].Text; got != " the hen" {
		t.Errorf("generated %q", got)
	}
	if code, text := end(); code != exitInterrupted || text != "softbench: interrupted\n" {
		t.Errorf("exit code %d, %q", code, text)
	}
}

func TestServeRefused(t *testing.T) {
	model := golden.TinyCheckpoint(t, "tiny")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := fmt.Sprint(taken.Addr().(*net.TCPAddr).Port)
	for line, says := range map[string]string{
		"--port " + port:            "address already in use",
		"--port 65536":              "--port 65536",
		"--port -1":                 "--port -1",
		"--host nowhere.invalid":    "--host nowhere.invalid",
		"--max-body lots":           "--max-body",
		"--max-body 2GiB":           "at most 1GiB",
		"--max-requests 0":          "--max-requests 0",
		"--token=":                  "--token is empty",
		"--allow-unscored":          "unknown flag",
		"--device nothing":          "nothing",
		"--memory 3 --port " + port: "--memory",
	} {
		var out, errs bytes.Buffer
		code := execute(t.Context(), append([]string{"serve", model}, strings.Fields(line)...), streams{strings.NewReader(""), &out, &errs})
		if code != exitMisuse || !strings.Contains(errs.String(), says) || strings.Count(errs.String(), "\n") != 1 || out.Len() > 0 {
			t.Errorf("%s: exit code %d, %q", line, code, errs.String())
		}
	}
}

func TestServeToken(t *testing.T) {
	model := golden.TinyCheckpoint(t, "tiny")
	t.Setenv("SOFTBENCH_TOKEN", "from the environment")
	for _, c := range []struct {
		args  []string
		token string
	}{{nil, "from the environment"}, {[]string{"--token", "given"}, "given"}} {
		url, _ := serving(t, append([]string{model}, c.args...)...)
		for token, status := range map[string]int{c.token: 200, "other": 401} {
			q, err := http.NewRequest(http.MethodGet, url+"/models", nil)
			if err != nil {
				t.Fatal(err)
			}
			q.Header.Set("Authorization", "Bearer "+token)
			r, err := http.DefaultClient.Do(q)
			if err != nil {
				t.Fatal(err)
			}
			r.Body.Close()
			if r.StatusCode != status {
				t.Errorf("%q: %d, want %d", token, r.StatusCode, status)
			}
		}
	}
}

// Another program writes a request, reads its answer, and only then writes the next.
func TestScoreAnswersAsRequestsCome(t *testing.T) {
	model := golden.TinyCheckpoint(t, "tiny")
	requests := []string{`{"context": "The sky is", "continuation": " blue"}`, ``, `{"context": "The sky is", "continuation": " green"}`, `{"context": "", "continuation": "Here"}`}
	whole := func(args ...string) string {
		var out, errs bytes.Buffer
		if code := execute(t.Context(), append([]string{"score", model}, args...), streams{strings.NewReader(strings.Join(requests, "\n")), &out, &errs}); code != 0 {
			t.Fatalf("%v: %s", args, errs.String())
		}
		return out.String()
	}
	want := whole()
	for _, args := range [][]string{{"--window", "1"}, {"--window", "2"}, {"--flush"}} {
		if got := whole(args...); got != want {
			t.Errorf("%v: %s, want %s", args, got, want)
		}
	}
	in, to := io.Pipe()
	from, out := io.Pipe()
	code := make(chan int, 1)
	go func() {
		defer out.Close()
		code <- execute(t.Context(), []string{"score", model, "--flush"}, streams{in, out, io.Discard})
	}()
	answers := bufio.NewReader(from)
	var got strings.Builder
	for _, r := range requests {
		if _, err := io.WriteString(to, r+"\n"); err != nil {
			t.Fatal(err)
		}
		if r == "" {
			continue
		}
		line := make(chan string, 1)
		go func() { text, _ := answers.ReadString('\n'); line <- text }()
		select {
		case text := <-line:
			got.WriteString(text)
		case <-time.After(2 * time.Minute):
			t.Fatalf("no answer to %s", r)
		}
	}
	to.Close()
	if c := <-code; c != 0 || got.String() != want {
		t.Errorf("exit code %d: %s, want %s", c, got.String(), want)
	}
	// What was answered before a line that is none stays answered.
	var some, errs bytes.Buffer
	c := execute(t.Context(), []string{"score", model, "--window", "1"}, streams{strings.NewReader(requests[0] + "\nno request\n"), &some, &errs})
	if c != exitMisuse || some.String() != want[:strings.Index(want, "\n")+1] || !strings.Contains(errs.String(), "line 2") {
		t.Errorf("exit code %d: %s%s", c, some.String(), errs.String())
	}
}
