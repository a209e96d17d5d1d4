package telemetry_test

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/integration/servers"
)

// The rules fire after the time that they are to wait, after a restart too, and for nothing else.
func TestRules_FireWhenTheyAreTo(t *testing.T) {
	promtool := servers.Program(t, "promtool")
	said, err := exec.Command(promtool, "test", "rules", "testdata/rules.test.yml").CombinedOutput()
	require.NoError(t, err, string(said))
}
