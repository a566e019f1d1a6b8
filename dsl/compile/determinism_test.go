package compile_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/bytecode"
	"github.com/cloudlysis/aggregate/dsl/compile"
	"github.com/cloudlysis/aggregate/dsl/value"
	"github.com/cloudlysis/aggregate/engine/vm"
)

// drawnPairs is how many pairs of a state and a command are decided, over drawnManifests.
const (
	drawnPairs     = 10_000
	drawnManifests = 50
)

// askDigest, in the environment, makes the test binary print its digest and do nothing else.
const askDigest = "AGG_TEST_DIGEST"

// TestDeterminism: another process, with one or two threads, and a 32-bit build decide the same
// 10,000 pairs of state and command to the last byte: bytecode, events, states, refusals, gas.
func TestDeterminism(t *testing.T) {
	if os.Getenv(askDigest) != "" {
		fmt.Printf("digest %s\n", digest(t))
		return
	}
	if testing.Short() {
		t.Skip("short")
	}
	want := digest(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, procs := range []int{1, 2} {
		if got := digestOf(t, self, procs); got != want {
			t.Errorf("with GOMAXPROCS=%d: got %s, want %s", procs, got, want)
		}
	}
	if os.Getenv("AGG_TEST_ALL") != "1" {
		return
	}
	small := filepath.Join(t.TempDir(), "compile386.test")
	build := exec.Command("go", "test", "-c", "-o", small, ".")
	build.Env = append(os.Environ(), "GOARCH=386", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got := digestOf(t, small, 2); got != want {
		t.Errorf("with GOARCH=386: got %s, want %s", got, want)
	}
}

func digestOf(t *testing.T, binary string, procs int) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, binary, "-test.run=^TestDeterminism$", "-test.v")
	c.Env = append(os.Environ(), askDigest+"=1", "GOMAXPROCS="+strconv.Itoa(procs))
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	_, rest, ok := strings.Cut(string(out), "digest ")
	if !ok {
		t.Fatalf("no digest in %s", out)
	}
	line, _, _ := strings.Cut(rest, "\n")
	return line
}

// digest is the hash of all that is made of the drawn manifests, states and commands.
func digest(t *testing.T) string {
	h := sha256.New()
	pairs, accepted := 0, 0
	each := drawnPairs / drawnManifests
	if underRace {
		each /= 10
	}
	for seed := uint64(1); seed <= drawnManifests; seed++ {
		r := newRandom(seed)
		res := dsl.Compile([]dsl.Source{{Path: "a.agg", Text: []byte(r.manifest())}}, dsl.Options{})
		if !res.OK {
			t.Fatalf("manifest %d does not compile", seed)
		}
		code := res.Programs[0].Program
		fmt.Fprintf(h, "%x %s\n", bytecode.Encode(code), bytecode.Fingerprint(code))
		for _, b := range compile.RuleBounds(res.Programs[0].Aggregate, code) {
			fmt.Fprintln(h, b.Rule, b.Text())
		}
		p, err := vm.Load(code)
		if err != nil {
			t.Fatal(err)
		}
		m := p.Get()
		for range each {
			text := decided(r, p, m)
			h.Write(text)
			pairs++
			if slices.Contains(strings.Fields(string(text[:min(len(text), 10)])), "accepted") {
				accepted++
			}
		}
		p.Put(m)
	}
	if pairs != each*drawnManifests || accepted < pairs/20 {
		t.Fatalf("%d pairs, %d commands were accepted: that tells little", pairs, accepted)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// decided draws a state and a command, decides it and gives everything that comes of it.
func decided(r *random, p *vm.Program, m *vm.Machine) []byte {
	state, errs := p.DecodeState(r.fields(nil, p.State()))
	if errs != nil {
		return []byte(errs[0].Error())
	}
	cmd := r.IntN(len(p.Code().Commands))
	if errs := m.DecodeCommand(cmd, r.fields(nil, p.CommandDecl(cmd).Fields)); errs != nil {
		return []byte(errs[0].Error())
	}
	ctx := vm.Ctx{AggregateID: value.MakeUUID([16]byte{6: 0x70, 8: 0x80, 15: 1}), CommandID: value.MakeUUID([16]byte{6: 0x70, 8: 0x80, 15: byte(r.IntN(256))}), Version: value.MakeInt(7)}
	ctx.Now, _ = value.TimeOf(time.Date(2030, 1, 2, 3, 4, 5, r.IntN(1e9), time.UTC))
	out := m.Decide(cmd, state, &ctx, true, p.Gas())
	kind := map[vm.Kind]string{vm.Accepted: "accepted", vm.Rejected: "rejected", vm.Faulted: "faulted"}[out.Kind]
	text := fmt.Appendf(nil, "%s %s %q %s %s:%d:%d %d\n", kind, out.Code, out.Message, out.Fault, out.Rule, out.Line, out.Column, out.Gas)
	if out.Kind != vm.Accepted {
		return text
	}
	for i := range m.Events() {
		name, schema := m.EventName(i)
		text = m.AppendEvent(fmt.Appendf(text, "%s@%d ", name, schema), i)
	}
	m.Store(cmd, state)
	text = p.AppendState(text, state, value.Encoder{})
	text, derived := m.AppendDerived(text, state, value.Encoder{})
	return fmt.Appendf(text, " %d\n", derived.Gas)
}
