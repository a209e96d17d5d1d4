package ui_test

import (
	"sync"
	"testing"
	"testing/fstest"

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

// Texts of the application are checked when it starts. The pages in their languages are copied
// when a user has one of them.
func TestRenderer_PreparesNoLanguageForItsTexts(t *testing.T) {
	own, badge := fstest.MapFS{}, fstest.MapFS{}
	for _, lang := range langs {
		own["texts/"+lang+".json"] = &fstest.MapFile{Data: []byte(`{"back": "Return"}`)}
		badge["texts/"+lang+".json"] = &fstest.MapFile{Data: []byte(`{"name": "Badge"}`)}
	}
	r, err := ui.New(own, ui.Kind{Kind: "badge", Files: badge})
	require.NoError(t, err)
	require.Empty(t, r.Prepared())
	render(t, r, ui.Link{Frame: frame("nl")})
	require.Equal(t, []string{"nl"}, r.Prepared())
}
