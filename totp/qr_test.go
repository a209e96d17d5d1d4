package totp_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image/png"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/totp"
)

const uri = "otpauth://totp/Acme:ann@example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Acme&algorithm=SHA1&digits=6&period=30"

// The three forms show the same modules; that a reader finds the text in them is for the
// tests with real readers, in internal/integration.
func TestQR_FormsShowTheSameModules(t *testing.T) {
	image, err := totp.QRPNG(uri)
	require.NoError(t, err)
	img, err := png.Decode(bytes.NewReader(image))
	require.NoError(t, err)
	require.Less(t, len(image), 4000)
	size := img.Bounds().Dx() / 8
	require.Equal(t, size*8, img.Bounds().Dx())
	require.Equal(t, size*8, img.Bounds().Dy())
	dark := func(x, y int) bool { r, _, _, _ := img.At(x*8+3, y*8+4).RGBA(); return r == 0 }

	svg, err := totp.QRSVG(uri)
	require.NoError(t, err)
	var doc struct {
		XMLName xml.Name `xml:"http://www.w3.org/2000/svg svg"`
		ViewBox string   `xml:"viewBox,attr"`
		Role    string   `xml:"role,attr"`
		Label   string   `xml:"aria-label,attr"`
		Shape   string   `xml:"shape-rendering,attr"`
		Rect    []struct {
			Fill string `xml:"fill,attr"`
		} `xml:"rect"`
		Path []struct {
			Stroke string `xml:"stroke,attr"`
			D      string `xml:"d,attr"`
		} `xml:"path"`
	}
	require.NoError(t, xml.Unmarshal([]byte(svg), &doc))
	require.Len(t, doc.Path, 1)
	require.Len(t, doc.Rect, 1)
	require.Equal(t, []string{"img", "QR code", "crispEdges", "#fff", "#000"},
		[]string{doc.Role, doc.Label, doc.Shape, doc.Rect[0].Fill, doc.Path[0].Stroke})
	require.Equal(t, fmt.Sprintf("0 -.5 %d %[1]d", size), doc.ViewBox)
	require.Less(t, len(svg), 4000)
	drawn := drawPath(t, doc.Path[0].D)

	text, err := totp.QRTerminal(uri)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	require.Len(t, lines, (size+1)/2)

	for y := range size {
		for x := range size {
			r := []rune(lines[y/2])[x]
			light := r == '█' || r == '▀' && y%2 == 0 || r == '▄' && y%2 == 1
			require.Equal(t, dark(x, y), drawn[[2]int{x, y}], "SVG at %d, %d", x, y)
			require.Equal(t, dark(x, y), !light, "terminal at %d, %d", x, y)
			if x < 4 || y < 4 || x >= size-4 || y >= size-4 {
				require.False(t, dark(x, y), "the quiet zone at %d, %d", x, y)
			}
		}
	}
	require.Equal(t, strings.Repeat("▀", size), lines[len(lines)-1],
		"nothing is drawn below the last row")
	require.True(t, dark(4, 4), "the corner of the finder pattern")
}

// drawPath is the modules that a path of runs covers, each exactly once.
func drawPath(t *testing.T, d string) map[[2]int]bool {
	t.Helper()
	drawn := map[[2]int]bool{}
	d, ok := strings.CutPrefix(d, "m")
	require.True(t, ok)
	x, y := 0, 0
	for _, run := range strings.Split(d, "m") {
		var right, down, n int
		_, err := fmt.Sscanf(run, "%d %dh%d", &right, &down, &n)
		require.NoError(t, err)
		x, y = x+right, y+down
		for range n {
			require.False(t, drawn[[2]int{x, y}])
			drawn[[2]int{x, y}] = true
			x++
		}
	}
	return drawn
}

func TestQR_RefusesWhatDoesNotFit(t *testing.T) {
	for length, ok := range map[int]bool{0: false, 1: true, 1536: true, 1537: false,
		1 << 20: false} {
		text := strings.Repeat("x", length)
		image, err := totp.QRPNG(text)
		require.Equal(t, ok, err == nil, length)
		require.Equal(t, ok, image != nil, length)
		svg, svgErr := totp.QRSVG(text)
		require.Equal(t, err, svgErr, length)
		require.Equal(t, ok, svg != "", length)
		terminal, err := totp.QRTerminal(text)
		require.Equal(t, ok, err == nil, length)
		require.Equal(t, ok, terminal != "", length)
	}
	_, err := totp.QRSVG(strings.Repeat("secret", 1000))
	require.NotContains(t, err.Error(), "secret")
}
