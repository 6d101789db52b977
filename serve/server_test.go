package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/softbench/softbench/engine"
	"github.com/softbench/softbench/internal/hashmodel"
	"github.com/softbench/softbench/internal/rescue"
	"github.com/softbench/softbench/lm"
)

// runes is a tokenizer whose ids are runes from 'Ā' on; 1 is BOS, put in front of texts, and 2 is
// EOS. A text with "slow" in it cannot be encoded.
type runes struct{}

func (runes) TryEncode(text string, special bool) ([]int32, error) {
	if strings.Contains(text, "slow") {
		return nil, errors.New("a pattern does not come to an end")
	}
	var ids []int32
	if special {
		ids = append(ids, 1)
	}
	for _, r := range text {
		ids = append(ids, 3+(r-'Ā'+hashmodel.Vocab-3)%(hashmodel.Vocab-3))
	}
	return ids, nil
}

func (t runes) Encode(text string, special bool) []int32 {
	ids, _ := t.TryEncode(text, special)
	return ids
}

func (runes) TryDecode(ids []int32, skip bool) (string, error) {
	var b strings.Builder
	for _, id := range ids {
		if special := map[int32]string{1: "<s>", 2: "</s>"}[id]; special != "" {
			if !skip {
				b.WriteString(special)
			}
			continue
		}
		b.WriteRune('Ā' + id - 3)
	}
	return b.String(), nil
}

func (t runes) Decode(ids []int32, skip bool) string {
	text, _ := t.TryDecode(ids, skip)
	return text
}
func (runes) BOS() (int32, bool) { return 1, true }
func (runes) EOS() (int32, bool) { return 2, true }

// slowBackend computes a batch only when it is told to, and may fail.
type slowBackend struct {
	hashmodel.Backend
	gate  chan struct{} // nil: at once
	begun chan struct{} // told of each batch; nil: not
	fail  func(b *engine.Batch) error
}

func (b *slowBackend) Forward(ctx context.Context, batch *engine.Batch) error {
	if b.begun != nil {
		b.begun <- struct{}{}
	}
	if b.gate != nil {
		select {
		case <-b.gate:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if b.fail != nil {
		if err := b.fail(batch); err != nil {
			return err
		}
	}
	return b.Backend.Forward(ctx, batch)
}

func newServer(t testing.TB, b *slowBackend, o Options) (*httptest.Server, context.CancelFunc) {
	t.Helper()
	l, err := lm.New(engine.New(b, hashmodel.Vocab), runes{}, lm.Options{MaxLength: 64})
	if err != nil {
		t.Fatal(err)
	}
	if o.Requests == 0 {
		o.Requests = 8
	}
	if o.MaxBody == 0 {
		o.MaxBody = 1 << 16
	}
	if o.Fault == nil {
		o.Fault = func(p *rescue.Panic) { t.Errorf("fault: %v\n%s", p.Value, p.Stack) }
	}
	o.Model, o.Top = "m", 5
	s := New(l, runes{}, o)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ctx) }()
	web := httptest.NewServer(s)
	t.Cleanup(func() { stop(); <-done; web.Close() })
	return web, stop
}

type reply struct {
	status int
	answered
	Error struct {
		Message, Type string
		Param, Code   *string
	}
}

func post(t testing.TB, url, body string) reply {
	t.Helper()
	r, err := http.Post(url+"/v1/completions", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return read(t, r)
}

func read(t testing.TB, r *http.Response) (out reply) {
	t.Helper()
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &out); err != nil || r.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("status %d, %s: %s", r.StatusCode, r.Header.Get("Content-Type"), text)
	}
	if (r.StatusCode >= 400) != (out.Error.Message != "") {
		t.Fatalf("status %d: %s", r.StatusCode, text)
	}
	out.status = r.StatusCode
	return out
}

