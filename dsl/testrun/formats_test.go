package testrun_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
	"golang.org/x/tools/txtar"

	"github.com/cloudlysis/aggregate/dsl"
	"github.com/cloudlysis/aggregate/dsl/testrun"
)

// failing is the report of a set in which tests fail in every way.
func failing(t *testing.T) *testrun.Report {
	t.Helper()
	ar, err := txtar.ParseFile("testdata/failures.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var sources []dsl.Source
	for _, f := range ar.Files {
		if !strings.HasPrefix(f.Name, "out/") {
			sources = append(sources, dsl.Source{Path: f.Name, Text: f.Data})
		}
	}
	r := testrun.Run(compiled(t, sources...), testrun.Options{})
	if r.Failed() < 10 || r.Failed() == len(r.Results) {
		t.Fatalf("got %d failed of %d, want many and not all", r.Failed(), len(r.Results))
	}
	return r
}

// TestJSONFitsItsSchema: docs/aggc-test.schema.json tells what `--format json` writes.
func TestJSONFitsItsSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../../docs/aggc-test.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	check := func(text string) error {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			return err
		}
		return schema.Validate(v)
	}
	text := render(t, failing(t), testrun.JSON, testrun.WriteOptions{})
	if err := check(text); err != nil {
		t.Error(err)
	}
	if err := check(render(t, &testrun.Report{}, testrun.JSON, testrun.WriteOptions{})); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{strings.Replace(text, `"fail"`, `"broken"`, 1), strings.Replace(text, `"title"`, `"label"`, 1)} {
		if check(bad) == nil {
			t.Error("the schema takes anything")
		}
	}
	var v struct{ Passed, Failed int }
	if err := json.Unmarshal([]byte(text), &v); err != nil || v.Failed < 10 {
		t.Errorf("got %+v, %v", v, err)
	}
}

// TestJUnitReadsBack: a reader of its own finds every test and every failure.
func TestJUnitReadsBack(t *testing.T) {
	r := failing(t)
	var got struct {
		XMLName  xml.Name `xml:"testsuites"`
		Tests    int      `xml:"tests,attr"`
		Failures int      `xml:"failures,attr"`
		Suites   []struct {
			Tests    int `xml:"tests,attr"`
			Failures int `xml:"failures,attr"`
			Cases    []struct {
				Name     string     `xml:"name,attr"`
				Class    string     `xml:"classname,attr"`
				Failures []struct{} `xml:"failure"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	d := xml.NewDecoder(strings.NewReader(render(t, r, testrun.JUnit, testrun.WriteOptions{})))
	d.Strict = true
	if err := d.Decode(&got); err != nil {
		t.Fatal(err)
	}
	cases, failures := 0, 0
	for _, s := range got.Suites {
		n := 0
		for _, c := range s.Cases {
			n += len(c.Failures)
			if c.Name == "" || c.Class == "" {
				t.Errorf("got a case without a name: %+v", c)
			}
		}
		if s.Tests != len(s.Cases) || s.Failures != n {
			t.Errorf("a suite says %d and %d, and has %d and %d", s.Tests, s.Failures, len(s.Cases), n)
		}
		cases, failures = cases+len(s.Cases), failures+n
	}
	if cases != len(r.Results) || got.Tests != cases || failures != r.Failed() || got.Failures != failures {
		t.Errorf("got %d cases and %d failures, want %d and %d", cases, failures, len(r.Results), r.Failed())
	}
}

var tapLine = regexp.MustCompile(`^(not )?ok (\d+) - (.+)$`)

// TestTAPReadsBack: version, plan, points numbered in order, and diagnostics that are YAML.
func TestTAPReadsBack(t *testing.T) {
	r := failing(t)
	lines := strings.Split(strings.TrimSuffix(render(t, r, testrun.TAP, testrun.WriteOptions{}), "\n"), "\n")
	if lines[0] != "TAP version 14" || lines[1] != "1.."+strconv.Itoa(len(r.Results)) {
		t.Fatalf("got %q", lines[:2])
	}
	n, failed := 0, 0
	for i := 2; i < len(lines); i++ {
		m := tapLine.FindStringSubmatch(lines[i])
		if m == nil || m[2] != strconv.Itoa(n+1) {
			t.Fatalf("line %d: got %q, want point %d", i+1, lines[i], n+1)
		}
		n++
		if m[1] == "" {
			continue
		}
		failed++
		from := i + 1
		for i++; i < len(lines) && lines[i] != "  ..."; i++ {
		}
		var diagnosis struct {
			Message string
			At      struct {
				File         string
				Line, Column int
			}
			Details string
		}
		d := yaml.NewDecoder(strings.NewReader(strings.Join(lines[from+1:i], "\n")))
		d.KnownFields(true)
		if err := d.Decode(&diagnosis); err != nil || diagnosis.Message == "" || diagnosis.At.Line == 0 || diagnosis.Details == "" {
			t.Errorf("line %d: got %+v, %v", from+1, diagnosis, err)
		}
	}
	if n != len(r.Results) || failed != r.Failed() {
		t.Errorf("got %d points and %d failed, want %d and %d", n, failed, len(r.Results), r.Failed())
	}
}

// TestFormatsForOthers hands the reports to the readers that others use. It needs npm and the
// network, so it runs with AGG_TEST_ALL=1 only.
func TestFormatsForOthers(t *testing.T) {
	if os.Getenv("AGG_TEST_ALL") != "1" {
		t.Skip("set AGG_TEST_ALL=1 to run readers from npm")
	}
	dir := t.TempDir()
	r := failing(t)
	var lcov bytes.Buffer
	if err := cover(t, compiled(t, corpora(t)["bank"]...), testrun.Options{}).WriteLCOV(&lcov); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"report.tap": render(t, r, testrun.TAP, testrun.WriteOptions{}), "report.xml": render(t, r, testrun.JUnit, testrun.WriteOptions{}),
		"lcov.info": lcov.String(), "read.mjs": readers,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	npm := exec.Command("npm", "install", "--no-audit", "--no-fund", "--prefix", dir, "tap-parser@18.3.4", "xml2js@0.6.2", "lcov-parse@1.0.0")
	if out, err := npm.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	node := exec.Command("node", "read.mjs", strconv.Itoa(len(r.Results)), strconv.Itoa(r.Failed()))
	node.Dir = dir
	if out, err := node.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

const readers = `import { Parser } from "tap-parser";
import xml2js from "xml2js";
import lcov from "lcov-parse";
import fs from "node:fs";
import assert from "node:assert";
const [tests, failed] = process.argv.slice(2).map(Number);
const points = Parser.parse(fs.readFileSync("report.tap", "utf8"), { strict: true }).filter(e => e[0] === "assert");
assert.equal(points.length, tests);
assert.equal(points.filter(e => !e[1].ok).length, failed);
assert.ok(points.filter(e => !e[1].ok).every(e => e[1].diag && e[1].diag.at.line > 0));
const suites = (await xml2js.parseStringPromise(fs.readFileSync("report.xml", "utf8"))).testsuites.testsuite;
assert.equal(suites.flatMap(s => s.testcase).length, tests);
assert.equal(suites.flatMap(s => s.testcase).filter(c => c.failure).length, failed);
lcov("lcov.info", (err, data) => {
  assert.ifError(err);
  assert.equal(data.length, 1);
  assert.ok(data[0].branches.found > 50 && data[0].branches.hit < data[0].branches.found);
  assert.equal(data[0].lines.details.length, data[0].lines.found);
});
`
