package customfactor_test

import (
	"encoding/json"
	"io/fs"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/examples/customfactor"
	"github.com/secondgate/secondgate/mfahttp"
)

// Each description has the same texts in each language of the pages.
func TestPages_HaveTheirTextsInEachLanguage(t *testing.T) {
	for _, k := range []mfahttp.Kind{customfactor.TokenPages(), customfactor.ApprovalPages()} {
		keys := func(lang string) []string {
			b, err := fs.ReadFile(k.Files, "texts/"+lang+".json")
			require.NoError(t, err)
			var texts map[string]string
			require.NoError(t, json.Unmarshal(b, &texts))
			return slices.Sorted(maps.Keys(texts))
		}
		for _, lang := range []string{"de", "nb", "nl"} {
			require.Equal(t, keys("en"), keys(lang), "%s in %s", k.Kind, lang)
		}
	}
}
