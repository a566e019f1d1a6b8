package config

import "strings"

// hidden stands where a secret was.
const hidden = "xxxxx"

// Redact gives a URL, or several with commas between, without password, token and query: for
// whatever is printed or logged. It also works on what url.Parse refuses.
func Redact(text string) string {
	parts := strings.Split(text, ",")
	for i, p := range parts {
		parts[i] = redactOne(p)
	}
	return strings.Join(parts, ",")
}

func redactOne(s string) string {
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		return s
	}
	if before, _, asks := strings.Cut(rest, "?"); asks {
		rest = before + "?" + hidden
	}
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		user, _, password := strings.Cut(rest[:at], ":")
		if !password {
			user = "" // nats://TOKEN@host
		}
		rest = strings.TrimPrefix(user+":"+hidden, ":") + rest[at:]
	}
	return scheme + "://" + rest
}

// Shown is Text without what is secret in it.
func (v Value) Shown() string {
	if v.show == nil {
		return v.Text
	}
	return v.show(v.Text)
}
