package client

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPayload(t *testing.T) {
	f := filepath.Join(t.TempDir(), "lines.json")
	if err := os.WriteFile(f, []byte("[{\"sku\": \"a\"}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		args []string
		want string
	}{
		{nil, `{"type":"c"}`},
		{[]string{"amount=75", "x=0.10", "n=9007199254740993"}, `{"type":"c","amount":75,"x":0.10,"n":9007199254740993}`},
		{[]string{"owner=ann", `q="75"`, "ok=true", "none=null"}, `{"type":"c","owner":"ann","q":"75","ok":true,"none":null}`},
		{[]string{"owner:=75", "eq=a=b", "empty="}, `{"type":"c","owner":"75","eq":"a=b","empty":""}`},
		{[]string{"lines=@" + f}, `{"type":"c","lines":[{"sku": "a"}]}`},
		{[]string{"bad=1e"}, `{"type":"c","bad":"1e"}`},
	}
	for _, tt := range tests {
		got, err := Payload("c", tt.args)
		if err != nil || string(got) != tt.want {
			t.Errorf("%v: got %s, %v, want %s", tt.args, got, err, tt.want)
		}
	}
	for _, bad := range []string{"amount", "=1", "x=@/nowhere"} {
		if got, err := Payload("c", []string{bad}); err == nil {
			t.Errorf("%s: got %s, want an error", bad, got)
		}
	}
}

func TestClient(t *testing.T) {
	var got *http.Request
	var body []byte
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		if strings.HasSuffix(r.URL.Path, "/none") {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = w.Write([]byte(`{"n":9007199254740993}`))
	}))
	defer srv.Close()
	c := New(srv.URL+"/", "acme")
	v := uint64(3)
	out, err := c.Submit(t.Context(), Command{Type: "Account", ID: "a/b", Payload: []byte(`{}`), CommandID: "k", Version: &v, Roles: []string{"x", "y"}, Meta: map[string]string{"src": "atm"}})
	if err != nil || string(out) != `{"n":9007199254740993}` || string(body) != `{}` {
		t.Fatalf("got %s, %v, sent %s", out, err, body)
	}
	if got.URL.EscapedPath() != "/v1/aggregates/Account/a%2Fb/commands" || got.Header.Get("X-Tenant-Id") != "acme" || got.Header.Get("If-Match") != "3" ||
		got.Header.Get("X-Roles") != "x,y" || got.Header.Get("X-Meta-Src") != "atm" || got.Header.Get("Idempotency-Key") != "k" {
		t.Errorf("got %s %v", got.URL.EscapedPath(), got.Header)
	}
	if _, err = c.Events(t.Context(), "Account", "x", 7); err != nil || got.URL.RawQuery != "after=7" {
		t.Errorf("got %v, %v", got.URL, err)
	}
	if out, err = c.State(t.Context(), "Account", "none"); !errors.Is(err, ErrRefused) || len(out) == 0 {
		t.Errorf("got %s, %v, want ErrRefused with the body", out, err)
	}
	if _, err = New("http://127.0.0.1:1", "").State(t.Context(), "A", "b"); err == nil || !strings.Contains(err.Error(), "aggd serve") {
		t.Errorf("got %v, want a hint", err)
	}
}

func TestServerWithoutScheme(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("{}")) }))
	defer srv.Close()
	if b, err := New(strings.TrimPrefix(srv.URL, "http://"), "").State(t.Context(), "Account", "x"); err != nil || string(b) != "{}" {
		t.Errorf("got %s, %v", b, err)
	}
}
