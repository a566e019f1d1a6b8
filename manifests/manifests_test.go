package manifests

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/cloudlysis/aggregate"
)

const account = `aggregate Account {
  enum Kind { fast, slow }
  record Part { n: int }
  state { balance: int }
  command deposit { amount: int }
  event deposited { amount: int, kind: Kind = fast, part: Part?, tags: list<string<20>, 5> = [] }
  decide deposit { emit deposited { amount: cmd.amount } }
  apply deposited { state.balance += event.amount }
}
`

func dir(files ...string) fstest.MapFS {
	m := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		m[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	return m
}

func TestLoad(t *testing.T) {
	fsys := dir("bank/account.agg", account, "bank/account_test.agg", "test \"x\" for Account {\n when deposit { amount: 1 }\n then emit deposited { amount: 1 }\n}\n", "notes.txt", "x")
	set, err := Load(fsys, Options{Version: "0.1.0"})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(set.Hash, "sha256:") || len(set.Hash) != 71 || set.Engine != "0.1.0/1" {
		t.Errorf("hash %q, engine %q", set.Hash, set.Engine)
	}
	if p := set.Programs["Account"]; p == nil || p.Name() != "Account" || len(set.Types()) != 1 {
		t.Errorf("programs: %v", set.Programs)
	}
	if len(set.Sources) != 1 || string(set.Sources["bank/account.agg"]) != account {
		t.Errorf("sources: %v; want those that decide, without tests", set.Sources)
	}
}

func TestLoadReportsEverythingThatIsWrong(t *testing.T) {
	for name, fsys := range map[string]fstest.MapFS{
		"nothing there":   dir("readme.md", "x"),
		"unknown field":   dir("a.agg", strings.Replace(account, "state.balance +=", "state.balnce +=", 1)),
		"no aggregate":    dir("manifests.yaml", "aggregates: [{type: Order, manifest: a.agg}]", "a.agg", account),
		"type twice":      dir("a.agg", account, "b.agg", account),
		"broken test":     dir("a.agg", account, "a_test.agg", `test "x" for Account { when nonsense {} then nothing }`),
		"index malformed": dir("manifests.yaml", "aggregates: 5", "a.agg", account),
	} {
		_, err := Load(fsys, Options{Cache: NewCache()})
		var e *Error
		if !errors.As(err, &e) || len(e.Diagnostics) == 0 || !strings.Contains(err.Error(), "cannot be used: ") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestT6_4ProgramsAreCachedByHash(t *testing.T) {
	c := NewCache()
	load := func(version, text string) *Set {
		t.Helper()
		set, err := Load(dir("a.agg", text), Options{Version: version, Cache: c})
		if err != nil {
			t.Fatal(err)
		}
		return set
	}
	first := load("1", account)
	if load("1", account) != first {
		t.Error("the same text was compiled twice")
	}
	if other := load("1", account+"\n"); other == first || other.Hash == first.Hash {
		t.Error("another text is the same set")
	}
	if other := load("2", account); other == first || other.Hash != first.Hash {
		t.Error("another version of the engine takes the old one's programs, or changes the hash of the sources")
	}
	for i := range cacheSets {
		load("1", account+strings.Repeat("\n", i+2))
	}
	if load("1", account) == first {
		t.Error("the cache keeps everything")
	}
	if len(c.sets) != cacheSets || len(c.keys) != cacheSets {
		t.Errorf("%d sets, %d keys, want %d", len(c.sets), len(c.keys), cacheSets)
	}
}

func TestReloadSwapsWholeSetsOnly(t *testing.T) {
	fsys := dir("a.agg", account)
	r, err := Open(fsys, Options{Version: "1"})
	if err != nil {
		t.Fatal(err)
	}
	first := r.Current()
	var accepted []string
	accept := func(s *Set) error { accepted = append(accepted, s.Hash); return nil }
	if set, err := r.Reload(Reload{Accept: accept}); err != nil || set != first || len(accepted) != 0 {
		t.Errorf("nothing changed: got %v, %v, accepted %v", set, err, accepted)
	}

	fsys["a.agg"].Data = []byte(strings.Replace(account, "cmd.amount", "cmd.amont", 1))
	fsys["b.agg"] = &fstest.MapFile{Data: []byte("aggregate Other { state { n: int } }\n")}
	var e *Error
	if _, err := r.Reload(Reload{Accept: accept}); !errors.As(err, &e) || r.Current() != first {
		t.Errorf("a broken set: got %v", err)
	}

	fsys["a.agg"].Data = []byte(strings.Replace(account, "amount: cmd.amount", "amount: cmd.amount + 1", 1))
	refuse := errors.New("the log is away")
	if _, err := r.Reload(Reload{Accept: func(*Set) error { return refuse }}); !errors.Is(err, refuse) || r.Current() != first {
		t.Errorf("a set that is not accepted: got %v", err)
	}
	second, err := r.Reload(Reload{Accept: accept})
	if err != nil || r.Current() != second || len(second.Programs) != 2 || len(accepted) != 1 || accepted[0] != second.Hash {
		t.Errorf("got %v, %v, accepted %v", second, err, accepted)
	}

	delete(fsys, "b.agg")
	fsys["a.agg"].Data = []byte(account)
	if back, err := r.Reload(Reload{}); err != nil || back != first {
		t.Errorf("back to the first: got %v, %v, want what was compiled then", back, err)
	}
}

func TestReloadKeepsStoredEventsReadable(t *testing.T) {
	for _, tt := range []struct{ name, old, new, want string }{
		{"an event is gone", account, strings.NewReplacer("event deposited {", "event paid {", "emit deposited", "emit paid", "apply deposited", "apply paid").Replace(account), "event deposited@1 is not declared"},
		{"a field is gone", account, strings.Replace(account, ", kind: Kind = fast", "", 1), "field kind is gone"},
		{"a field is new", account, strings.Replace(strings.Replace(account, "event deposited { amount: int", "event deposited { amount: int, note: string", 1), "amount: cmd.amount }", "amount: cmd.amount, note: \"\" }", 1), "field note is new"},
		{"a field is new with a default", account, strings.Replace(account, "kind: Kind = fast", "kind: Kind = fast, note: string = \"\"", 1), ""},
		{"another type", account, strings.NewReplacer("{ amount: int,", "{ amount: int, other: int? ,", "kind: Kind = fast", "kind: string = \"\"").Replace(account), "field kind has another type"},
		{"int to decimal", account, strings.NewReplacer("event deposited { amount: int", "event deposited { amount: decimal", "balance: int", "balance: decimal").Replace(account), ""},
		{"a member is gone", account, strings.Replace(account, "{ fast, slow }", "{ fast, medium }", 1), `has lost the member "slow"`},
		{"a member is new", account, strings.Replace(account, "{ fast, slow }", "{ slow, fast, medium }", 1), ""},
		{"a record's field is new", account, strings.Replace(account, "record Part { n: int }", "record Part { n: int, m: string }", 1), "field part is a record whose field m is new"},
		{"a bound is smaller", account, strings.Replace(account, "string<20>, 5", "string<20>, 4", 1), "has the smaller bound 4"},
		{"an inner bound is smaller", account, strings.Replace(account, "string<20>, 5", "string<10>, 9", 1), "has the smaller bound 10"},
		{"a type is gone", account + "aggregate Other { state { n: int } }\n", account, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.old == tt.new {
				t.Fatal("the test changes nothing")
			}
			fsys := dir("a.agg", tt.old)
			r, err := Open(fsys, Options{})
			if err != nil {
				t.Fatal(err)
			}
			fsys["a.agg"].Data = []byte(tt.new)
			_, err = r.Reload(Reload{})
			if tt.want == "" {
				if err != nil {
					t.Errorf("got %v", err)
				}
				return
			}
			var e *Error
			if !errors.As(err, &e) || len(e.Problems) != 1 || !strings.Contains(e.Problems[0], tt.want) {
				t.Fatalf("got %v, want %q", err, tt.want)
			}
			if set, err := r.Reload(Reload{Force: true}); err != nil || r.Current() != set {
				t.Errorf("forced: got %v", err)
			}
		})
	}
}

func TestReloadsSideBySide(t *testing.T) {
	r, err := Open(dir("a.agg", account), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := r.Reload(Reload{}); err != nil || r.Current().Programs[aggregate.Type("Account")] == nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
