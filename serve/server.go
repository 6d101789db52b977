package serve

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log"
	"mime"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/softbench/softbench/internal/rescue"
	"github.com/softbench/softbench/lm"
)

// Tokenizer is what a server needs of one, beside what lm does. Failures are returned: one text
// that cannot be encoded says nothing of the next.
type Tokenizer interface {
	TryEncode(text string, addSpecial bool) ([]int32, error)
	TryDecode(ids []int32, skipSpecial bool) (string, error)
}

// Options of a Server.
type Options struct {
	Model    string // its name in requests and answers
	Token    string // that requests must carry; "" for none
	MaxBody  int64  // bytes of a request's body
	Requests int    // that are read or computed at once; others wait
	// Loopback: the server can be reached from this machine alone, and requests must name it so.
	// A page in a browser that has another name point here is refused by that.
	Loopback bool
	Top      int // candidates that the device gives
	Run      lm.RunOptions
	Fault    func(*rescue.Panic) // told of a fault of softbench, which ends a request and no more
}

// Server answers /v1/completions and /v1/models. Run must be running.
type Server struct {
	lm      *lm.LM
	tok     Tokenizer
	options Options
	started time.Time
	queue   chan *job
	stopped chan struct{} // closed as Run ends
	room    chan struct{} // as many as requests may be in hand
	number  atomic.Int64
	mux     *http.ServeMux
	body    time.Duration // in which a body must come, once there is room for its request
}

// New makes a server of a model.
func New(l *lm.LM, tok Tokenizer, o Options) *Server {
	s := &Server{lm: l, tok: tok, options: o, started: time.Now(), queue: make(chan *job), stopped: make(chan struct{}), room: make(chan struct{}, o.Requests), mux: http.NewServeMux(), body: time.Minute}
	s.mux.HandleFunc("/v1/completions", only(http.MethodPost, s.completions))
	s.mux.HandleFunc("/v1/models", only(http.MethodGet, s.models))
	s.mux.HandleFunc("/v1/models/{name...}", only(http.MethodGet, s.model))
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		(&failure{http.StatusNotFound, fmt.Sprintf("%s is not here: this server has /v1/completions and /v1/models", r.URL.Path), "", "not_found"}).write(w)
	})
	return s
}

// only lets one method through.
func only(method string, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != method && (method != http.MethodGet || r.Method != http.MethodHead) {
			w.Header().Set("Allow", method)
			(&failure{http.StatusMethodNotAllowed, fmt.Sprintf("%s %s: want %s", r.Method, r.URL.Path, method), "", "method_not_allowed"}).write(w)
			return
		}
		h(w, r)
	}
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if f := s.admit(r); f != nil {
		if f.status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", "Bearer")
		}
		f.write(w)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// admit says why a request is not heard at all; nil where it is.
func (s *Server) admit(r *http.Request) *failure {
	if s.options.Loopback && !namesLoopback(r.Host) {
		return &failure{http.StatusForbidden, fmt.Sprintf("the host %q is not this machine's own name: ask localhost or 127.0.0.1", r.Host), "", "forbidden"}
	}
	if s.options.Token == "" {
		return nil
	}
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(s.options.Token))
	if !ok || subtle.ConstantTimeCompare(a[:], b[:]) != 1 {
		return &failure{http.StatusUnauthorized, "the request does not carry the server's token: want the header Authorization: Bearer TOKEN", "", "invalid_api_key"}
	}
	return nil
}

// namesLoopback: a Host header is what stands for this machine itself.
func namesLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

type modelEntry struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	OwnedBy string `json:"owned_by"`
	// MaxModelLen is the model's context in tokens, by the name that other servers give it.
	MaxModelLen int `json:"max_model_len"`
}

func (s *Server) entry() modelEntry {
	return modelEntry{s.options.Model, "model", s.started.Unix(), "softbench", s.lm.MaxLength()}
}

func (s *Server) models(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, struct {
		Object string       `json:"object"`
		Data   []modelEntry `json:"data"`
	}{"list", []modelEntry{s.entry()}})
}

