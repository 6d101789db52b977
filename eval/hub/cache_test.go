package hub

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// The environment's settings are huggingface_hub's, in its order.
func TestEnvironment(t *testing.T) {
	variables := []string{"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH",
		"HF_ENDPOINT", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_IMPLICIT_TOKEN", "HF_HUB_DOWNLOAD_TIMEOUT"}
	home := t.TempDir()
	put(t, filepath.Join(home, "hf", "token"), "hf_file\n")
	put(t, filepath.Join(home, "other"), "hf_other")
	put(t, filepath.Join(home, "broken"), "hf\x00broken")
	for name, c := range map[string]struct {
		env   map[string]string
		cache string
		check func(c *Client) bool
		err   string
	}{
		"nothing":        {nil, home + "/.cache/huggingface/hub", func(c *Client) bool { return c.Endpoint == DefaultEndpoint && c.Token == "" && c.Offline == "" }, ""},
		"HF_HUB_CACHE":   {map[string]string{"HF_HUB_CACHE": "/a", "HF_HOME": "/b"}, "/a", nil, ""},
		"legacy":         {map[string]string{"HUGGINGFACE_HUB_CACHE": "/a", "HF_HOME": "/b"}, "/a", nil, ""},
		"HF_HOME":        {map[string]string{"HF_HOME": "/b", "XDG_CACHE_HOME": "/c"}, "/b/hub", nil, ""},
		"XDG_CACHE_HOME": {map[string]string{"XDG_CACHE_HOME": "/c"}, "/c/huggingface/hub", nil, ""},
		"tilde":          {map[string]string{"HF_HOME": "~/b"}, home + "/b/hub", nil, ""},
		"a variable":     {map[string]string{"HF_HOME": "$XDG_CACHE_HOME/b", "XDG_CACHE_HOME": "/c"}, "/c/b/hub", nil, ""},
		"token":          {map[string]string{"HF_TOKEN": " hf_x\n", "HF_HOME": home + "/hf"}, "", func(c *Client) bool { return c.Token == "hf_x" && c.TokenFrom == "HF_TOKEN" }, ""},
		"token file":     {map[string]string{"HF_HOME": home + "/hf"}, "", func(c *Client) bool { return c.Token == "hf_file" }, ""},
		"token path":     {map[string]string{"HF_HOME": home + "/hf", "HF_TOKEN_PATH": home + "/other"}, "", func(c *Client) bool { return c.Token == "hf_other" }, ""},
		"no token":       {map[string]string{"HF_HOME": home + "/hf", "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"}, "", func(c *Client) bool { return c.Token == "" }, ""},
		"token in lines": {map[string]string{"HF_TOKEN": "hf_x\r\nX: y"}, "", nil, "the token in HF_TOKEN holds characters"},
		"broken token":   {map[string]string{"HF_TOKEN_PATH": home + "/broken"}, "", nil, "holds characters"},
		"mirror":         {map[string]string{"HF_ENDPOINT": "https://mirror.example/hf/"}, "", func(c *Client) bool { return c.Endpoint == "https://mirror.example/hf" }, ""},
		"no address":     {map[string]string{"HF_ENDPOINT": "mirror.example"}, "", nil, "HF_ENDPOINT is"},
		"a file address": {map[string]string{"HF_ENDPOINT": "file:///etc"}, "", nil, "HF_ENDPOINT is"},
		"offline":        {map[string]string{"HF_HUB_OFFLINE": "yes"}, "", func(c *Client) bool { return c.Offline == "HF_HUB_OFFLINE" }, ""},
		"offline too":    {map[string]string{"TRANSFORMERS_OFFLINE": "1"}, "", func(c *Client) bool { return c.Offline == "TRANSFORMERS_OFFLINE" }, ""},
		"not offline":    {map[string]string{"HF_HUB_OFFLINE": "0"}, "", func(c *Client) bool { return c.Offline == "" }, ""},
		"timeout":        {map[string]string{"HF_HUB_DOWNLOAD_TIMEOUT": "2.5"}, "", func(c *Client) bool { return c.Stall == 2500*time.Millisecond }, ""},
		"no timeout":     {map[string]string{"HF_HUB_DOWNLOAD_TIMEOUT": "soon"}, "", nil, "HF_HUB_DOWNLOAD_TIMEOUT"},
		"NaN timeout":    {map[string]string{"HF_HUB_DOWNLOAD_TIMEOUT": "NaN"}, "", nil, "HF_HUB_DOWNLOAD_TIMEOUT"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("HOME", home)
			if runtime.GOOS == "windows" {
				t.Setenv("USERPROFILE", home)
			}
			for _, v := range variables {
				t.Setenv(v, c.env[v])
			}
			got, err := FromEnv()
			switch {
			case c.err != "":
				if err == nil || !strings.Contains(err.Error(), c.err) || strings.Contains(err.Error(), "hf_x") {
					t.Errorf("%v, want %q", err, c.err)
				}
			case err != nil:
				t.Error(err)
			case c.cache != "" && filepath.ToSlash(string(got.Cache)) != filepath.ToSlash(c.cache):
				t.Errorf("cache %s, want %s", got.Cache, c.cache)
			case c.check != nil && !c.check(got):
				t.Errorf("%+v", got)
			}
		})
	}
}

