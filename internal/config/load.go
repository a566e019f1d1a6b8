package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/knadh/koanf/parsers/toml/v2"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"
)

// Value is one setting as it came out, and where from: "default", the file's name, the
// environment variable or the flag.
type Value struct {
	Row
	Text   string
	Origin string
}

// Sources are the layers above the defaults.
type Sources struct {
	File string                           // .yaml, .yml or .toml; empty: none
	Env  func(name string) (string, bool) // such as os.LookupEnv
	// Environ is the whole environment, such as os.Environ(): a name in it that was meant for a
	// setting and is none is an error. Empty: nobody looks.
	Environ []string
	Flags   map[string]string // by key of the table; only those that were given
}

// Load lays the sources over the defaults. The settings are not yet validated. The error joins
// everything that is wrong with a key or the form of a value.
func Load(src Sources) (Settings, []Value, error) {
	fromFile, err := readFile(src.File)
	if err != nil {
		return Settings{}, nil, err
	}
	var (
		s      Settings
		values []Value
		errs   = append(unknown(src.File, fromFile), misnamed(src.Environ)...)
	)
	for _, r := range Table {
		v := pick(r, src, fromFile)
		if v.Text != "" || v.Origin != "default" {
			if err := r.set(&s, v.Text); err != nil {
				errs = append(errs, fmt.Errorf("%s (%s): %w", r.Key, v.Origin, err))
			}
		}
		values = append(values, v)
	}
	return s, values, errors.Join(errs...)
}

// pick takes the uppermost layer that has the setting.
func pick(r Row, src Sources, fromFile map[string]string) Value {
	if t, ok := src.Flags[r.Key]; ok {
		return Value{r, t, "flag"}
	}
	if src.Env != nil {
		if t, ok := src.Env(r.Env); ok && t != "" {
			return Value{r, t, r.Env}
		}
	}
	if t, ok := fromFile[r.Key]; ok {
		return Value{r, t, src.File}
	}
	return Value{r, r.Default, "default"}
}

// readFile gives the leaves of a settings file as text, by dotted key.
func readFile(name string) (map[string]string, error) {
	if name == "" {
		return nil, nil
	}
	var parser koanf.Parser = yaml.Parser()
	switch filepath.Ext(name) {
	case ".yaml", ".yml":
	case ".toml":
		parser = toml.Parser()
	default:
		return nil, fmt.Errorf("%s: a .yaml or .toml file is expected", name)
	}
	k := koanf.New(".")
	if err := k.Load(file.Provider(name), parser); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	// A key written with a dot ("tenancy.ids": …) is the same as one in its section.
	flat := koanf.New(".")
	if err := flat.Load(confmap.Provider(k.All(), "."), nil); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	out := map[string]string{}
	for _, key := range flat.Keys() {
		switch v := flat.Get(key).(type) {
		case nil: // "tls:" with everything below it commented out sets nothing
			if !known(key) {
				out[key] = ""
			}
		case []any:
			return nil, fmt.Errorf("%s: %s: one value is expected, not a list", name, key)
		default:
			out[key] = fmt.Sprint(v)
		}
	}
	return out, nil
}

// known tells whether key is a setting or a section of settings.
func known(key string) bool {
	return slices.ContainsFunc(Table, func(r Row) bool { return r.Key == key || strings.HasPrefix(r.Key, key+".") })
}

// unknown tells the keys that the table does not have.
func unknown(name string, keys map[string]string) []error {
	var errs []error
	for key := range keys {
		if slices.ContainsFunc(Table, func(r Row) bool { return r.Key == key }) {
			continue
		}
		msg := fmt.Sprintf("%s: unknown setting %q", name, key)
		if near := nearest(key); near != "" {
			msg += fmt.Sprintf(": did you mean %q?", near)
		}
		errs = append(errs, errors.New(msg))
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errs
}

// misnamed tells the environment's names that were meant for a setting: one with a slip of two
// letters at most, or one that says a setting's key where its variable has another name. Others
// with our prefix may be anybody's: Kubernetes makes some for a service of that name.
func misnamed(environ []string) []error {
	var errs []error
	for _, e := range environ {
		name, value, _ := strings.Cut(e, "=")
		if !strings.HasPrefix(name, envPrefix) || value == "" || slices.Contains(otherNames, name) || strings.Contains(name, "_SERVICE_") || strings.Contains(name, "_PORT") {
			continue
		}
		if meant := meantBy(name); meant != "" {
			errs = append(errs, fmt.Errorf("environment: unknown setting %s: did you mean %s?", name, meant))
		}
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errs
}

const envPrefix = "AGGREGATE_"

// otherNames are ours and no settings of the daemon.
var otherNames = []string{"AGGREGATE_CONFIG", "AGGREGATE_SERVER", "AGGREGATE_ADMIN", "AGGREGATE_TOKEN", "AGGREGATE_CA", "AGGREGATE_CERT", "AGGREGATE_KEY"}

// meantBy gives the variable that name was meant to be; empty if it is one, or none is near.
func meantBy(name string) string {
	best, near := "", 3
	for _, r := range Table {
		if r.Env == name {
			return ""
		}
		if name == envPrefix+strings.ToUpper(strings.ReplaceAll(r.Key, ".", "_")) {
			best, near = r.Env, 0
		}
		if d := distance(name, r.Env); d < near {
			best, near = r.Env, d
		}
	}
	return best
}

// nearest gives the key with the least edit distance, if it is near enough to be meant.
func nearest(key string) string {
	best, near := "", len(key)/3+2
	for _, r := range Table {
		if d := distance(key, r.Key); d < near {
			best, near = r.Key, d
		}
	}
	return best
}

// distance is the Levenshtein distance in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diag := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diag
			if a[i] != b[j] {
				cost = min(diag, row[j], row[j+1]) + 1
			}
			diag, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
