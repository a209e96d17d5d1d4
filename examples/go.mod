module github.com/secondgate/secondgate/examples

go 1.26.0

require (
	github.com/alexedwards/scs/v2 v2.9.0
	github.com/secondgate/secondgate v0.0.0
	golang.org/x/crypto v0.58.0
	modernc.org/sqlite v1.61.1
)

replace github.com/secondgate/secondgate => ../
