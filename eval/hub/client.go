package hub

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Client asks the hub, and downloads into a cache. FromEnv makes one.
type Client struct {
	Cache     Cache
	Endpoint  string        // of the hub or its mirror, without a slash at the end
	Token     string        // sent to Endpoint alone; may be empty
	TokenFrom string        // the variable or file that Token is from
	Offline   string        // the variable that forbids the network; ""
	Stall     time.Duration // without a byte for so long a request is given up; 0: 10 s, as huggingface_hub
	Transport http.RoundTripper
	// Note is told, in a line, what there is to say; Progress how many bytes of all are
	// here. Both may be nil. Calls do not overlap.
	Note     func(string)
	Progress func(done, total int64)

	wait func(context.Context, time.Duration) error // tests do not wait
}

const (
	tries     = 5                // of a request, without headway in between
	longest   = 2 * time.Minute  // that an answer may tell to wait
	headway   = 1 << 20          // bytes that count as some
	redirects = 10               // of one request
	maxReply  = 64 << 20         // bytes of a JSON answer
	replyTime = 2 * time.Minute  // for a JSON answer
	stall     = 10 * time.Second // huggingface_hub's HF_HUB_DOWNLOAD_TIMEOUT
)

var errStalled = errors.New("stalled")

// check refuses what makes every request futile.
func (c *Client) check(r Repo) error {
	if c.Offline != "" {
		return fmt.Errorf("%s is set: unset it to download", c.Offline)
	}
	if c.Cache == "" {
		return errors.New("there is no directory for the hub's cache: set HF_HOME")
	}
	return r.Check()
}

// path is a repository's in the addresses of its page and files.
func (c *Client) path(r Repo) string {
	if r.Kind == Dataset {
		return "datasets/" + r.Name
	}
	return r.Name
}

func (c *Client) note(format string, args ...any) {
	if c.Note != nil {
		c.Note(fmt.Sprintf(format, args...))
	}
}

// body is an answer's that ends with an error where no byte comes for the client's
// time.
type body struct {
	io.ReadCloser
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
	stall  time.Duration
}

func (b *body) Read(p []byte) (int, error) {
	b.timer.Reset(b.stall) // the time it takes to write is not the hub's
	n, err := b.ReadCloser.Read(p)
	b.timer.Stop()
	if err != nil && err != io.EOF {
		err = requestError(b.ctx, b.stall, err)
	}
	return n, err
}

func (b *body) Close() error {
	b.timer.Stop()
	err := b.ReadCloser.Close()
	b.cancel(nil)
	return err
}

// get sends one request, follows its redirects and returns the answer, which is 200
// or, where from is above 0, 206 or 416. The token goes to the hub's own address and
// to none that it sends us to.
func (c *Client) get(ctx context.Context, address string, from int64) (*http.Response, error) {
	limit := c.Stall
	limit = cmp.Or(limit, stall)
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(limit, func() { cancel(errStalled) })
	give := func(err error) (*http.Response, error) {
		timer.Stop()
		cancel(nil)
		return nil, err
	}
	u, err := url.Parse(address)
	if err != nil {
		return give(fmt.Errorf("%q is not an address", address))
	}
	for range redirects {
		resp, err := c.send(ctx, u, from)
		if err != nil {
			return give(requestError(ctx, limit, err))
		}
		switch resp.StatusCode {
		case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
			resp.Body.Close()
			if u, err = c.follow(u, resp.Header.Get("Location")); err != nil {
				return give(err)
			}
			timer.Reset(limit)
			continue
		case http.StatusOK:
		case http.StatusPartialContent, http.StatusRequestedRangeNotSatisfiable:
			if from == 0 {
				resp.Body.Close()
				return give(&statusError{code: resp.StatusCode})
			}
		default:
			resp.Body.Close()
			err := &statusError{code: resp.StatusCode, cause: resp.Header.Get("X-Error-Code"), after: retryAfter(resp.Header.Get("Retry-After"))}
			switch resp.StatusCode {
			case http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
				return give(temporary{err})
			}
			return give(err)
		}
		resp.Body = &body{resp.Body, ctx, cancel, timer, limit}
		return resp, nil
	}
	return give(fmt.Errorf("more than %d redirects", redirects))
}

func (c *Client) send(ctx context.Context, u *url.URL, from int64) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "softbench")
	req.Header.Set("Accept-Encoding", "identity") // hashes are of the bytes as they are
	if from > 0 {
		req.Header.Set("Range", "bytes="+strconv.FormatInt(from, 10)+"-")
	}
	if c.Token != "" && c.own(u) {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	transport := c.Transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	return transport.RoundTrip(req)
}

// own says whether an address is the hub's: the same scheme, host and port.
func (c *Client) own(u *url.URL) bool {
	e, err := url.Parse(c.Endpoint)
	return err == nil && strings.EqualFold(u.Scheme, e.Scheme) && strings.EqualFold(u.Host, e.Host)
}

// follow is where a redirect leads.
func (c *Client) follow(u *url.URL, location string) (*url.URL, error) {
	next, err := u.Parse(location)
	switch {
	case location == "" || err != nil || next.Host == "" || next.Scheme != "http" && next.Scheme != "https":
		return nil, errors.New("the hub redirects to what is not an address")
	case u.Scheme == "https" && next.Scheme != "https":
		return nil, fmt.Errorf("the hub redirects from https to %s://%s, which is not safe", next.Scheme, next.Host)
	}
	return next, nil
}

// requestError is the reason of a failed request, without its address, and whether
// another try is of use.
func requestError(ctx context.Context, limit time.Duration, err error) error {
	if context.Cause(ctx) == errStalled {
		return temporary{fmt.Errorf("no byte came for %v", limit)}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return fmt.Errorf("there is no host %s, or no network here", dns.Name)
	case errors.Is(err, syscall.ECONNREFUSED), errors.As(err, &certificate):
		return err // it will not be otherwise in a moment
	}
	return temporary{err}
}
