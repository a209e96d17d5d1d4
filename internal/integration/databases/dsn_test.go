package databases_test

import (
	"net/url"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/storage/sqlstore"
)

// The driver reads from the data source name what the URL says, whatever the password has in it.
func TestMySQLDSN_IsReadByTheDriver(t *testing.T) {
	for _, password := range []string{"", "plain", "p@ss/word:?#&%41()", "tcp(other:1)/db",
		"é\x01"} {
		u := url.URL{Scheme: "mysql", Host: "[::1]:3307", Path: "/acme?x",
			User: url.UserPassword("app@x", password)}
		dsn, err := sqlstore.MySQLDSN(u.String())
		require.NoError(t, err)
		want := mysql.NewConfig()
		want.User, want.Passwd, want.Net, want.Addr = "app@x", password, "tcp", "[::1]:3307"
		want.DBName = "acme?x"
		got, err := mysql.ParseDSN(dsn)
		require.NoError(t, err)
		require.Equal(t, want.FormatDSN(), got.FormatDSN())
		require.Equal(t, []string{want.User, want.Passwd, want.Addr, want.DBName},
			[]string{got.User, got.Passwd, got.Addr, got.DBName})
	}
	dsn, err := sqlstore.MySQLDSN("mariadb://localhost/acme/")
	require.NoError(t, err)
	got, err := mysql.ParseDSN(dsn)
	require.NoError(t, err)
	require.Equal(t, []string{"", "", "localhost:3306", "acme"},
		[]string{got.User, got.Passwd, got.Addr, got.DBName})
}
