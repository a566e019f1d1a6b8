package aggdtest

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
)

// Port gives a port of 127.0.0.1 for a server that is stopped and started again on it. It is free, and lies below those
// that systems hand out, so that nobody who asks for any free port gets it while the server is down.
func Port() (int, error) {
	const from, count = 20_000, 10_000
	var errs []error
	for range 100 {
		port := from + rand.IntN(count)
		l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err == nil {
			return port, l.Close()
		}
		errs = append(errs, err)
	}
	return 0, errors.Join(errs...)
}