// Which snapshot a name stands for, and what cannot be told.
func TestSnapshots(t *testing.T) {
	a, b := strings.Repeat("a", 40), strings.Repeat("b", 40)
	for name, c := range map[string]struct {
		files    map[string]string
		revision string
		want     string // below snapshots; "": none
		err      string
	}{
		"none":                   {nil, Main, "", ""},
		"main":                   {map[string]string{"refs/main": a, "snapshots/" + a + "/x": "", "snapshots/" + b + "/x": ""}, Main, a, ""},
		"a blank line":           {map[string]string{"refs/main": a + "\n", "snapshots/" + a + "/x": ""}, Main, a, ""},
		"a branch":               {map[string]string{"refs/main": a, "refs/step1": b, "snapshots/" + a + "/x": "", "snapshots/" + b + "/x": ""}, "step1", b, ""},
		"a pull request":         {map[string]string{"refs/refs/pr/1": b, "snapshots/" + b + "/x": ""}, "refs/pr/1", b, ""},
		"a commit":               {map[string]string{"refs/main": a, "snapshots/" + b + "/x": ""}, b, b, ""},
		"the only one":           {map[string]string{"snapshots/" + b + "/x": ""}, Main, b, ""},
		"the only one's another": {map[string]string{"refs/step1": b, "snapshots/" + b + "/x": ""}, Main, "", ""},
		"moved":                  {map[string]string{"refs/main": a, "snapshots/" + b + "/x": ""}, Main, b, ""},
		"two":                    {map[string]string{"snapshots/" + a + "/x": "", "snapshots/" + b + "/x": ""}, Main, "", "2 snapshots and no refs/main"},
		"no such branch":         {map[string]string{"refs/main": a, "snapshots/" + a + "/x": ""}, "step1", "", ""},
		"outside":                {map[string]string{"refs/main": "../../../etc"}, Main, "", "is not a commit"},
		"absolute":               {map[string]string{"refs/main": "/etc"}, Main, "", "is not a commit"},
		"slashes":                {map[string]string{"refs/main": "aaaaaaa/bbbbbbb"}, Main, "", "is not a commit"},
		"empty":                  {map[string]string{"refs/main": ""}, Main, "", "is not a commit"},
		"long":                   {map[string]string{"refs/main": strings.Repeat("a", 5000)}, Main, "", "at most"},
		"a directory":            {map[string]string{"refs/main/x": ""}, Main, "", "not a file"},
		"a file for a directory": {map[string]string{"refs": ""}, Main, "", "refs"},
		"a revision outside":     {map[string]string{"refs/main": a}, "../../x", "", "not a revision"},
	} {
		t.Run(name, func(t *testing.T) {
			cache := Cache(t.TempDir())
			for path, text := range c.files {
				put(t, filepath.Join(cache.Repo(model), filepath.FromSlash(path)), text)
			}
			dirs, err := cache.Snapshots(model, c.revision)
			switch {
			case c.err != "":
				if err == nil || !strings.Contains(err.Error(), c.err) || strings.Contains(err.Error(), "\n") {
					t.Errorf("%v, want %q", err, c.err)
				}
			case err != nil:
				t.Error(err)
			case (c.want == "") != (len(dirs) == 0) || c.want != "" && filepath.Base(dirs[0]) != c.want:
				t.Errorf("%q, want %q", dirs, c.want)
			}
		})
	}
}

// A cache that cannot be read is told from one that lacks the repository.
func TestUnreadableCache(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	put(t, file, "")
	var unread *Unreadable
	if _, err := Cache(file).Snapshots(model, Main); !errors.As(err, &unread) || !strings.Contains(err.Error(), file) {
		t.Errorf("%v", err)
	}
	if m := Cache(file).Models(); len(m) > 0 {
		t.Error(m)
	}
}

func TestModels(t *testing.T) {
	cache := Cache(t.TempDir())
	a := strings.Repeat("a", 40)
	for _, folder := range []string{"models--org--b", "models--org--a", "models--gpt2", "datasets--org--c", "models--..--x", "models--", "other"} {
		put(t, filepath.Join(string(cache), folder, "refs", "main"), a)
		put(t, filepath.Join(string(cache), folder, "snapshots", a, "x"), "")
	}
	put(t, filepath.Join(string(cache), "models--org--empty", "refs", "main"), a)
	var names []string
	for _, r := range cache.Models() {
		names = append(names, r.Name)
	}
	if got := strings.Join(names, " "); got != "gpt2 org/a org/b" {
		t.Errorf("%q", got)
	}
}
