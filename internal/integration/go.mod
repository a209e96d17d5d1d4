module github.com/secondgate/secondgate/internal/integration

go 1.26.0

require (
	github.com/chromedp/chromedp v0.16.0
	github.com/secondgate/secondgate v0.0.0
	github.com/stretchr/testify v1.12.1
	modernc.org/sqlite v1.61.1
)

replace github.com/secondgate/secondgate => ../../