// Every number of an answer is the model's, in each form of a prompt.
func TestCompletions(t *testing.T) {
	web, _ := newServer(t, &slowBackend{}, Options{})
	r := post(t, web.URL, `{"model":"m","prompt":"ĀāĂ","max_tokens":2,"echo":true,"logprobs":2,"temperature":0,"seed":1234,"user":"u","top_p":0.5,"n":1}`)
	ids := []int32{1, 3, 4, 5}
	for range 2 {
		ids = append(ids, hashmodel.Next(ids))
	}
	c := r.Choices[0]
	text, _ := runes{}.TryDecode(ids[1:], false)
	if r.status != 200 || c.Text != text || c.FinishReason != "length" || r.Usage != (usage{4, 2, 6}) || r.Object != "text_completion" || r.Model != "m" {
		t.Fatalf("%+v\n%q %v", r, text, ids)
	}
	if c.LogProbs.TokenLogProbs[0] != nil || c.LogProbs.TopLogProbs[0] != nil || len(c.LogProbs.Tokens) != 6 || len(c.LogProbs.TextOffset) != 6 {
		t.Fatalf("%+v", c.LogProbs)
	}
	for i := 1; i < len(ids); i++ {
		want := float64(hashmodel.LogProb(ids[:i], ids[i]))
		if got := *c.LogProbs.TokenLogProbs[i]; got != want {
			t.Errorf("token %d: %v, want %v", i, got, want)
		}
		name, _ := runes{}.TryDecode(ids[i:i+1], false)
		if c.LogProbs.Tokens[i] != name || c.LogProbs.TextOffset[i] != i-1 {
			t.Errorf("token %d is %q at %d, want %q at %d", i, c.LogProbs.Tokens[i], c.LogProbs.TextOffset[i], name, i-1)
		}
		top := c.LogProbs.TopLogProbs[i]
		for k, b := range hashmodel.Best(ids[:i], 2) {
			name, _ := runes{}.TryDecode([]int32{b.Token}, false)
			if top[name] != float64(b.LogProb) {
				t.Errorf("token %d: candidate %d is %q %v, there are %v", i, k, name, b.LogProb, top)
			}
		}
		if top[name] != want {
			t.Errorf("token %d is not among %v", i, top)
		}
	}
	for _, c := range []struct {
		prompt string
		texts  []string
	}{
		{`["Ā","ā"]`, []string{"Ā", "ā"}}, {`[3,4]`, []string{"Āā"}}, {`[[3],[4,5],[3]]`, []string{"Ā", "āĂ", "Ā"}}, {`["Ā",[4]]`, []string{"Ā", "ā"}}, {`""`, []string{""}},
	} {
		r := post(t, web.URL, `{"prompt":`+c.prompt+`,"max_tokens":0,"echo":true}`)
		if len(r.Choices) != len(c.texts) {
			t.Fatalf("%s: %+v", c.prompt, r)
		}
		for i, want := range c.texts {
			if r.Choices[i].Text != want || r.Choices[i].Index != i || r.Choices[i].LogProbs != nil {
				t.Errorf("%s: %+v", c.prompt, r.Choices[i])
			}
		}
	}
	// Without echo the offsets begin with the answer; what ends it is with the tokens, not with the text.
	next := hashmodel.Next([]int32{9, 8})
	stop, _ := runes{}.TryDecode([]int32{next}, false)
	r = post(t, web.URL, fmt.Sprintf(`{"prompt":[9,8],"max_tokens":5,"logprobs":0,"stop":[%q]}`, stop))
	c = r.Choices[0]
	if c.Text != "" || c.FinishReason != "stop" || len(c.LogProbs.Tokens) != 1 || c.LogProbs.TextOffset[0] != 0 || len(c.LogProbs.TopLogProbs[0]) != 1 {
		t.Errorf("%+v %+v", c, c.LogProbs)
	}
	if r := post(t, web.URL, `{"prompt":"Ā"}`); r.Usage.CompletionTokens != 16 {
		t.Errorf("max_tokens left out: %+v", r.Usage)
	}
}

