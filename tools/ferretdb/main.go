// Command ferretdb serves the protocol of MongoDB, for the tests of package mongostore. It does one
// command after the other. FerretDB alone reads a document and writes it in two steps,
// so that two conditional updates at once both succeed.
package main

import (
	"context"
	"encoding/binary"
	"io"
	"log"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"

	"github.com/FerretDB/FerretDB/ferretdb"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: ferretdb address directory")
	}
	if err := serve(os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
}

// serve passes commands from addr to FerretDB, which has its data and its socket in a directory.
func serve(addr, dir string) error {
	socket := filepath.Join(dir, "socket")
	db, err := ferretdb.New(&ferretdb.Config{Listener: ferretdb.ListenerConfig{Unix: socket},
		Handler: "sqlite", SQLiteURL: "file:" + dir + "/", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	go func() { log.Fatal("it ended: ", db.Run(context.Background())) }()
	clients, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	var turn sync.Mutex
	for {
		client, err := clients.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer func() { _ = client.Close() }()
			server, err := net.Dial("unix", socket)
			if err != nil {
				return // the client tries again
			}
			defer func() { _ = server.Close() }()
			for err == nil {
				err = exchange(client, server, &turn)
			}
		}()
	}
}

// exchange passes one command and its reply, in a turn of their own.
func exchange(client, server io.ReadWriter, turn *sync.Mutex) error {
	command, err := message(client)
	if err != nil {
		return err
	}
	turn.Lock()
	var reply []byte
	if _, err = server.Write(command); err == nil {
		reply, err = message(server)
	}
	turn.Unlock()
	if err == nil {
		_, err = client.Write(reply)
	}
	return err
}

// message reads a message, which begins with its length.
func message(from io.Reader) ([]byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(from, length[:]); err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint32(length[:])
	if n < 16 || n > 48<<20 {
		return nil, io.ErrUnexpectedEOF
	}
	m := append(make([]byte, 0, n), length[:]...)
	_, err := io.ReadFull(from, m[4:n])
	return m[:n], err
}
