package verifiers_test

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/integration/npm"
)

// simpleWebAuthn is @simplewebauthn/server, as a program.
type simpleWebAuthn struct {
	*testing.T
	in  io.Writer
	out *bufio.Reader
}

func newSimpleWebAuthn(t *testing.T) *simpleWebAuthn {
	t.Helper()
	modules := npm.Install(t, "testdata")
	cmd := exec.Command("node", "testdata/verify.mjs", modules)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		require.NoError(t, in.Close())
		require.NoError(t, cmd.Wait())
	})
	return &simpleWebAuthn{t, in, bufio.NewReaderSize(out, 1<<20)}
}

func (s *simpleWebAuthn) verify(list []question) (refusals []string) {
	s.Helper()
	b, err := json.Marshal(list)
	require.NoError(s, err)
	_, err = s.in.Write(append(b, '\n'))
	require.NoError(s, err)
	line, err := s.out.ReadBytes('\n')
	require.NoError(s, err)
	require.NoError(s, json.Unmarshal(line, &refusals))
	require.Len(s, refusals, len(list))
	return refusals
}