func TestRefusals(t *testing.T) {
	web, _ := newServer(t, &slowBackend{}, Options{MaxBody: 4096})
	for _, c := range []struct{ body, param, says string }{
		{``, "", "is empty"},
		{`{`, "", "not JSON"},
		{`[]`, "", "JSON array, not an object"},
		{`{"prompt":"a"} {}`, "", "more than one JSON value"},
		{`{"prompt":"a"}]`, "", "more than one JSON value"},
		{"{\"prompt\":\"\xff\"}", "", "UTF-8"},
		{`{"prompt":"\ud800"}`, "", "half of a surrogate pair"},
		{strings.Repeat("[", 3000), "", "not JSON"},
		{`{"max_tokens":1}`, "prompt", "there is no prompt"},
		{`{"prompt":null}`, "prompt", "there is no prompt"},
		{`{"prompt":3}`, "prompt", "neither a text nor a list"},
		{`{"prompt":{}}`, "prompt", "neither a text nor a list"},
		{`{"prompt":[]}`, "prompt", "empty list"},
		{`{"prompt":[[]]}`, "prompt", "prompt[0] is an empty list"},
		{`{"prompt":[1,"a"]}`, "prompt", "not a list of token ids"},
		{`{"prompt":[[1],2]}`, "prompt", "prompt[1] is neither"},
		{`{"prompt":[["a"]]}`, "prompt", "prompt[0] is not a list of token ids"},
		{`{"prompt":[1.5]}`, "prompt", "not a list of token ids"},
		{`{"prompt":[99999999999]}`, "prompt", "not a list of token ids"},
		{`{"prompt":[1000]}`, "prompt", "token id 1000 is outside"},
		{`{"prompt":[-1]}`, "prompt", "token id -1"},
		{`{"prompt":[null]}`, "prompt", "token id"},
		{`{"prompt":"slow"}`, "prompt", "cannot be encoded"},
		{`{"prompt":"a","stop":"slow"}`, "stop", "cannot be encoded"},
		{`{"prompt":"` + strings.Repeat("a", 80) + `"}`, "prompt", "context is 64 tokens: 81 of the prompt and 16"},
		{`{"prompt":"a","max_tokens":-1}`, "max_tokens", "want 0 to"},
		{`{"prompt":"a","max_tokens":1000000000}`, "max_tokens", "want 0 to"},
		{`{"prompt":"a","max_tokens":1.5}`, "max_tokens", "JSON number 1.5"},
		{`{"prompt":"a","max_tokens":0}`, "max_tokens", "nothing is asked"},
		{`{"prompt":"a","logprobs":6}`, "logprobs", "want 0 to 5"},
		{`{"prompt":"a","logprobs":true}`, "logprobs", "JSON bool"},
		{`{"prompt":"a","temperature":0.7}`, "temperature", "greedily"},
		{`{"prompt":"a","top_p":0}`, "top_p", "top_p is 0"},
		{`{"prompt":"a","n":2}`, "n", "one answer"},
		{`{"prompt":"a","best_of":3}`, "best_of", "one answer"},
		{`{"prompt":"a","stream":true}`, "stream", "does not stream"},
		{`{"prompt":"a","presence_penalty":1}`, "presence_penalty", "want 0"},
		{`{"prompt":"a","frequency_penalty":1}`, "frequency_penalty", "want 0"},
		{`{"prompt":"a","logit_bias":{"5":1}}`, "logit_bias", "not empty"},
		{`{"prompt":"a","suffix":"b"}`, "suffix", "suffix"},
		{`{"prompt":"a","stop":[null]}`, "stop", "stop[0] is not a text"},
		{`{"prompt":"a","stop":5}`, "stop", "neither a text nor a list"},
		{`{"prompt":"a","stop":` + strings.Replace(fmt.Sprintf("%q", make([]string, 17)), `" "`, `","`, -1) + `}`, "stop", "17 texts"},
		{`{"prompt":"a","stop":"` + strings.Repeat("x", 1025) + `"}`, "stop", "1025 bytes"},
		{`{"prompt":"a","top_k":1}`, "top_k", `"top_k" is not a field`},
	} {
		r := post(t, web.URL, c.body)
		param := ""
		if r.Error.Param != nil {
			param = *r.Error.Param
		}
		if r.status != 400 || !strings.Contains(r.Error.Message, c.says) || param != c.param || r.Error.Type != "invalid_request_error" || strings.Contains(r.Error.Message, "\n") {
			t.Errorf("%.60s: status %d, %q, %q; want %q of %q", c.body, r.status, r.Error.Message, param, c.says, c.param)
		}
	}
	if r := post(t, web.URL, `{"model":"other","prompt":"a"}`); r.status != 404 || *r.Error.Code != "model_not_found" {
		t.Errorf("another model: %+v", r)
	}
	if r := post(t, web.URL, `{"prompt":"`+strings.Repeat("a", 5000)+`"}`); r.status != 413 || !strings.Contains(r.Error.Message, "4096 bytes") {
		t.Errorf("a large body: %+v", r)
	}
	if r := post(t, web.URL, `{"prompt":[`+strings.Repeat("[3],", 2000)[:7999]+`]}`); r.status != 413 {
		t.Errorf("many prompts: %+v", r)
	}
	r, err := http.Post(web.URL+"/v1/completions", "text/plain", strings.NewReader(`{"prompt":"a"}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, r); got.status != 415 {
		t.Errorf("text/plain, which a page of another site may send: %+v", got)
	}
	for path, status := range map[string]int{"/v1/completions": 405, "/v1/chat/completions": 404, "/": 404, "/tokenizer_info": 404, "/v1/models/other": 404} {
		r, err := http.Get(web.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		if got := read(t, r); got.status != status {
			t.Errorf("GET %s: %d, want %d", path, got.status, status)
		}
	}
}

// What is more than an answer may hold is refused before anything is computed.
func TestBoundsOfARequest(t *testing.T) {
	b := &slowBackend{}
	web, _ := newServer(t, b, Options{MaxBody: 8 << 20})
	for body, says := range map[string]string{
		`{"max_tokens":0,"echo":true,"prompt":[` + strings.Repeat("[3],", 4097)[:4*4097-1] + `]}`:                                    "list of 4097",
		`{"max_tokens":16,"prompt":[` + strings.Repeat("["+strings.Repeat("3,", 48)[:95]+"],", 4096)[:98*4096-1] + `],"logprobs":5}`: "more than 1048576 log-probabilities",
		`{"max_tokens":16,"prompt":[` + strings.Repeat("["+strings.Repeat("3,", 49)[:97]+"],", 4096)[:100*4096-1] + `]}`:             "more than 262144 tokens",
	} {
		if r := post(t, web.URL, body); r.status != 400 || !strings.Contains(r.Error.Message, says) {
			t.Errorf("status %d %q, want %q", r.status, r.Error.Message, says)
		}
	}
	if b.Rows != 0 {
		t.Errorf("%d rows were computed for what is refused", b.Rows)
	}
}

func TestTokenAndHost(t *testing.T) {
	web, _ := newServer(t, &slowBackend{}, Options{Token: "secret", Loopback: true})
	for _, c := range []struct {
		authorization, host string
		status              int
	}{
		{"", "", 401}, {"Bearer", "", 401}, {"Bearer ", "", 401}, {"Bearer secre", "", 401}, {"Basic secret", "", 401}, {"secret", "", 401}, {"Bearer secret", "", 200},
		{"Bearer secret", "example.org", 403}, {"Bearer secret", "localhost:80", 200}, {"Bearer secret", "[::1]:80", 200}, {"Bearer secret", "127.0.0.1.example.org", 403}, {"Bearer secret", "10.0.0.1", 403},
	} {
		q, err := http.NewRequest(http.MethodGet, web.URL+"/v1/models", nil)
		if err != nil {
			t.Fatal(err)
		}
		q.Host = c.host
		if c.authorization != "" {
			q.Header.Set("Authorization", c.authorization)
		}
		r, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		if got := read(t, r); got.status != c.status {
			t.Errorf("%q at %q: %d, want %d", c.authorization, c.host, got.status, c.status)
		}
	}
}

// Requests that arrive while the model is busy are computed together: what they share is
// computed once. What each is told is what it would be told alone.
func TestRequestsAreOneForest(t *testing.T) {
	b := &slowBackend{gate: make(chan struct{}), begun: make(chan struct{}, 100)}
	web, _ := newServer(t, b, Options{Requests: 40})
	var wg sync.WaitGroup
	ask := func(last int) {
		wg.Go(func() {
			ids := []int32{1, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, int32(100 + last)}
			text, _ := json.Marshal(ids)
			r := post(t, web.URL, `{"prompt":`+string(text)+`,"max_tokens":0,"echo":true,"logprobs":1}`)
			for i := 1; i < len(ids); i++ {
				if r.status != 200 || *r.Choices[0].LogProbs.TokenLogProbs[i] != float64(hashmodel.LogProb(ids[:i], ids[i])) {
					t.Errorf("request %d: %+v", last, r)
					return
				}
			}
		})
	}
	ask(0)
	<-b.begun
	for i := range 20 {
		ask(1 + i)
	}
	time.Sleep(50 * time.Millisecond) // they wait now
	close(b.gate)
	wg.Wait()
	// 11 of the first, and the 11 that the others share: 22, or some more where one came late on a
	// busy machine; one by one they would take 231.
	if b.Rows < 22 || b.Rows > 66 {
		t.Errorf("%d rows, want about 22", b.Rows)
	}
}

// One request that fails takes no other with it, and an ended client none either.
func TestOneRequestFails(t *testing.T) {
	b := &slowBackend{gate: make(chan struct{}), begun: make(chan struct{}, 100)}
	b.fail = func(batch *engine.Batch) error {
		for _, id := range batch.Tokens {
			switch id {
			case 666:
				return errors.New("a number is not finite")
			case 667:
				panic("an index out of range")
			}
		}
		return nil
	}
	faults := 0
	web, _ := newServer(t, b, Options{Requests: 40, Fault: func(*rescue.Panic) { faults++ }})
	var wg sync.WaitGroup
	for i, id := range []int{5, 666, 7, 667, 9} {
		wg.Go(func() {
			r := post(t, web.URL, fmt.Sprintf(`{"prompt":[1,%d,3],"max_tokens":0,"echo":true,"logprobs":1}`, id))
			switch want := map[int]string{666: "not finite", 667: "fault of softbench"}[id]; {
			case want == "" && r.status == 200:
			case want != "" && r.status == 500 && strings.Contains(r.Error.Message, want) && r.Error.Type == "server_error":
			default:
				t.Errorf("request %d: %+v", i, r)
			}
		})
	}
	gone, leave := context.WithCancel(context.Background())
	wg.Go(func() {
		q, _ := http.NewRequestWithContext(gone, http.MethodPost, web.URL+"/v1/completions", strings.NewReader(`{"prompt":[1,8,3],"max_tokens":0,"echo":true}`))
		q.Header.Set("Content-Type", "application/json")
		if _, err := http.DefaultClient.Do(q); err == nil {
			t.Error("an ended request was answered")
		}
	})
	<-b.begun
	leave()
	close(b.gate)
	wg.Wait()
	if faults == 0 {
		t.Error("nobody was told of the fault")
	}
	if r := post(t, web.URL, `{"prompt":[1,5],"max_tokens":1}`); r.status != 200 {
		t.Errorf("after all that: %+v", r)
	}
}

// Serve ends when it is told to: what is under way hears that, and no later one is answered.
func TestServeStops(t *testing.T) {
	b := &slowBackend{gate: make(chan struct{}), begun: make(chan struct{}, 1)}
	l, err := lm.New(engine.New(b, hashmodel.Vocab), runes{}, lm.Options{MaxLength: 64})
	if err != nil {
		t.Fatal(err)
	}
	s := New(l, runes{}, Options{Model: "m", MaxBody: 1 << 16, Requests: 2, Top: 5})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, listener) }()
	url := "http://" + listener.Addr().String()
	heard := make(chan reply, 1)
	go func() { heard <- post(t, url, `{"prompt":[1,5],"max_tokens":1}`) }()
	<-b.begun
	begin := time.Now()
	stop()
	if r := <-heard; r.status != 503 || !strings.Contains(r.Error.Message, "stopping") {
		t.Errorf("the request under way: %+v", r)
	}
	if err := <-ended; err != nil || time.Since(begin) > time.Second {
		t.Errorf("ended after %v: %v", time.Since(begin), err)
	}
	if _, err := http.Get(url + "/v1/models"); err == nil {
		t.Error("an ended server answers")
	}
}

// More connections than there is room for wait, and are answered.
func TestMoreThanRoom(t *testing.T) {
	web, _ := newServer(t, &slowBackend{}, Options{Requests: 1})
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			if r := post(t, web.URL, fmt.Sprintf(`{"prompt":[1,%d],"max_tokens":1}`, 3+i)); r.status != 200 {
				t.Errorf("request %d: %+v", i, r)
			}
		})
	}
	wg.Wait()
}

// A request that waits for room longer than a body may take is read and answered afterwards.
func TestWaitingIsNotABodysTime(t *testing.T) {
	l, err := lm.New(engine.New(&slowBackend{}, hashmodel.Vocab), runes{}, lm.Options{MaxLength: 64})
	if err != nil {
		t.Fatal(err)
	}
	s := New(l, runes{}, Options{Model: "m", MaxBody: 1 << 20, Requests: 1, Top: 5})
	s.body = 200 * time.Millisecond
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, listener) }()
	s.room <- struct{}{}
	heard := make(chan reply, 1)
	go func() { // more than is read with the header
		heard <- post(t, "http://"+listener.Addr().String(), `{"prompt":[1,5],"max_tokens":1}`+strings.Repeat(" ", 100_000))
	}()
	time.Sleep(3 * s.body)
	<-s.room
	if r := <-heard; r.status != 200 {
		t.Errorf("%+v", r)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A tokenizer that spells one character in several tokens, as byte-level ones do: names are never
// half a character, the same name never stands for two tokens, and offsets only grow.
func TestSpeller(t *testing.T) {
	const text = "aé中b"
	w := speller{decode: func(ids []int32) string {
		var b []byte
		for _, id := range ids {
			b = append(b, byte(id))
		}
		return strings.ToValidUTF8(string(b), replacement)
	}}
	var spelt, names []string
	for _, b := range []byte(text) {
		names = append(names, w.name(int32(b)))
		spelt = append(spelt, w.take(int32(b)))
	}
	if got := strings.Join(spelt, "|"); got != "a||é|||中|b" {
		t.Errorf("spelt %q", got)
	}
	if got := strings.Join(names, " "); got != "a token_id:195 token_id:169 token_id:228 token_id:184 token_id:173 b" {
		t.Errorf("names %q", got)
	}
	for range 100000 { // never whole: bounded work
		w.take(0xC3)
	}
	if len(w.ids) > 2048 {
		t.Errorf("%d ids are kept", len(w.ids))
	}
	top := w.candidates([]engine.Candidate{{Token: 0xC3, LogProb: -1}, {Token: 'x', LogProb: -2}}, "token_id:195", lm.TokenScore{Token: 'y', LogProb: -3})
	if len(top) != 3 || top["token_id:195"] != -1 || top["token_id:121"] != -3 {
		t.Errorf("%v", top)
	}
}

// FuzzCompletions: no body makes a panic, an answer that is not JSON, or a failure of the server's own.
func FuzzCompletions(f *testing.F) {
	for _, seed := range []string{
		`{"model":"m","prompt":[[3,4,5]],"temperature":0,"max_tokens":1,"logprobs":1,"seed":1234,"echo":true}`,
		`{"prompt":["Ā","ā"],"stop":["x",""],"max_tokens":2}`, `{"prompt":"\ud800"}`, `{"PROMPT":[1],"prompt":[[2]]}`, `{"prompt":[[1],"a"],"max_tokens":0,"echo":true,"logprobs":5}`, `[[[[`, `{"prompt":[ ]}`, `{"prompt":[ null ]}`, `{"stop":[null],"prompt":"a"}`, `{"max_tokens":1e400,"prompt":"a"}`,
	} {
		f.Add([]byte(seed))
	}
	l, err := lm.New(engine.New(&hashmodel.Backend{}, hashmodel.Vocab), runes{}, lm.Options{MaxLength: 64})
	if err != nil {
		f.Fatal(err)
	}
	s := New(l, runes{}, Options{Model: "m", MaxBody: 1 << 12, Requests: 4, Top: 5, Fault: func(p *rescue.Panic) { panic(fmt.Sprintf("%v\n%s", p.Value, p.Stack)) }})
	ctx, stop := context.WithCancel(context.Background())
	f.Cleanup(stop)
	go s.Run(ctx)
	f.Fuzz(func(t *testing.T, body []byte) {
		r := httptest.NewRequest(http.MethodPost, "/v1/completions", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != 200 && w.Code != 400 && w.Code != 404 && w.Code != 413 || !json.Valid(w.Body.Bytes()) || !utf8.Valid(w.Body.Bytes()) {
			t.Fatalf("status %d: %s", w.Code, w.Body)
		}
	})
}
