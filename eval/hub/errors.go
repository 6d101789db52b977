package hub

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// statusError is an answer of the hub that is not what was asked for.
type statusError struct {
	code  int
	cause string // the hub's own word for it: GatedRepo, RepoNotFound, RevisionNotFound
	after time.Duration
}

func (e *statusError) Error() string {
	return fmt.Sprintf("the hub answered %d %s", e.code, http.StatusText(e.code))
}

// IsNotFound says whether err is the hub's answer that there is no such repository,
// revision or file.
func IsNotFound(err error) bool {
	var status *statusError
	return errors.As(err, &status) && status.code == http.StatusNotFound
}

// temporary is an error that may not come again.
type temporary struct{ error }

func (t temporary) Unwrap() error { return t.error }

// explain adds to a refusal what the user can do about it.
func (c *Client) explain(r Repo, err error) error {
	var status *statusError
	if !errors.As(err, &status) {
		return err
	}
	page := c.Endpoint + "/" + c.path(r)
	var hint string
	switch {
	case status.cause == "DisabledRepo":
		hint = "the hub has disabled it: see " + page
	case status.cause == "GatedRepo" && c.Token == "":
		hint = "it is gated: accept its conditions at " + page + " and set HF_TOKEN to a token of that account"
	case status.cause == "GatedRepo":
		hint = "it is gated: the account of the token in " + c.TokenFrom + " was not granted access; ask for it at " + page
	case status.cause == "RevisionNotFound":
		hint = "it has no such revision: see " + page + "/tree/main for its branches and tags"
	case status.code == http.StatusUnauthorized && c.Token == "":
		hint = "there is no such " + string(r.Kind) + ", or it is private or gated: check the name, or set HF_TOKEN to a token that may read it"
	case status.code == http.StatusUnauthorized:
		hint = "the hub does not take the token in " + c.TokenFrom + ", or there is no such " + string(r.Kind) + ": check the name, or set HF_TOKEN anew"
	case status.code == http.StatusForbidden && c.Token == "":
		hint = "it is gated or private: accept its conditions at " + page + " and set HF_TOKEN to a token of that account"
	case status.code == http.StatusForbidden:
		hint = "the token in " + c.TokenFrom + " may not read it: accept its conditions at " + page + ", or use a token that may read gated repositories"
	case status.code == http.StatusNotFound:
		hint = "check the name and the revision; a private " + string(r.Kind) + " needs HF_TOKEN"
	case status.code == http.StatusTooManyRequests && c.Token == "":
		hint = "too many requests from here: try later, or set HF_TOKEN, with which the hub allows more"
	case status.code == http.StatusTooManyRequests || status.code >= 500:
		hint = "try again later: what is downloaded is kept"
	default:
		return err
	}
	return fmt.Errorf("%w: %s", err, hint)
}