func (s *Server) model(w http.ResponseWriter, r *http.Request) {
	if name := r.PathValue("name"); name != s.options.Model {
		(&failure{http.StatusNotFound, fmt.Sprintf("the model %q is not here: this server has %q", name, s.options.Model), "model", "model_not_found"}).write(w)
		return
	}
	writeJSON(w, http.StatusOK, s.entry())
}

func (s *Server) completions(w http.ResponseWriter, r *http.Request) {
	select {
	case s.room <- struct{}{}:
		defer func() { <-s.room }()
	case <-s.stopped:
		errStopping.write(w)
		return
	case <-r.Context().Done():
		return
	}
	// The wait for room was not the client's: its body may still be on the way.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(s.body))
	var out *answered
	err := rescue.Try(func() (err error) { out, err = s.complete(w, r); return err })
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Minute)) // for who does not read
	var fault *rescue.Panic
	if errors.As(err, &fault) {
		err = s.fault(fault)
	}
	var f *failure
	switch {
	case err == nil:
		writeJSON(w, http.StatusOK, out)
	case errors.As(err, &f):
		f.write(w)
	case r.Context().Err() != nil: // nobody hears it
	default:
		(&failure{http.StatusInternalServerError, err.Error(), "", "computation_failed"}).write(w)
	}
}

// fault tells of a fault of softbench, and makes the answer of the request that met it.
func (s *Server) fault(p *rescue.Panic) *failure {
	s.options.Fault(p)
	return &failure{http.StatusInternalServerError, fmt.Sprintf("this is a fault of softbench: %v", p.Value), "", "fault"}
}

func (s *Server) complete(w http.ResponseWriter, r *http.Request) (*answered, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, &failure{http.StatusUnsupportedMediaType, fmt.Sprintf("the body's Content-Type is %q: want application/json", r.Header.Get("Content-Type")), "", "unsupported_media_type"}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.options.MaxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, &failure{http.StatusRequestEntityTooLarge, fmt.Sprintf("the body has more than %d bytes: split the request, or start the server with a larger --max-body", large.Limit), "", "request_too_large"}
	case err != nil:
		return nil, bad("", "the body could not be read: %v", err)
	}
	c, f := parse(body)
	if f != nil {
		return nil, f
	}
	a, f := c.check(s.options.Model, s.options.Top)
	if f != nil {
		return nil, f
	}
	if f := s.read(c, a); f != nil {
		return nil, f
	}
	answers, err := s.submit(r.Context(), a)
	if err != nil {
		return nil, err
	}
	out := &answered{ID: fmt.Sprintf("cmpl-%d", s.number.Add(1)), Object: "text_completion", Created: time.Now().Unix(), Model: s.options.Model}
	out.Choices, out.Usage = s.choices(a, answers)
	return out, nil
}

// waiting bounds the connections beside the requests in hand.
const waiting = 1024

// Serve answers connections to l until ctx ends, and closes l; nil where it ended so.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	h := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       s.body,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          log.New(io.Discard, "", 0), // of connections that break
	}
	ended := make(chan error, 1)
	go func() { ended <- h.Serve(bounded(l, s.options.Requests+waiting)) }()
	computed := make(chan struct{})
	go func() { defer close(computed); s.Run(ctx) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	<-computed // what was under way has been told that the server stops
	last, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	if h.Shutdown(last) != nil {
		_ = h.Close()
	}
	return nil
}

// bounded is a listener with so many connections at once; more wait in the system's own queue.
func bounded(l net.Listener, most int) net.Listener {
	return &boundedListener{l, make(chan struct{}, most), make(chan struct{})}
}

type boundedListener struct {
	net.Listener
	room   chan struct{}
	closed chan struct{}
}

func (l *boundedListener) Accept() (net.Conn, error) {
	select {
	case l.room <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.room
		return nil, err
	}
	return &boundedConn{Conn: c, leave: func() { <-l.room }}, nil
}

func (l *boundedListener) Close() error {
	select {
	case <-l.closed:
	default:
		close(l.closed)
	}
	return l.Listener.Close()
}

type boundedConn struct {
	net.Conn
	left  atomic.Bool
	leave func()
}

func (c *boundedConn) Close() error {
	err := c.Conn.Close()
	if c.left.CompareAndSwap(false, true) {
		c.leave()
	}
	return err
}
