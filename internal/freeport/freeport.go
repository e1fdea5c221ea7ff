// Package freeport finds addresses for servers of tests. They lie below the range that systems take for outgoing
// connections, so that a server that is stopped for a while finds its port free again.
package freeport

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

const (
	lowest  = 20_000
	highest = 32_000
	tries   = 100
)

// Address returns a free address of 127.0.0.1, as host:port.
func Address() (string, error) {
	for range tries {
		address := fmt.Sprintf("127.0.0.1:%d", lowest+rand.IntN(highest-lowest))
		if listener, err := net.Listen("tcp", address); err == nil {
			return address, listener.Close()
		}
	}
	return "", errors.New("no free port found between 20000 and 32000")
}
