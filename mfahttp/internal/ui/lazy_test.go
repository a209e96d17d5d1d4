package ui_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfahttp/internal/ui"
)

// A language is prepared when it is first asked for, by whichever requests come at once.
func TestRenderer_PreparesALanguageOnce(t *testing.T) {
	r := newUI(t)
	require.Empty(t, r.Prepared(), "a language that no user has costs nothing")
	var wg sync.WaitGroup
	for range 4 {
		for _, lang := range langs {
			wg.Go(func() { render(t, r, ui.Link{Frame: frame(lang)}) })
		}
	}
	wg.Wait()
	require.ElementsMatch(t, langs, r.Prepared())
}
