package config

import (
	"fmt"
	"io"
	"strings"
)

// Document writes docs/configuration.md.
func Document(w io.Writer) error {
	var b strings.Builder
	b.WriteString("# Settings of aggd\n\n<!-- Generated from internal/config; `make update` rewrites it. -->\n\n" +
		"Precedence: defaults, then the file (`--config FILE`, else `aggregate.yaml` or `aggregate.toml` in the working\n" +
		"directory), then the environment, then flags. A key that is not in this table is an error, and so is a variable\n" +
		"whose name is a slip of one in it. An empty variable counts as absent. `aggd config DIR` prints each value and where it\n" +
		"came from, URLs without passwords; `aggd config check DIR` also looks for the files and addresses that are named.\n\n| key | environment | flag | default | what it is for |\n|---|---|---|---|---|\n")
	for _, r := range Table {
		flag := ""
		if r.Flag != "" {
			flag = "`--" + r.Flag + "`"
		}
		def := ""
		if r.Default != "" {
			def = "`" + r.Default + "`"
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s | %s |\n", r.Key, r.Env, flag, def, r.Doc)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
