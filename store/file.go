package store

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// maxPart is the longest key or value that a file may hold. BuntDB allocates what a length says
// before it reads on, so a damaged length would end the process.
const maxPart = 256 << 20

// inspect tells whether BuntDB can read a file without harm: nil if so, or if there is none. A
// record that is cut at the end is fine, BuntDB cuts it off. BuntDB itself panics on short
// commands, and after zero bytes (a power cut leaves them) it writes to the wrong place.
func inspect(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 1<<16)
	for {
		if _, err := r.Peek(1); err == io.EOF {
			return nil
		}
		if err := record(r); err == io.EOF || err == io.ErrUnexpectedEOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// record reads one command: "*3", then "$3" "set", "$…" key, "$…" value; or "*2" with "del" and key.
func record(r *bufio.Reader) error {
	n, err := length(r, '*')
	if err != nil {
		return err
	}
	name, err := part(r, 8)
	if err != nil {
		return err
	}
	if want := map[string]int{"set": 3, "del": 2, "flushdb": 1}[strings.ToLower(name)]; want != n {
		return fmt.Errorf("%w: command %q with %d parts", errDamaged, name, n)
	}
	for range n - 1 {
		if _, err := part(r, 0); err != nil {
			return err
		}
	}
	return nil
}

// part reads one part and gives its text if it is at most keep bytes long.
func part(r *bufio.Reader, keep int) (string, error) {
	n, err := length(r, '$')
	if err != nil {
		return "", err
	}
	var text string
	if n <= keep {
		b := make([]byte, n)
		if _, err := io.ReadFull(r, b); err != nil {
			return "", err
		}
		text = string(b)
	} else if _, err := r.Discard(n); err != nil {
		return "", err
	}
	var end [2]byte
	if _, err := io.ReadFull(r, end[:]); err != nil {
		return "", err
	}
	if end != [2]byte{'\r', '\n'} {
		return "", fmt.Errorf("%w: a part does not end where its length says", errDamaged)
	}
	return text, nil
}

func length(r *bufio.Reader, sign byte) (int, error) {
	line, err := r.ReadSlice('\n')
	if err == bufio.ErrBufferFull || len(line) > 0 && line[0] != sign {
		return 0, fmt.Errorf("%w: %q expected", errDamaged, sign)
	}
	if err != nil {
		return 0, err
	}
	s := string(line[1:])
	if !strings.HasSuffix(s, "\r\n") {
		return 0, fmt.Errorf("%w: a line does not end in CR LF", errDamaged)
	}
	n, err := strconv.ParseUint(s[:len(s)-2], 10, 31)
	if err != nil || n > maxPart {
		return 0, fmt.Errorf("%w: length %.20q", errDamaged, s)
	}
	return int(n), nil
}
