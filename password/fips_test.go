package password_test

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/brief"
	"github.com/secondgate/secondgate/password"
	"github.com/secondgate/secondgate/secret"
)

// Where FIPS 140-3 is enforced, argon2id is refused in a sentence, PBKDF2 works, and a
// user with a hash of argon2id is refused with an error and not with a crash.
func TestHasher_UnderEnforcedFIPS(t *testing.T) {
	brief.SkipOneGoroutine(t)
	if old := os.Getenv("PASSWORD_FIPS"); old != "" {
		_, err := password.NewHasher(password.HasherConfig{})
		fmt.Println("argon2id:", err)
		h, err := password.NewHasher(password.HasherConfig{PBKDF2: true})
		if err != nil {
			t.Fatal(err)
		}
		hash, err := h.Hash(t.Context(), secret.New(newPassword))
		fmt.Println("hash:", err)
		fmt.Println("right:", h.Verify(t.Context(), hash, secret.New(newPassword)))
		fmt.Println("wrong:", h.Verify(t.Context(), hash, secret.New(oldPassword)))
		fmt.Println("nobody:", h.Verify(t.Context(), "", secret.New(oldPassword)))
		fmt.Println("rehash:", h.NeedsRehash(old))
		return
	}
	h, err := shared()
	require.NoError(t, err)
	hash, err := h.Hash(t.Context(), secret.New(oldPassword))
	require.NoError(t, err)
	cmd := exec.Command(os.Args[0], "-test.run=^TestHasher_UnderEnforcedFIPS$")
	cmd.Env = append(os.Environ(), "PASSWORD_FIPS="+hash, "GODEBUG=fips140=only")
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, string(output))
	for _, line := range []string{"argon2id: password: FIPS 140-3 is enforced", "hash: <nil>\n",
		"right: <nil>\n",
		"wrong: password: incorrect\n", "nobody: password: incorrect\n", "rehash: true\n"} {
		require.Contains(t, string(output), line)
	}
}
