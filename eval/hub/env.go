package hub

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// DefaultEndpoint is the hub's own address.
const DefaultEndpoint = "https://huggingface.co"

// DefaultCache is the hub's cache of models and datasets, where huggingface_hub keeps
// it: HF_HUB_CACHE, else HF_HOME/hub, XDG_CACHE_HOME/huggingface/hub or
// ~/.cache/huggingface/hub; empty where there is no home directory either.
func DefaultCache() Cache {
	for _, name := range []string{"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"} {
		if dir := envPath(name); dir != "" {
			return Cache(dir)
		}
	}
	if home := home(); home != "" {
		return Cache(filepath.Join(home, "hub"))
	}
	return ""
}

// home is huggingface_hub's HF_HOME.
func home() string {
	if dir := envPath("HF_HOME"); dir != "" {
		return dir
	}
	if dir := envPath("XDG_CACHE_HOME"); dir != "" {
		return filepath.Join(dir, "huggingface")
	}
	if dir, _ := os.UserHomeDir(); dir != "" {
		return filepath.Join(dir, ".cache", "huggingface")
	}
	return ""
}

// envPath is a variable's path with ~ and $NAME put in, as huggingface_hub does.
func envPath(name string) string {
	path := os.Getenv(name)
	if rest, ok := strings.CutPrefix(path, "~"); ok && (rest == "" || os.IsPathSeparator(rest[0])) {
		if dir, err := os.UserHomeDir(); err == nil {
			path = dir + rest
		}
	}
	return os.Expand(path, func(variable string) string {
		if value, ok := os.LookupEnv(variable); ok {
			return value
		}
		return "$" + variable
	})
}

// isTrue is what huggingface_hub takes for yes.
func isTrue(name string) bool {
	return slices.Contains([]string{"1", "ON", "YES", "TRUE"}, strings.ToUpper(os.Getenv(name)))
}

// offline is the variable that forbids the network, "" where none does.
func offline() string {
	for _, name := range []string{"HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"} {
		if isTrue(name) {
			return name
		}
	}
	return ""
}

// FromEnv is a client as the environment sets it: HF_ENDPOINT, HF_TOKEN (or the file
// that huggingface_hub's login writes), HF_HUB_OFFLINE, HF_HUB_DOWNLOAD_TIMEOUT.
func FromEnv() (*Client, error) {
	c := &Client{Cache: DefaultCache(), Endpoint: DefaultEndpoint, Offline: offline()}
	if e := strings.TrimRight(strings.TrimSpace(os.Getenv("HF_ENDPOINT")), "/"); e != "" {
		c.Endpoint = e
	}
	u, err := url.Parse(c.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("HF_ENDPOINT is %q: want an address such as %s", c.Endpoint, DefaultEndpoint)
	}
	if s := os.Getenv("HF_HUB_DOWNLOAD_TIMEOUT"); s != "" {
		seconds, err := strconv.ParseFloat(s, 64)
		if err != nil || !(seconds > 0 && seconds <= 86400) {
			return nil, fmt.Errorf("HF_HUB_DOWNLOAD_TIMEOUT is %q: want a number of seconds", s)
		}
		c.Stall = time.Duration(seconds * float64(time.Second))
	}
	c.Token, c.TokenFrom, err = token()
	return c, err
}

// token is the user's token and where it is from, both empty where there is none. A
// file that cannot be read is not a reason to stop: most repositories need no token.
func token() (value, from string, err error) {
	if isTrue("HF_HUB_DISABLE_IMPLICIT_TOKEN") {
		return "", "", nil
	}
	for _, name := range []string{"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"} {
		if value = strings.TrimSpace(os.Getenv(name)); value != "" {
			from = name
			break
		}
	}
	if value == "" {
		if from = envPath("HF_TOKEN_PATH"); from == "" {
			from = filepath.Join(home(), "token")
		}
		text, err := readSmall(from)
		if value = strings.TrimSpace(text); err != nil || value == "" {
			return "", "", nil
		}
	}
	for _, r := range value {
		if r <= ' ' || r > '~' {
			return "", "", fmt.Errorf("the token in %s holds characters that no token has: set it anew", from)
		}
	}
	return value, from, nil
}
